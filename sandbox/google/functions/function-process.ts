import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import type { ProcessOptions } from "../../os/process.ts";
import type { Role } from "../identity/accounts.ts";

/** How each function is deployed: its signature, and the account that it runs as. */
export const DEPLOYMENTS = {
  "sign-intermediate": { signature: "http", role: "signer" },
  "examine-rotator": { signature: "http", role: "rotator" },
  "on-cluster-event": { signature: "cloudevent", role: "reconciler" },
  "sync-mesh": { signature: "http", role: "reconciler" },
  "on-rotation-request": { signature: "cloudevent", role: "rotator" },
} as const satisfies Record<string, { signature: "http" | "cloudevent"; role: Role }>;
export type FunctionName = keyof typeof DEPLOYMENTS;

/** What `npm run build` made. */
export interface Bundle {
  readonly directory: string;
  /** The framework's `main.js`. */
  readonly framework: string;
  readonly functions: readonly FunctionName[];
}

/** Each function of a bundle has a module of its own name beside the `main` that registers them all. */
export function readBundle(path: string): Bundle {
  const directory = resolve(path);
  const manifest = join(directory, "package.json");
  if (!existsSync(manifest)) throw new Error(`there is no bundle in ${directory}; run npm run build`);
  const testing = createRequire(manifest).resolve("@google-cloud/functions-framework/testing");
  const functions = functionNames(DEPLOYMENTS).filter((name) => existsSync(join(directory, `${name}.js`)));
  return { directory, framework: join(dirname(testing), "main.js"), functions };
}

function functionNames(deployments: Partial<Record<FunctionName, unknown>>): FunctionName[] {
  const names: FunctionName[] = [
    "sign-intermediate",
    "examine-rotator",
    "on-cluster-event",
    "sync-mesh",
    "on-rotation-request",
  ];
  return names.filter((name) => name in deployments);
}

export interface Surroundings {
  readonly project: string;
  readonly port: number;
  /** `host:port` of its metadata server. */
  readonly metadataHost: string;
  /** Beside what Cloud Run sets. */
  readonly env: Readonly<Record<string, string>>;
}

/** One function under the real functions-framework, with the environment that Cloud Run would give it. */
export function functionProcess(
  name: FunctionName,
  bundle: Bundle,
  { project, port, metadataHost, env }: Surroundings,
): Pick<ProcessOptions, "name" | "command" | "args" | "cwd" | "env"> {
  return {
    name,
    command: process.execPath,
    args: [bundle.framework],
    cwd: bundle.directory,
    env: {
      PATH: process.env["PATH"],
      NODE_ENV: "production",
      K_SERVICE: name,
      FUNCTION_SOURCE: bundle.directory,
      FUNCTION_TARGET: name,
      FUNCTION_SIGNATURE_TYPE: DEPLOYMENTS[name].signature,
      PORT: String(port),
      GCE_METADATA_HOST: metadataHost,
      METADATA_SERVER_DETECTION: "assume-present",
      GOOGLE_CLOUD_PROJECT: project,
      LOG_EXECUTION_ID: "true",
      ...env,
    },
  };
}

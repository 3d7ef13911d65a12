import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { dirname, join, resolve } from "node:path";
import { keepRunning, type LastingProcess } from "../lasting-process.ts";
import { freePort } from "../ports.ts";
import type { Accounts, Role } from "./accounts.ts";
import type { LocalServer } from "./http.ts";
import { startIamFront } from "./iam-front.ts";
import { type MetadataOptions, startMetadataServer } from "./metadata.ts";

/** How each function is deployed: its signature, and the account that it runs as. */
const DEPLOYMENTS = {
  "sign-intermediate": { signature: "http", role: "signer" },
  "on-cluster-event": { signature: "cloudevent", role: "reconciler" },
  "sync-mesh": { signature: "http", role: "reconciler" },
  "on-rotation-request": { signature: "cloudevent", role: "rotator" },
} as const satisfies Record<string, { signature: "http" | "cloudevent"; role: Role }>;
export type FunctionName = keyof typeof DEPLOYMENTS;

export interface FunctionsOptions extends Omit<MetadataOptions, "email"> {
  /** A directory that `npm run build` made. */
  readonly bundle: string;
  readonly accounts: Accounts;
  readonly logDir: string;
  /** `MESHJOIN_*` for all of them. */
  readonly env: Readonly<Record<string, string>>;
}

export interface SandboxFunctions {
  readonly urls: Readonly<Partial<Record<FunctionName, string>>>;
  /** Of the instance that runs now; undefined for a function that the bundle does not have. */
  pid(name: FunctionName): number | undefined;
  stop(): Promise<void>;
}

/**
 * Starts every function that the bundle has, each in its own process under the real functions-framework, with a
 * metadata server and a service account of its own. The signer comes first: the others are told its URL,
 * unless `MESHJOIN_SIGNER_URL` is among the variables already. An instance that dies is followed by another.
 */
export async function startFunctions(options: FunctionsOptions): Promise<SandboxFunctions> {
  const bundle = readBundle(options.bundle);
  const stops: (() => Promise<void>)[] = [];
  const urls: Partial<Record<FunctionName, string>> = {};
  const instances = new Map<FunctionName, LastingProcess>();
  const stop = async () => {
    await Promise.all(stops.splice(0).map((end) => end()));
  };
  try {
    const { "sign-intermediate": _, ...others } = DEPLOYMENTS;
    let env = options.env;
    if (bundle.functions.includes("sign-intermediate")) {
      const { port, instance } = await startFunction("sign-intermediate", { ...options, env }, bundle, stops);
      instances.set("sign-intermediate", instance);
      const { reconciler, rotator } = options.accounts;
      const front = await startIamFront({ ...options, targetPort: port, invokers: [reconciler, rotator] });
      stops.push(() => front.close());
      urls["sign-intermediate"] = front.url;
      env = { MESHJOIN_SIGNER_URL: front.url, ...env };
    }
    await Promise.all(
      functionNames(others).map(async (name) => {
        if (!bundle.functions.includes(name)) return;
        const { port, instance } = await startFunction(name, { ...options, env }, bundle, stops);
        instances.set(name, instance);
        urls[name] = `http://127.0.0.1:${port}`;
      }),
    );
    return { urls, stop, pid: (name) => instances.get(name)?.pid };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startFunction(
  name: FunctionName,
  options: FunctionsOptions,
  bundle: Bundle,
  stops: (() => Promise<void>)[],
): Promise<{ readonly port: number; readonly instance: LastingProcess }> {
  const { signature, role } = DEPLOYMENTS[name];
  const metadata: LocalServer = await startMetadataServer({ ...options, email: options.accounts[role] });
  stops.push(() => metadata.close());
  const port = await freePort();
  const instance = await keepRunning({
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
      FUNCTION_SIGNATURE_TYPE: signature,
      PORT: String(port),
      GCE_METADATA_HOST: metadata.host,
      METADATA_SERVER_DETECTION: "assume-present",
      GOOGLE_CLOUD_PROJECT: options.project,
      LOG_EXECUTION_ID: "true",
      ...options.env,
    },
    logDir: options.logDir,
    ready: () => accepts(port),
    readyTimeoutMs: 60_000,
  });
  stops.push(() => instance.stop());
  return { port, instance };
}

interface Bundle {
  readonly directory: string;
  /** The framework's `main.js`. */
  readonly framework: string;
  readonly functions: readonly FunctionName[];
}

/** Each function of a bundle has a module of its own name beside the `main` that registers them all. */
function readBundle(path: string): Bundle {
  const directory = resolve(path);
  const manifest = join(directory, "package.json");
  if (!existsSync(manifest)) throw new Error(`there is no bundle in ${directory}; run npm run build`);
  const testing = createRequire(manifest).resolve("@google-cloud/functions-framework/testing");
  const functions = functionNames(DEPLOYMENTS).filter((name) => existsSync(join(directory, `${name}.js`)));
  return { directory, framework: join(dirname(testing), "main.js"), functions };
}

function functionNames(deployments: Partial<Record<FunctionName, unknown>>): FunctionName[] {
  const names: FunctionName[] = ["sign-intermediate", "on-cluster-event", "sync-mesh", "on-rotation-request"];
  return names.filter((name) => name in deployments);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      settle(true);
    });
    socket.once("error", () => settle(false));
  });
}

import { connect } from "node:net";
import { freePort } from "../../os/free-port.ts";
import { keepRunning, type LastingProcess } from "../../os/lasting-process.ts";
import type { Accounts } from "../identity/accounts.ts";
import { type MetadataOptions, startMetadataServer } from "../identity/metadata.ts";
import {
  type Bundle,
  DEPLOYMENTS,
  type FunctionName,
  functionProcess,
  readBundle,
} from "./function-process.ts";
import { startIamFront } from "./iam-front.ts";

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

/** Those that only other functions may call: under which variable the others find each, and who they are. */
const BEHIND_IAM = {
  "sign-intermediate": {
    variable: "MESHJOIN_SIGNER_URL",
    target: "signer",
    invokers: ["reconciler", "rotator"],
  },
  "examine-rotator": {
    variable: "MESHJOIN_EXAMINE_ROTATOR_URL",
    target: "examiner",
    invokers: ["reconciler"],
  },
} as const;

/**
 * Starts every function that the bundle has, each in its own process under the real functions-framework, with
 * a metadata server and a service account of its own. Those that functions call stand behind IAM; all are
 * told their URLs, unless the variables are set already. An instance that dies is followed by another.
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
    const ports = new Map<FunctionName, number>();
    for (const name of bundle.functions) ports.set(name, await freePort());
    const env: Record<string, string> = {};
    for (const [name, port] of ports) {
      urls[name] = `http://127.0.0.1:${port}`;
      if (name !== "sign-intermediate" && name !== "examine-rotator") continue;
      const { variable, target, invokers } = BEHIND_IAM[name];
      const callers = invokers.map((role) => options.accounts[role]);
      const front = await startIamFront({ ...options, target, targetPort: port, invokers: callers });
      stops.push(() => front.close());
      urls[name] = front.url;
      env[variable] = front.url;
    }
    await Promise.all(
      [...ports].map(async ([name, port]) => {
        const own = { ...options, env: { ...env, ...options.env } };
        instances.set(name, await startFunction(name, port, own, bundle, stops));
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
  port: number,
  options: FunctionsOptions,
  bundle: Bundle,
  stops: (() => Promise<void>)[],
): Promise<LastingProcess> {
  const email = options.accounts[DEPLOYMENTS[name].role];
  const metadata = await startMetadataServer({ ...options, email });
  stops.push(() => metadata.close());
  const instance = await keepRunning({
    ...functionProcess(name, bundle, { ...options, port, metadataHost: metadata.host }),
    logDir: options.logDir,
    ready: () => accepts(port),
    readyTimeoutMs: 60_000,
  });
  stops.push(() => instance.stop());
  return instance;
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

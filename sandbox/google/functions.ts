import { connect } from "node:net";
import { keepRunning, type LastingProcess } from "../lasting-process.ts";
import { freePort } from "../ports.ts";
import type { Accounts } from "./accounts.ts";
import {
  type Bundle,
  DEPLOYMENTS,
  type FunctionName,
  functionNames,
  functionProcess,
  readBundle,
} from "./function-process.ts";
import { startIamFront } from "./iam-front.ts";
import { type MetadataOptions, startMetadataServer } from "./metadata.ts";

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
  const email = options.accounts[DEPLOYMENTS[name].role];
  const metadata = await startMetadataServer({ ...options, email });
  stops.push(() => metadata.close());
  const port = await freePort();
  const instance = await keepRunning({
    ...functionProcess(name, bundle, { ...options, port, metadataHost: metadata.host }),
    logDir: options.logDir,
    ready: () => accepts(port),
    readyTimeoutMs: 60_000,
  });
  stops.push(() => instance.stop());
  return { port, instance };
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

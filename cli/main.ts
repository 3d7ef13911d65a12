#!/usr/bin/env node
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { buffer } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { ConfigError, InputError } from "../shared/errors.ts";
import { createOperator, operatorIdentity } from "../shared/operator.ts";
import type { Host } from "./host.ts";
import { manifestFile } from "./manifest-file.ts";
import { meshjoin } from "./meshjoin.ts";
import type { ConfigFile } from "./settings.ts";

const MANIFEST = new URL("../dist/istio/manifest.json", import.meta.url);

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(?:es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } catch (error) {
    // Ctrl-C and Ctrl-D are a no.
    if (!(error instanceof Error) || error.name !== "AbortError") throw error;
    stderr.write("\n");
    return false;
  } finally {
    terminal.close();
  }
}

let isAbandoned = false;

function abandon(): void {
  isAbandoned = true;
}

async function stopped(): Promise<void> {
  const listening = new AbortController();
  const { signal } = listening;
  await Promise.race([once(process, "SIGINT", { signal }), once(process, "SIGTERM", { signal })]);
  listening.abort();
  // A look may be under way, which would keep the process for a while.
  abandon();
}

// The reader of the output may stop early: `meshjoin status | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

async function readInput(name: string): Promise<Buffer> {
  try {
    return name === "-" ? await buffer(process.stdin) : await readFile(name);
  } catch (cause) {
    throw new InputError(`${name} cannot be read`, {
      code: "InvalidInput",
      cure: "give a file that you may read",
      field: "FILE",
      cause,
    });
  }
}

async function configFile(): Promise<ConfigFile> {
  const path = join(env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "meshjoin", "config.yaml");
  try {
    return { path, text: await readFile(path, "utf8") };
  } catch (cause) {
    if (isMissing(cause)) return { path, text: undefined };
    throw new ConfigError(`${path} cannot be read`, {
      code: "InvalidConfiguration",
      cure: "give yourself the right to read it, or remove it",
      cause,
    });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

const { env, stdout, stderr, stdin } = process;
const started = performance.now();
const host: Host = {
  env,
  stdout,
  stderr,
  ...(stdin.isTTY && stderr.isTTY ? { confirm } : {}),
  operator: (settled = env) => createOperator(settled, MANIFEST),
  configFile,
  identityToken: operatorIdentity(),
  stopped,
  abandon,
  sleep: (ms) => setTimeout(ms),
  readFile: readInput,
  manifest: manifestFile(MANIFEST, env),
  elapsedMs: () => performance.now() - started,
};
const code = await meshjoin(process.argv.slice(2), host);
process.exitCode = code;
if (isAbandoned) process.exit(code);

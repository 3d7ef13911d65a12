import { createInterface } from "node:readline/promises";
import { createOperator } from "../shared/operator.ts";
import type { Host } from "./host.ts";
import { manifestFile } from "./manifest-file.ts";
import { meshjoin } from "./meshjoin.ts";

const MANIFEST = new URL("../dist/istio/manifest.json", import.meta.url);

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(?:es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

// Whoever reads the output may have seen enough: `meshjoin status | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

const { env, stdout, stderr, stdin } = process;
const started = performance.now();
const host: Host = {
  env,
  stdout,
  stderr,
  ...(stdin.isTTY && stderr.isTTY ? { confirm } : {}),
  operator: () => createOperator(env, MANIFEST),
  manifest: manifestFile(MANIFEST, env),
  elapsedMs: () => performance.now() - started,
};
process.exitCode = await meshjoin(process.argv.slice(2), host);

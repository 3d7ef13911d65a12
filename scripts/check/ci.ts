import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inWords } from "../../shared/errors.ts";
import { run } from "../run.ts";
import { processesWith } from "./processes.ts";
import { recordResults, sumOfResults } from "./results.ts";

/**
 * Everything that must hold, from a fresh clone: the tests as the README runs them, every other part of `npm
 * run check`, and that no process of all that is left. The last line is `N passed, N failed`. `.ci/run`
 * starts it.
 */
const STEPS: readonly (readonly string[])[] = [["test"], ["run", "check", "--", "--without-tests"]];
/** Another code means that it did not get to its last line. */
const FAULTS_FOUND = 2;
const GOODBYE_MS = 10_000;
const POLL_MS = 1000;

/** A step that ends badly without a failure of its own on record counts as one. */
async function takeStep(args: readonly string[], env: NodeJS.ProcessEnv, results: string): Promise<void> {
  const what = `npm ${args.join(" ")}`;
  console.log(`== ${what}`);
  const before = await sumOfResults(results);
  const { code } = await run("npm", args, { inherit: true, env });
  const after = await sumOfResults(results);
  if (code === 0 || after.failed > before.failed) return;
  console.log(`${what} ended with exit code ${code}`);
  await recordResults(0, 1, results);
}

/**
 * Each process that was started from here carries a mark in its environment, or a path of its own in its
 * arguments.
 */
async function noProcessIsLeft(marks: readonly string[]): Promise<boolean> {
  const deadline = Date.now() + GOODBYE_MS;
  let left = await processesWith(marks);
  while (left.length > 0 && Date.now() < deadline) {
    await sleep(POLL_MS);
    left = await processesWith(marks);
  }
  for (const { pid, command } of left) console.log(`process ${pid} is left: ${command}`);
  return left.length === 0;
}

async function lookForProcesses(marks: readonly string[], results: string): Promise<void> {
  console.log("== no process is left");
  const isWell = await noProcessIsLeft(marks).catch((error: unknown) => {
    console.log(inWords(error));
    return false;
  });
  await recordResults(isWell ? 1 : 0, isWell ? 0 : 1, results);
}

const directory = await mkdtemp(join(tmpdir(), "mjci."));
try {
  const results = join(directory, "results");
  await writeFile(results, "");
  const mark = `meshjoin-ci-${process.pid}-${Date.now()}`;
  const own = { CI: "true", NO_COLOR: "1", CI_RUN_MARK: mark, CI_RESULTS: results, TMPDIR: directory };
  for (const step of STEPS) await takeStep(step, { ...process.env, ...own }, results);
  await lookForProcesses([`CI_RUN_MARK=${mark}`, directory], results);
  const { passed, failed } = await sumOfResults(results);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? FAULTS_FOUND : 0;
} finally {
  await rm(directory, { recursive: true, force: true });
}

import { parseArgs } from "node:util";
import { renderTable } from "../../shared/table.ts";
import { type Finished, run } from "../run.ts";
import { CHECKS, type Check } from "./checks.ts";
import { notRunIn } from "./not-run.ts";
import { recordResults } from "./results.ts";
import { runTests } from "./test.ts";
import { TIERS } from "./tiers.ts";

interface Row {
  readonly name: string;
  readonly proves: string;
  readonly passed: boolean;
  /** What it did not look at, for want of a program say. */
  readonly notRun: readonly string[];
  readonly seconds: number;
}

async function runCheck(check: Check): Promise<Row & { readonly finished: Finished }> {
  const finished = await run(check.command, check.args);
  return {
    ...check,
    passed: finished.code === 0,
    notRun: notRunIn(finished.output),
    seconds: finished.seconds,
    finished,
  };
}

/** Side by side: together they are shorter than the longest test file. */
async function runChecks(checks: readonly Check[]): Promise<Row[]> {
  const results = await Promise.all(checks.map(runCheck));
  for (const { name, passed, finished } of results) {
    if (!passed) console.error(`\n${name} failed (exit code ${finished.code})\n${finished.output.trimEnd()}`);
  }
  await recordResults(
    results.filter(({ passed }) => passed).length,
    results.filter(({ passed }) => !passed).length,
  );
  return results;
}

async function runAllTests(): Promise<Row[]> {
  const results = await runTests({ tiers: TIERS, jestArgs: [] });
  return results.map(({ tier, passed, failed, seconds }) => ({
    name: `${tier.name} tests`,
    proves: failed === 0 ? `${passed} passed` : `${passed} passed, ${failed} failed`,
    passed: failed === 0,
    notRun: [],
    seconds,
  }));
}

function chosenChecks(only: string | undefined): readonly Check[] {
  if (only === undefined) return CHECKS;
  const names = only.split(",");
  const known = CHECKS.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${unknown} is no check: use ${known.join(", ")}`);
  return CHECKS.filter(({ name }) => names.includes(name));
}

function verdictOf({ passed, notRun }: Row): string {
  if (!passed) return "FAILED";
  return notRun.length === 0 ? "ok" : "ok in part";
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { only: { type: "string" }, "without-tests": { type: "boolean", default: false } },
  });
  const withTests = !values["without-tests"] && values.only === undefined;
  const rows = [...(await runChecks(chosenChecks(values.only))), ...(withTests ? await runAllTests() : [])];
  const table = rows.map((row) => [row.name, verdictOf(row), `${row.seconds.toFixed(1)} s`, row.proves]);
  console.log(`\n${renderTable(["check", "", "time", ""], table)}`);
  for (const { name, notRun } of rows) for (const each of notRun) console.log(`${name}: ${each}`);
  if (rows.some(({ passed }) => !passed)) process.exitCode = 1;
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});

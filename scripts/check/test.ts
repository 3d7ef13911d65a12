import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { ensureBinaries } from "../../sandbox/binaries/build.ts";
import { ensureTrafficBinaries } from "../../sandbox/binaries/traffic.ts";
import { parsePin } from "../../shared/istio/pin.ts";
import { renderTable } from "../../shared/table.ts";
import { buildFunctions } from "../build/build.ts";
import { CACHE, ROOT } from "../paths.ts";
import { run } from "../run.ts";
import { ensureChromium } from "./chromium.ts";
import { describeFailures, type JestFile } from "./failures.ts";
import { forgetAsked } from "./permissions/evidence.ts";
import { permissionFaults } from "./permissions/verdict.ts";
import { recordResults } from "./results.ts";
import { isTierName, TIER_NAMES, TIERS, type Tier } from "./tiers.ts";

/** How a tier ended. Tests that were skipped count as failed: a test that does not run proves nothing. */
export interface TierResult {
  readonly tier: Tier;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  /** Of the failed tests, a paragraph each. */
  readonly failures: readonly string[];
}

/** Of Jest's `--json`; https://jestjs.io/docs/cli#--json. */
interface JestSummary {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly JestFile[];
}

export interface TestOptions {
  readonly tiers: readonly Tier[];
  /** Handed to Jest as they are: parts of paths, `-t name`, … */
  readonly jestArgs: readonly string[];
}

function progress(line: string): void {
  console.error(line);
}

/** Whether any test file of the tier has one of the words in its path, as Jest would match it. */
async function isMeant(tier: Tier, words: readonly string[]): Promise<boolean> {
  if (words.length === 0) return true;
  const patterns = words.map((word) => new RegExp(word, "i"));
  const files = await readdir(join(ROOT, tier.folder), { recursive: true }).catch(() => []);
  return files
    .filter((file) => file.endsWith(".test.ts"))
    .some((file) => patterns.some((pattern) => pattern.test(join(ROOT, tier.folder, file))));
}

async function prepare(tiers: readonly Tier[]): Promise<void> {
  if (tiers.some((tier) => tier.needsBinaries)) {
    const pin = parsePin(await readFile(join(ROOT, "shared/istio/pin.json"), "utf8"));
    await ensureBinaries(progress, pin.release);
    if (tiers.some((tier) => tier.needsSidecars)) await ensureTrafficBinaries(progress, pin.release);
  }
  if (tiers.some((tier) => tier.needsBundle)) await buildFunctions({ progress });
  if (tiers.some((tier) => tier.needsBrowser)) await ensureChromium(progress);
}

function countFailures(summary: JestSummary, code: number): number {
  const failed =
    summary.numFailedTests +
    summary.numRuntimeErrorTestSuites +
    summary.numPendingTests +
    summary.numTodoTests;
  const wentWrong = !summary.success || code !== 0 || summary.numPassedTests === 0;
  return Math.max(failed, wentWrong ? 1 : 0);
}

async function runTier(tier: Tier, jestArgs: readonly string[]): Promise<TierResult> {
  const summaryFile = join(CACHE, `jest-${tier.name}-${process.pid}.json`);
  await mkdir(CACHE, { recursive: true });
  const args = [
    "--experimental-vm-modules",
    "--disable-warning=ExperimentalWarning",
    join("node_modules", "jest", "bin", "jest.js"),
    `--testMatch=<rootDir>/${tier.folder}/**/*.test.ts`,
    "--json",
    `--outputFile=${summaryFile}`,
    `--maxWorkers=${tier.workers}`,
    ...jestArgs,
  ];
  const { code, seconds } = await run(process.execPath, args, { inherit: true });
  try {
    const summary: JestSummary = JSON.parse(await readFile(summaryFile, "utf8"));
    const named = jestArgs.some((arg) => /^(?:-t|--testNamePattern)/.test(arg));
    const skipped = named ? { ...summary, numPendingTests: 0 } : summary;
    const failures = describeFailures(summary.testResults);
    return { tier, passed: summary.numPassedTests, failed: countFailures(skipped, code), seconds, failures };
  } catch {
    return { tier, passed: 0, failed: 1, seconds, failures: [] };
  } finally {
    await rm(summaryFile, { force: true });
  }
}

/** One more test: the custom roles hold exactly what the scenarios needed. */
async function withPermissions(result: TierResult): Promise<TierResult> {
  const faults = await permissionFaults();
  if (faults.length > 0) {
    return { ...result, failed: result.failed + 1, failures: [...result.failures, ...faults] };
  }
  progress("nothing was denied, and every permission was used: npm run permissions lists them");
  return { ...result, passed: result.passed + 1 };
}

/** Runs the tiers one after the other, also when one of them fails. */
export async function runTests({ tiers, jestArgs }: TestOptions): Promise<TierResult[]> {
  const words = jestArgs.filter((arg, index) => !arg.startsWith("-") && jestArgs[index - 1] !== "-t");
  const meant: Tier[] = [];
  for (const tier of tiers) if (await isMeant(tier, words)) meant.push(tier);
  if (meant.length === 0) throw new Error(`no test file matches ${words.join(" ")}: name a part of its path`);
  await prepare(meant);
  const results: TierResult[] = [];
  for (const tier of meant) {
    progress(`\n${tier.name} tests`);
    const whole = jestArgs.length === 0 && tier.provesPermissions;
    if (whole) await forgetAsked();
    const ran = await runTier(tier, jestArgs);
    const result = whole ? await withPermissions(ran) : ran;
    await recordResults(result.passed, result.failed);
    results.push(result);
  }
  return results;
}

export function describeResults(results: readonly TierResult[]): string {
  const rows = results.map(({ tier, passed, failed, seconds }) => [
    tier.name,
    String(passed),
    String(failed),
    `${seconds.toFixed(0)} s`,
    `${tier.budgetSeconds} s`,
    seconds > tier.budgetSeconds ? "over its budget" : "",
  ]);
  return renderTable(["tier", "passed", "failed", "time", "budget", ""], rows);
}

/** `--tier unit` (repeatable) chooses; all the rest is Jest's. */
export function parseTestArgs(args: readonly string[]): TestOptions {
  const chosen: string[] = [];
  const jestArgs: string[] = [];
  for (const [index, arg] of args.entries()) {
    if (args[index - 1] === "--tier") chosen.push(arg);
    else if (arg !== "--tier") jestArgs.push(arg);
  }
  const unknown = chosen.find((name) => !isTierName(name));
  if (unknown !== undefined || args.at(-1) === "--tier") {
    throw new Error(`--tier ${unknown ?? ""} is no tier: use ${TIER_NAMES.join(", ")}`);
  }
  const tiers = TIERS.filter((tier) => chosen.length === 0 || chosen.includes(tier.name));
  return { tiers, jestArgs };
}

async function main(): Promise<void> {
  const results = await runTests(parseTestArgs(process.argv.slice(2)));
  for (const failure of results.flatMap(({ failures }) => failures)) console.log(`\n${failure}`);
  console.log(`\n${describeResults(results)}`);
  if (results.some(({ failed }) => failed > 0)) process.exitCode = 1;
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { platform, tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { type Binaries, ensureBinaries } from "../sandbox/binaries/build.ts";
import { type SandboxFleet, startFleet } from "../sandbox/fleet/fleet.ts";
import { DIST } from "../scripts/paths.ts";
import { run } from "../scripts/run.ts";
import { parsePin } from "../shared/istio/pin.ts";
import { type ManifestTemplate, parseTemplate } from "../shared/istio/template.ts";
import { measureColdStarts } from "./cold-start.ts";
import { type FullRun, measureFullRuns } from "./full-run.ts";
import { compareByHand, type Join, watchJoin } from "./join.ts";
import { type Report, renderReport } from "./report.ts";
import { isTooLarge, renderSimulated } from "./simulate/report.ts";
import { simulate } from "./simulate/simulate.ts";
import type { Workplace } from "./usual-way.ts";

interface Flags {
  readonly sizes: readonly number[];
  readonly runs: number;
  readonly json: boolean;
  readonly simulate?: number;
  readonly profile?: string;
}

const BUILD = "scripts/build/build.ts";
const PIN = new URL("../shared/istio/pin.json", import.meta.url);

function parseSizes(text: string): number[] {
  const sizes = text.split(",").map(Number);
  if (sizes.every((size) => Number.isInteger(size) && size >= 2 && size <= 20)) {
    return sizes.toSorted((a, b) => a - b);
  }
  throw new InvalidArgumentError("give whole numbers from 2 to 20, separated by commas");
}

function parseRuns(text: string): number {
  const runs = Number(text);
  if (Number.isInteger(runs) && runs >= 1 && runs <= 100) return runs;
  throw new InvalidArgumentError("give a whole number from 1 to 100");
}

function parseSimulated(text: string): number {
  const members = Number(text);
  // A VPC of the stand-in of GKE has room for the pods of 256 clusters.
  if (Number.isInteger(members) && members >= 3 && members <= 250) return members;
  throw new InvalidArgumentError("give a whole number from 3 to 250");
}

function parseFlags(argv: readonly string[]): Flags {
  return new Command()
    .name("npm run bench --")
    .description(
      "Measures joins on real API servers, the same work by istioctl and kubectl, full runs that find nothing to do, and cold starts of the function. Linux only.",
    )
    .option("--sizes <list>", "members after the join, one fleet for each", parseSizes, [3, 5, 8])
    .option("--runs <n>", "cold starts of each kind, and full runs", parseRuns, 7)
    .option(
      "--simulate <n>",
      "instead: full runs, joins and rotations among simulated members, 10, 50, 100 and 250 of them, up to n",
      parseSimulated,
    )
    .option("--profile <directory>", "with --simulate: write a CPU profile of a full run of each size there")
    .option("--json", "one line of JSON instead of the tables", false)
    .allowExcessArguments(false)
    .parse(argv)
    .opts<Flags>();
}

/** Builds in another process, so that the measured one does not load the bundler. */
async function build(): Promise<string> {
  const { code, output } = await run(process.execPath, [BUILD]);
  if (code !== 0) throw new Error(`the functions could not be built; npm run build\n${output}`);
  return DIST;
}

/** Works in a directory that is removed at the end, and kept for reading after an error. */
async function inDirectory<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), "meshjoin-bench-"));
  try {
    const result = await work(dir);
    await rm(dir, { recursive: true, force: true });
    return result;
  } catch (error) {
    console.error(`Logs are kept in ${dir}`);
    throw error;
  }
}

interface Setting {
  readonly bundle: string;
  readonly binaries: Binaries;
  readonly signal: AbortSignal;
  readonly runs: number;
}

interface Size {
  readonly joined: Join;
  readonly fullRun: FullRun;
}

/** Measures in a fleet of its own, which is stopped in any case. */
async function measureSize(n: number, dir: string, setting: Setting): Promise<Size> {
  const { bundle, signal } = setting;
  const manifest = await readFile(join(bundle, "istio", "manifest.json"), "utf8");
  const progress = () => undefined;
  const fleet = await startFleet({ members: n - 1, dir, join: true, bundle, signal, progress });
  try {
    const measured = measureFleet(fleet, parseTemplate(manifest), { ...setting, dir });
    return await Promise.race([measured, rejectedBy(signal)]);
  } finally {
    await fleet.stop();
  }
}

async function measureFleet(
  fleet: SandboxFleet,
  template: ManifestTemplate,
  workplace: Setting & Workplace,
): Promise<Size> {
  const watched = await watchJoin(fleet);
  const fullRun = await measureFullRuns(fleet, workplace.runs);
  return { fullRun, joined: await compareByHand(fleet, watched, template, workplace) };
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const give = () => reject(signal.reason);
  if (signal.aborted) give();
  else signal.addEventListener("abort", give, { once: true });
  return promise;
}

/** From now on a signal ends the measurement and not the process, so that the fleet is stopped in order. */
function interruption(): AbortSignal {
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => interrupted.abort(new Error(`stopped by ${name}`)));
  }
  return interrupted.signal;
}

async function measureAll({ sizes, runs }: Flags): Promise<Report> {
  const progress = (line: string) => console.error(line);
  const { release } = parsePin(await readFile(PIN, "utf8"));
  const binaries = await ensureBinaries(progress, release);
  const bundle = await build();
  const signal = interruption();
  progress(`starting the function ${4 * runs} times`);
  const coldStarts = await inDirectory((dir) => measureColdStarts({ bundle, dir, runs, signal }));
  const measured: Size[] = [];
  for (const n of sizes) {
    progress(`starting ${n - 1} members; then one more joins`);
    measured.push(await inDirectory((dir) => measureSize(n, dir, { bundle, binaries, signal, runs })));
  }
  return {
    joins: measured.map(({ joined }) => joined),
    fullRuns: measured.map(({ fullRun }) => fullRun),
    coldStarts,
  };
}

/** Fails after its report if a size needs more memory than a function has, or could not be measured. */
async function reportSimulated(members: number, { json, profile }: Flags): Promise<void> {
  const progress = (line: string) => console.error(line);
  const profiles = profile === undefined ? {} : { profiles: profile };
  const { measured, ended } = await Promise.race([
    simulate({ members, bundle: await build(), progress, ...profiles }),
    rejectedBy(interruption()),
  ]);
  console.log(json ? JSON.stringify({ simulate: measured }) : renderSimulated(measured));
  if (ended !== undefined) throw ended;
  if (measured.some(isTooLarge)) process.exitCode = 1;
}

async function main(): Promise<void> {
  const flags = parseFlags(process.argv);
  if (flags.simulate !== undefined) return await reportSimulated(flags.simulate, flags);
  if (platform() !== "linux") {
    throw new Error("the bench reads /proc and needs addresses of all of 127.0.0.0/8; run it on Linux");
  }
  const report = await measureAll(flags);
  console.log(flags.json ? JSON.stringify(report) : renderReport(report));
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
}

await main().catch((error: unknown) => {
  console.error(`The bench failed: ${describe(error)}`);
  process.exitCode = 1;
});
// Work that an interruption left unfinished must not hold the process.
process.exit();

import { join as joinPath } from "node:path";
import { clusterId } from "../../shared/core/names.ts";
import type { Usage } from "../../test/support/fakes/member-api/http/usage.ts";
import type { Measured } from "./measured.ts";
import type { MemberLook } from "./members.ts";
import { MEMORY_LIMIT, type SimulatedWorld, startSimulatedWorld, type WorldOptions } from "./world.ts";

/** Results of one size. Times in milliseconds; null if not reached within ten minutes. */
export interface Simulated {
  readonly members: number;
  /** Without anything to do. */
  readonly fullRunMs: number;
  /** Of the process, for that run. */
  readonly fullRunCpuMs: number;
  /** With one member in fifty silent, and a token of every other due for renewal. */
  readonly churnRunMs: number;
  /** A join in the same churn. */
  readonly joinMs: number | null;
  /** Until every member serves another intermediate. */
  readonly rotationMs: number | null;
  /** From the order until every member trusts the next root. */
  readonly stageMs: number | null;
  /** Of a full run without changes, port-forwards left out. */
  readonly requestsPerMember: number;
  readonly portForwardsPerMember: number;
  /** At the same time, over all measurements. */
  readonly portForwardsMost: number;
  readonly connectionsMost: number;
  /** The peak of resident memory. */
  readonly rssMiB: number;
  readonly planMs: number;
  /** The longest delay of the event loop in any run. */
  readonly loopDelayMs: number;
}

/** A rotation takes several runs; none is begun after this time. */
const PATIENCE_MS = 600_000;
const ATTEMPTS = 3;

export interface MeasureOptions extends WorldOptions {
  /** A directory for a CPU profile of a full run; none without it. */
  readonly profiles?: string;
}

/** Measures in a world of its own, which is stopped in any case. */
export async function measureSimulated(options: MeasureOptions): Promise<Simulated> {
  const world = await startSimulatedWorld(options);
  try {
    return await measure(world, options);
  } finally {
    await world.stop();
  }
}

async function measure(
  world: SimulatedWorld,
  { members: n, progress, profiles }: MeasureOptions,
): Promise<Simulated> {
  const { measured, members, clusterIds } = world;
  const results: Measured[] = [];
  const usages: Usage[] = [];
  const step = async (what: string, work: () => Promise<Measured>): Promise<Measured> => {
    const result = await work();
    results.push(result);
    usages.push(await members.call("usage", undefined));
    const { ms, cpuMs, outcome, findings } = result;
    progress(
      `${n} members: ${what}: ${Math.round(ms)} ms, ${Math.round(cpuMs)} ms of CPU, ${outcome} ${JSON.stringify(findings)}`,
    );
    return result;
  };

  // Not measured: warms up the code and the connections to Google, and proves the seed.
  await wholeRun(() => measured.call("fullRun", undefined));
  await members.call("usage", undefined);
  const fullRun = await wholeRun(() => step("full run", () => measured.call("fullRun", undefined)));
  const quiet = usages.at(-1);
  const planMs = await measured.call("plan", undefined);

  const silent = clusterIds.filter((_, index) => index % 50 === 1);
  const answering = clusterIds.filter((id) => !silent.includes(id));
  await members.call("silence", { clusterIds: silent });
  await members.call("age", { clusterIds: answering });
  const churnRun = await step("full run in churn", () => measured.call("fullRun", undefined));
  await members.call("age", { clusterIds: answering });
  await world.admit();
  const newcomer = clusterId(world.newcomer);
  const join = await step("join", () => measured.call("join", world.newcomer));
  const [joined] = await members.call("look", { clusterIds: [newcomer] });
  await members.call("speak", undefined);

  const all = [...clusterIds, newcomer].toSorted();
  const isWhole = (looks: readonly MemberLook[]) =>
    looks.every(({ synced, serves }) => serves && synced === all.length - 1);
  const look = () => members.call("look", { clusterIds: all });
  const tick = () => step("tick", () => measured.call("tick", undefined));
  await until(tick, async () => isWhole(await look()));

  const before = new Map((await look()).map((each) => [each.clusterId, each]));
  const givenAt = new Date().toISOString();
  const rotate = () => step("intermediates", () => measured.call("rotate", { givenAt }));
  const rotationMs = await until(rotate, async () => {
    const looks = await look();
    return (
      isWhole(looks) && looks.every((each) => each.intermediate !== before.get(each.clusterId)?.intermediate)
    );
  });
  const trustsBoth = async () => {
    const looks = await look();
    return isWhole(looks) && looks.every(({ rootVersions }) => rootVersions.includes('"next"'));
  };
  const started = await step("a root stage", () => measured.call("startRoot", undefined));
  const rest = (await trustsBoth()) ? 0 : await until(tick, trustsBoth);
  const result: Simulated = {
    members: n,
    fullRunMs: Math.round(fullRun.ms),
    fullRunCpuMs: Math.round(fullRun.cpuMs),
    churnRunMs: Math.round(churnRun.ms),
    joinMs: joined?.synced === answering.length ? Math.round(join.ms) : null,
    rotationMs,
    stageMs: rest === null ? null : Math.round(started.ms) + rest,
    requestsPerMember: round((quiet?.requests ?? 0) / n),
    portForwardsPerMember: round((quiet?.portForwards ?? 0) / n),
    portForwardsMost: Math.max(...usages.map(({ portForwardsMost }) => portForwardsMost)),
    connectionsMost: Math.max(...usages.map(({ connectionsMost }) => connectionsMost)),
    rssMiB: Math.ceil(await measured.call("peakMemory", undefined)),
    planMs: Math.round(planMs),
    loopDelayMs: Math.round(Math.max(...results.map(({ loopDelayMs }) => loopDelayMs))),
  };
  // Profiling takes memory of its own, so it comes last.
  if (profiles !== undefined) {
    await measured.call("profile", { file: joinPath(profiles, `full-run-${n}.cpuprofile`) });
  }
  if (result.rssMiB > MEMORY_LIMIT) {
    progress(`${n} members do not fit: ${result.rssMiB} MiB were resident, of ${MEMORY_LIMIT}`);
  }
  return result;
}

/** Repeats the work until `isDone`, and answers the milliseconds of the work; null after ten minutes. */
async function until(work: () => Promise<Measured>, isDone: () => Promise<boolean>): Promise<number | null> {
  let ms = 0;
  while (ms < PATIENCE_MS) {
    ms += (await work()).ms;
    if (await isDone()) return Math.round(ms);
  }
  return null;
}

/**
 * A full run that finds nothing to do. A machine that is busy with other things may keep an answer waiting
 * for too long, which is an API server that was not reached; more than `ATTEMPTS` of those in a row are no
 * accident.
 */
async function wholeRun(fullRun: () => Promise<Measured>): Promise<Measured> {
  for (let attempt = 1; ; attempt += 1) {
    const done = await fullRun();
    const { outcome, findings } = done;
    if (outcome === "unchanged" && Object.keys(findings).length === 0) return done;
    if (attempt < ATTEMPTS && outcome === "waiting") continue;
    throw new Error(`a full run of a mesh that is whole was ${outcome}: ${JSON.stringify(findings)}`);
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

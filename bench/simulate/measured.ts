import { writeFile } from "node:fs/promises";
import { Session } from "node:inspector/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Outcome } from "../../shared/core/answers/outcome.ts";
import type { ClusterRef } from "../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../shared/core/names.ts";
import { lookAtMesh } from "../../shared/look/mesh.ts";
import { preview } from "../../shared/preview.ts";
import { type Reconciled, reconcile } from "../../shared/reconcile.ts";
import { carryOut, rotateIntermediates, tick } from "../../shared/rotate/rotate.ts";
import { createRotatorRuntime } from "../../shared/runtime.ts";
import { answerCalls } from "./calls.ts";

/** The measured process: the functions' entry points with the adapters of production, and nothing else. */

/** The cost of one piece of work in this process. */
export interface Cost {
  readonly ms: number;
  /** Of all its threads, in user and kernel mode. */
  readonly cpuMs: number;
  /** The longest delay of the event loop. */
  readonly loopDelayMs: number;
}

export interface Measured extends Cost {
  /** Undefined if nothing was reconciled. */
  readonly outcome?: Outcome;
  /** The number of findings of each reason. */
  readonly findings: Readonly<Record<string, number>>;
}

const runtime = createRotatorRuntime(process.env, new URL(process.env["SIMULATED_MANIFEST"] ?? ""));
const quiet = () => undefined;
type Run = Parameters<Parameters<typeof runtime.withRun>[1]>[0];

async function measure(work: (run: Run) => Promise<Reconciled | undefined>): Promise<Measured> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const cpu = process.cpuUsage();
  const started = performance.now();
  const reconciled = await runtime.withRun(quiet, work);
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  delay.disable();
  const cost = { ms, cpuMs: (user + system) / 1000, loopDelayMs: delay.max / 1e6 };
  if (reconciled === undefined) return { ...cost, findings: {} };
  const { outcome, members, findings } = reconciled.summary;
  const reasons = [...findings, ...members.flatMap((member) => member.findings)].map(({ reason }) => reason);
  return {
    ...cost,
    outcome,
    findings: Object.fromEntries(
      Map.groupBy(reasons, (each) => each)
        .entries()
        .map(([reason, all]) => [reason, all.length]),
    ),
  };
}

/** As `sync-mesh` does every ten minutes. */
async function fullRun(): Promise<Measured> {
  return await measure((run) => reconcile(run, { scope: "mesh", reason: "bench", rollOut: true }));
}

const handlers = {
  fullRun,
  /** Writes a CPU profile of a full run for Chrome's developer tools; profiling slows the run. */
  profile: async ({ file }: { file: string }): Promise<void> => {
    const session = new Session();
    session.connect();
    await session.post("Profiler.enable");
    await session.post("Profiler.start");
    await fullRun();
    const { profile } = await session.post("Profiler.stop");
    session.disconnect();
    await writeFile(file, JSON.stringify(profile));
  },
  /** As `on-cluster-event` does when a cluster has been labelled. */
  join: async (ref: ClusterRef) =>
    await measure(async (run) => {
      const cluster = await run.ports.sources.of(ref).get(ref, run.signal);
      if (cluster === undefined) throw new Error(`there is no cluster ${ref.name}`);
      return await reconcile(run, { scope: { clusterId: clusterId(ref) }, reason: "bench" }, [cluster]);
    }),
  /** As `on-rotation-request` does. */
  rotate: async ({ givenAt }: { givenAt: string }) =>
    await measure((run) =>
      rotateIntermediates(run, { scope: "mesh", reason: "manual", givenAt: new Date(givenAt) }),
    ),
  startRoot: async () =>
    await measure(async (run) => {
      const { reconciled, moved } = await carryOut(run, { action: "start", givenAt: new Date() });
      if (reconciled === undefined) throw new Error(`no root rotation has begun: ${JSON.stringify(moved)}`);
      return reconciled;
    }),
  tick: async () => await measure(async (run) => (await tick(run)).reconciled),
  /** Planning alone, after the look, in CPU milliseconds of this thread. */
  plan: async (): Promise<number> =>
    await runtime.withRun(quiet, async (run) => {
      const mesh = await lookAtMesh(run, "mesh");
      const before = process.threadCpuUsage();
      const { actions } = await preview(run, { scope: "mesh", reason: "bench" }, mesh);
      const { user, system } = process.threadCpuUsage(before);
      if (actions.length > 0)
        throw new Error(`a mesh that is whole has a plan: ${JSON.stringify(actions[0])}`);
      return (user + system) / 1000;
    }),
  /** The peak of resident memory, in MiB. */
  peakMemory: () => process.resourceUsage().maxRSS / 1024,
};
export type MeasuredHandlers = typeof handlers;

answerCalls(handlers);

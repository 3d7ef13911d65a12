import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxFleet } from "../sandbox/fleet/fleet.ts";
import { syncMesh } from "../sandbox/fleet/sync-mesh-client.ts";
import type { Summary } from "../shared/core/answers/summary.ts";
import { cpuTime } from "./cpu-time.ts";
import { median } from "./median.ts";

/** A full run that finds nothing to do, over several. Times in milliseconds. */
export interface FullRun {
  readonly n: number;
  readonly runs: number;
  readonly medianMs: number;
  readonly slowestMs: number;
  /** Sequential ones, TLS handshakes included, TCP's not: the factor of a delay in a run's time. */
  readonly roundTrips: number;
  /** Of the function's process. */
  readonly cpuMs: number;
  /** To API servers, port-forwards left out. */
  readonly requestsPerMember: number;
  readonly portForwardsPerIstiod: number;
  /** To GKE, to Secret Manager and to the signer. */
  readonly googleRequests: number;
  readonly logLines: number;
}

const FUNCTION = "sync-mesh";
/** Not measured: warms up the function's code and its connections to Google. */
const WARM_UP = 3;
/** Long compared with a run without delay. */
const DELAY_MS = 500;
const DELAYED_RUNS = 3;
const PAUSE_MS = 1000;
const PATIENCE_MS = 60_000;

/** Measures full runs of a fleet whose members are one mesh. */
export async function measureFullRuns(fleet: SandboxFleet, runs: number): Promise<FullRun> {
  const { members } = fleet.file();
  const n = members.length;
  const istiods = members.flatMap((member) => member.istiods).length;
  await untilUnchanged(fleet);
  for (let run = 0; run < WARM_UP; run += 1) await fullRun(fleet);
  const pid = fleet.functionPid(FUNCTION);
  if (pid === undefined) throw new Error(`${FUNCTION} does not run; run npm run build`);
  const since = Date.now();
  const [cpuBefore, linesBefore] = [await cpuTime(pid), await logLines(fleet)];
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) times.push(await fullRun(fleet));
  const [cpuMs, lines] = [(await cpuTime(pid)) - cpuBefore, (await logLines(fleet)) - linesBefore];
  const { reconciler } = fleet.accounts;
  const { gke, secretmanager, signer } = fleet.ledger.requests(reconciler, since);
  const kubernetes = await fleet.clusterRequests(reconciler, since);
  const { forPortForwards } = await fleet.clusterConnections(reconciler, since);
  const medianMs = median(times);
  return {
    n,
    runs,
    medianMs: Math.round(medianMs),
    slowestMs: Math.round(Math.max(...times)),
    roundTrips: Math.round((median(await delayedRuns(fleet)) - medianMs) / DELAY_MS),
    cpuMs: Math.round(cpuMs / runs),
    requestsPerMember: (kubernetes - forPortForwards) / runs / n,
    portForwardsPerIstiod: forPortForwards / runs / istiods,
    googleRequests: (gke + secretmanager + signer) / runs,
    logLines: lines / runs,
  };
}

/** Runs with every request to Google and to API servers delayed. */
async function delayedRuns(fleet: SandboxFleet): Promise<number[]> {
  const { controlUrl, members } = fleet.file();
  const faults = new URL("/faults", controlUrl);
  const targets = ["gke", "secretmanager", ...members.map(({ clusterId }) => clusterId)];
  const times: number[] = [];
  try {
    for (const target of targets) {
      const body = JSON.stringify({ target, kind: "delay", delayMs: DELAY_MS });
      const { ok, status } = await fetch(faults, { method: "POST", body });
      if (!ok) throw new Error(`${target} could not be delayed: HTTP ${status}`);
    }
    for (let run = 0; run < DELAYED_RUNS; run += 1) times.push(await fullRun(fleet));
    return times;
  } finally {
    await fetch(faults, { method: "DELETE" });
  }
}

/** Syncs until nothing of an earlier join remains. */
async function untilUnchanged(fleet: SandboxFleet): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(PAUSE_MS)) {
    if (isWhole(await syncMesh(fleet))) return;
  }
  throw new Error(`the mesh still changes after ${PATIENCE_MS / 1000} s; read the log of ${FUNCTION}`);
}

/** The milliseconds that the caller waits. */
async function fullRun(fleet: SandboxFleet): Promise<number> {
  const start = performance.now();
  const summary = await syncMesh(fleet);
  const ms = performance.now() - start;
  if (!isWhole(summary)) throw new Error(`the mesh is not whole: ${JSON.stringify(summary)}`);
  return ms;
}

function isWhole({ outcome, findings }: Summary): boolean {
  return outcome === "unchanged" && findings.length === 0;
}

async function logLines(fleet: SandboxFleet): Promise<number> {
  const text = await readFile(join(fleet.file().logDir, `${FUNCTION}.log`), "utf8");
  return text.split("\n").filter((line) => line !== "").length;
}

import { join } from "node:path";
import { followLog, type LogLine } from "../sandbox/demo/join/function-log.ts";
import { joinCost, joinDone, joinStart } from "../sandbox/demo/join/measure.ts";
import type { SandboxFleet } from "../sandbox/fleet/fleet.ts";
import type { FleetMember } from "../sandbox/google/member.ts";
import { fillManifest, type ManifestTemplate, manifestValues } from "../shared/istio/template.ts";
import { peakMemory, resetPeakMemory } from "./memory.ts";
import { atLeast, atMost, type Target } from "./target.ts";
import { exchangeByHand, manifestByHand, type Workplace } from "./usual-way.ts";

/** One join, of the N-th member, and the same work by hand, in one run. Times in milliseconds. */
export interface Join {
  readonly n: number;
  readonly requests: number;
  /** To all API servers. Each connection and each port-forward is one TLS handshake. */
  readonly connections: number;
  readonly portForwards: number;
  /** From the delivery of the last audit entry to the last remote secret. */
  readonly writtenMs: number;
  /** The same, to the last synced pair. */
  readonly verifiedMs: number;
  /** The most bytes that the function's process had resident. */
  readonly peakMemory: number;
  /** From the intermediate to the last of Istio's objects. */
  readonly manifestMs: number;
  readonly manifestByHandMs: number;
  /** From istiod's readiness to the last remote secret. */
  readonly exchangeMs: number;
  readonly exchangeByHandMs: number;
  readonly targets: { readonly requests: Target; readonly connections: Target; readonly exchange?: Target };
}

const PER_PEER = 12;
const CONSTANT = 25;
/** The exchange has a target for this many members. */
const COMPARED_SIZE = 8;
const TIMES_FASTER = 10;
const FUNCTION = "on-cluster-event";
/** The function's default. */
const WORKLOAD_TTL = 86_400;

/** Does Meshjoin's work by hand. Its objects are foreign to Meshjoin, so the mesh is not whole afterwards. */
export async function compareByHand(
  fleet: SandboxFleet,
  { newcomer, ...values }: Watched,
  template: ManifestTemplate,
  workplace: Workplace,
): Promise<Join> {
  const peers = fleet.file().members.filter(({ clusterId }) => clusterId !== newcomer.clusterId);
  const n = peers.length + 1;
  const exchangeByHandMs = await exchangeByHand(workplace, newcomer, peers);
  const manifestByHandMs = await installByHand(fleet, template, workplace);
  const most = PER_PEER * peers.length + template.objects.length + CONSTANT;
  return {
    n,
    ...values,
    exchangeByHandMs,
    manifestByHandMs,
    targets: {
      requests: atMost(most, values.requests),
      connections: atMost(n, values.connections),
      ...(n === COMPARED_SIZE
        ? { exchange: atLeast(TIMES_FASTER, exchangeByHandMs / values.exchangeMs, " ×") }
        : {}),
    },
  };
}

export type Watched = Omit<Join, "n" | "manifestByHandMs" | "exchangeByHandMs" | "targets"> & {
  readonly newcomer: FleetMember;
};

/** Adds a member to a fleet of N − 1. */
export async function watchJoin(fleet: SandboxFleet): Promise<Watched> {
  const stop = new AbortController();
  const lines: LogLine[] = [];
  const log = join(fleet.file().logDir, `${FUNCTION}.log`);
  const following = followLog(log, (line) => lines.push(line), stop.signal);
  try {
    const pid = fleet.functionPid(FUNCTION);
    if (pid === undefined) throw new Error(`${FUNCTION} does not run; run npm run build`);
    await resetPeakMemory(pid);
    const newcomer = await fleet.createCluster("newcomer");
    const joined = await joinDone(lines, newcomer.clusterId);
    const peakBytes = await peakMemory(pid);
    await fleet.waitUntilSynced();
    const { joinMs, requests } = await joinCost(fleet, newcomer, joined);
    const { forRequests, forPortForwards } = await fleet.clusterConnections(
      fleet.accounts.reconciler,
      joinStart(fleet, newcomer),
    );
    const at = (step: string) => lastTime(lines, step, newcomer.clusterId);
    return {
      newcomer,
      requests,
      connections: forRequests,
      portForwards: forPortForwards,
      writtenMs: joinMs - (Date.parse(joined.time) - at("connect")),
      verifiedMs: joinMs,
      peakMemory: peakBytes,
      manifestMs: at("applyControlPlane") - at("issueIntermediate"),
      exchangeMs: at("connect") - at("istiodReady"),
    };
  } finally {
    stop.abort();
    await following;
  }
}

/** The time at which the newcomer, or its last pair, finished a step; Unix time in milliseconds. */
function lastTime(lines: readonly LogLine[], step: string, clusterId: string): number {
  const times = lines
    .filter((line) => line.step === step && [line.clusterId, line.target].includes(clusterId))
    .map(({ time }) => Date.parse(time));
  if (times.length === 0) throw new Error(`${FUNCTION} logged no step ${step}; read its log`);
  return Math.max(...times);
}

/** On a cluster that is no member, so that every object is created. */
async function installByHand(
  fleet: SandboxFleet,
  template: ManifestTemplate,
  workplace: Workplace,
): Promise<number> {
  const cluster = await fleet.createCluster("by-hand", { labels: {} });
  const { clusterId, project } = cluster;
  const { meshId } = fleet.file();
  const of = { clusterId, network: `${project}.default` };
  const values = manifestValues(template, { meshId, workloadTtl: WORKLOAD_TTL, dnsCapture: "off" }, of);
  return await manifestByHand(workplace, cluster, fillManifest(template, values));
}

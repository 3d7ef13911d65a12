import { setTimeout as sleep } from "node:timers/promises";
import { GATEWAY, ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import { runCommandLine } from "../../fleet/command-line.ts";
import type { SandboxFleet } from "../../fleet/fleet.ts";
import { meshStatus, syncMesh } from "../../fleet/sync-mesh-client.ts";
import type { FleetMember } from "../../google/member.ts";
import { memberApi } from "../../traffic/member-api.ts";
import type { Spread, SpreadServer } from "../../traffic/spread.ts";
import type { LoadOptions, ServiceName, Ways } from "./load.ts";

export interface FailoverWorld extends Ways {
  readonly fleet: SandboxFleet;
  readonly say: (line: string) => void;
}

/** Something breaks while requests to one service go on. */
export interface FailoverStep extends LoadOptions {
  readonly name: string;
  readonly service: ServiceName;
  /** How many requests may fail; docs/failures.md says why. */
  readonly allowed: number;
  /** What is done to a member is done to the twin as well, which is no control then. */
  readonly hasNoControl?: true;
  /** What comes before, and is not counted; the twin's requests meanwhile are the control. */
  prepare?(world: FailoverWorld): Promise<void>;
  /** Resolves when the length of the step is over. */
  break(world: FailoverWorld): Promise<void>;
  /**
   * Whether Envoy ejects a host for good reason, and lets it in again after a while to see: what fails then
   * is counted apart.
   */
  readonly isReadmitted: boolean;
  /** It always ends. */
  mend(world: FailoverWorld): Promise<void>;
}

/** So long a step is: enough for an ejection, and less than an ejection lasts. */
const STEP_MS = 15_000;
/** Of the demo's workload certificates. */
export const WORKLOAD_TTL_MS = 60_000;
/** From there on until an ejected host had to prove itself again. */
export const READMISSION_MS = 30_000;
const POLL_MS = 500;
const PATIENCE_MS = 180_000;
const ROW = 20;
/**
 * Envoy makes the changes of a host's health known at once, and those of the second after it together: a
 * host that breaks just after it has come back is ejected that much later (`update_merge_window`).
 */
const MERGE_WINDOW_MS = 2000;

const DEPLOYMENTS = `/apis/apps/v1/namespaces/${ISTIO_NAMESPACE}/deployments`;
const AUTOSCALERS = `/apis/autoscaling/v2/namespaces/${ISTIO_NAMESPACE}/horizontalpodautoscalers`;
const GATEWAY_WORKLOAD = `${GATEWAY}-istio`;

export const STEPS: readonly FailoverStep[] = [
  {
    name: "the local server dies, and its pod stays ready",
    service: "everywhere",
    allowed: 10,
    isReadmitted: true,
    break: ({ spread }) => lasting(serverOf(spread, 0).behave("dead")),
    mend: ({ spread }) => serverOf(spread, 0).behave(200),
  },
  {
    name: "the local pod is not ready, and its server answers",
    service: "everywhere",
    allowed: 0,
    isReadmitted: false,
    break: ({ spread }) => lasting(serverOf(spread, 0).setReady(false)),
    mend: ({ spread }) => serverOf(spread, 0).setReady(true),
  },
  {
    name: "the sidecar of the local server dies",
    service: "everywhere",
    allowed: 10,
    isReadmitted: true,
    break: ({ spread }) => lasting(serverOf(spread, 0).stopSidecar()),
    mend: ({ spread }) => serverOf(spread, 0).startSidecar(),
  },
  {
    name: "a whole cluster dies: its API server, its istiod, its pods",
    service: "elsewhere",
    allowed: 10,
    isReadmitted: true,
    break: ({ fleet, spread }) => lasting(killCluster(fleet, serverOf(spread, 2))),
    mend: ({ fleet, spread }) => reviveCluster(fleet, serverOf(spread, 2)),
  },
  {
    name: "the gateway of another network dies, and its address stays",
    service: "elsewhere",
    allowed: 10,
    isReadmitted: true,
    break: ({ spread }) => lasting(stopGateway(serverOf(spread, 1).member)),
    mend: ({ spread }) => startGateway(serverOf(spread, 1).member),
  },
  {
    name: "requests of users come through the ingress of each member, and the server of one dies",
    service: "everywhere",
    allowed: 10,
    isReadmitted: true,
    isOfUsers: true,
    break: ({ spread }) => lasting(serverOf(spread, 0).behave("dead")),
    mend: ({ spread }) => serverOf(spread, 0).behave(200),
  },
  {
    name: "a member is drained and comes back",
    service: "elsewhere",
    allowed: 0,
    isReadmitted: false,
    isAlsoSlow: true,
    hasNoControl: true,
    async break(world) {
      const { member } = serverOf(world.spread, 1);
      const { name } = member;
      await runCommandLine(world.fleet, drainOf(member));
      await untilAnswered(world, (seen) => !seen.has(name));
      await sleep(STEP_MS);
      await runCommandLine(world.fleet, ["undrain", member.clusterId, "--yes"]);
      await untilAnswered(world, (seen) => seen.has(name));
      await sleep(STEP_MS);
    },
    mend: () => Promise.resolve(),
  },
  {
    name: "a dead member is drained, and Envoys let it in no more",
    service: "elsewhere",
    allowed: 0,
    isReadmitted: true,
    async prepare({ fleet, spread }) {
      await lasting(killCluster(fleet, serverOf(spread, 2)));
      await runCommandLine(fleet, drainOf(serverOf(spread, 2).member));
    },
    break: () => lasting(Promise.resolve()),
    async mend({ fleet, spread }) {
      const server = serverOf(spread, 2);
      await reviveCluster(fleet, server);
      await runCommandLine(fleet, ["undrain", server.member.clusterId, "--yes"]);
    },
  },
  {
    name: "an istiod is away until its certificates end, and connections are opened anew",
    service: "elsewhere",
    allowed: 10,
    isReadmitted: true,
    async break(world) {
      const { member } = serverOf(world.spread, 2);
      await scale(member, "istiod", 0);
      await foretold(world, member);
      await sleep(WORKLOAD_TTL_MS);
      world.fleet.traffic?.vpc?.cut();
      await sleep(STEP_MS);
    },
    mend: ({ spread }) => scale(serverOf(spread, 2).member, "istiod", 1),
  },
  {
    name: "the only server of a service answers 500",
    service: "alone",
    allowed: 0,
    isReadmitted: false,
    // An error of the application is its answer; that of a proxy says that there is nobody to ask.
    isFailure: ({ status }) => status !== 500,
    break: ({ spread }) => lasting(serverOf(spread, 0).behave(500)),
    mend: ({ spread }) => serverOf(spread, 0).behave(200),
  },
];

async function lasting(work: Promise<void>): Promise<void> {
  const over = sleep(STEP_MS);
  await work;
  await over;
}

function serverOf({ servers }: Spread, index: number): SpreadServer {
  const server = [...servers.values()][index];
  if (server === undefined) throw new Error("the demo needs three members");
  return server;
}

/** Until a row of requests to servers elsewhere was answered so. */
async function untilAnswered(
  { spread }: FailoverWorld,
  isSo: (seen: ReadonlySet<string>) => boolean,
): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(POLL_MS)) {
    if (isSo(await answerers(spread, "elsewhere"))) return;
  }
  throw new Error("requests go on to the same servers; see the logs of the sidecars and of istiod");
}

async function answerers(spread: Spread, service: ServiceName): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let count = 0; count < ROW; count += 1) seen.add(await whoAnswers(spread, service));
  return seen;
}

/** The name of the member, or what came back instead. */
async function whoAnswers(spread: Spread, service: ServiceName): Promise<string> {
  try {
    const { status, body } = await spread.request(service);
    return status === 200 ? body : `${status} ${body}`;
  } catch (error) {
    return String(error);
  }
}

/** Until the servers answer that should, and no other one: each step begins with a mesh that is well. */
export async function untilWell({ spread, fleet }: FailoverWorld, service: ServiceName): Promise<void> {
  const [first, ...others] = [...spread.servers.keys()];
  const wanted = service === "elsewhere" ? others : [first];
  let seen = new Set<string>();
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(POLL_MS)) {
    seen = await answerers(spread, service);
    const isAsWanted =
      seen.size === wanted.length && wanted.every((name) => name !== undefined && seen.has(name));
    if (!isAsWanted || !(await isOneMesh(fleet))) continue;
    await sleep(MERGE_WINDOW_MS);
    return;
  }
  throw new Error(`${service} is not well: ${[...seen].join(", ")} answered; see the logs of the sidecars`);
}

async function isOneMesh(fleet: SandboxFleet): Promise<boolean> {
  const { pairs } = await meshStatus(fleet);
  if (pairs.length > 0 && pairs.every(({ status }) => status === "synced")) return true;
  await syncMesh(fleet);
  return false;
}

/** One may be the last of its network. */
function drainOf({ clusterId }: FleetMember): string[] {
  return ["drain", clusterId, "--reason", "a step of the demo", "--confirm", "MassDrain", "--yes"];
}

/** Everything at once: what others see is connections that nobody takes, and an API that has no answer. */
async function killCluster(fleet: SandboxFleet, { member, ...server }: SpreadServer): Promise<void> {
  fleet.faults.add({ target: member.clusterId, kind: "refuse" });
  signalIstiods(fleet, member, "SIGSTOP");
  await Promise.all([server.stopSidecar(), server.behave("dead")]);
}

async function reviveCluster(fleet: SandboxFleet, { member, ...server }: SpreadServer): Promise<void> {
  fleet.faults.clear();
  signalIstiods(fleet, member, "SIGCONT");
  await server.behave(200);
  await server.startSidecar();
}

function signalIstiods(fleet: SandboxFleet, { name }: FleetMember, signal: NodeJS.Signals): void {
  const now = fleet.meshMembers().find((member) => member.name === name);
  for (const { pid } of now?.istiods ?? []) process.kill(pid, signal);
}

/** Its autoscaler would bring it back. */
async function stopGateway(member: FleetMember): Promise<void> {
  await memberApi(member).delete(`${AUTOSCALERS}/${GATEWAY_WORKLOAD}`, {});
  await scale(member, GATEWAY_WORKLOAD, 0);
}

async function startGateway(member: FleetMember): Promise<void> {
  await scale(member, GATEWAY_WORKLOAD, 2);
}

async function scale(member: FleetMember, deployment: string, replicas: number): Promise<void> {
  await memberApi(member).mergePatch(`${DEPLOYMENTS}/${deployment}`, { spec: { replicas } });
}

/** Until a finding says when the member's first certificates end; fails if none does before they end. */
async function foretold({ fleet, say }: FailoverWorld, { clusterId }: FleetMember): Promise<void> {
  for (const end = Date.now() + WORKLOAD_TTL_MS / 2; Date.now() < end; await sleep(POLL_MS)) {
    const { findings, members } = await meshStatus(fleet);
    const all = [...findings, ...members.flatMap((member) => member.findings)];
    const found = all.find((each) => each.reason === "CertificatesEnd" && each.clusterId === clusterId);
    if (found !== undefined) return say(`  the status says: ${found.message}`);
  }
  throw new Error(`no finding says that certificates of ${clusterId} end`);
}

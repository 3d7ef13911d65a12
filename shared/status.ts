import { within } from "./async/within.ts";
import { distinct, type Finding, inOrder } from "./core/answers/finding.ts";
import type {
  CertificateStatus,
  MemberStatus,
  PairStatus,
  RotationStatus,
  Status,
} from "./core/answers/status.ts";
import { peerEndpoint } from "./core/cluster/endpoints.ts";
import { placeOf } from "./core/cluster/sources.ts";
import { isReachable, type Member, type ReachableMember } from "./core/member/observation.ts";
import { remoteSecretName } from "./core/names.ts";
import { rotationDue } from "./core/roots/due.ts";
import { noSigningRoot } from "./core/roots/signing.ts";
import { stageOf } from "./core/roots/stages.ts";
import { rootCertificates } from "./istio/root-config-map.ts";
import { lookAtGate } from "./look/gate.ts";
import { lookAtMesh, type Mesh } from "./look/mesh.ts";
import { type MeshPlan, planMesh } from "./plan/mesh.ts";
import type { PairPlan } from "./plan/pair.ts";
import { planContext } from "./plan-context.ts";
import type { RemoteClusterStatus } from "./ports/member-api.ts";
import { settle } from "./report.ts";
import type { Run } from "./run.ts";
import { VERSION } from "./version.ts";

/** A member that takes longer is shown as unreachable, and delays the answer by no more. */
export const MEMBER_TIMEOUT_MS = 5000;

/** What one member's istiods show. */
interface Look {
  readonly root: readonly CertificateStatus[];
  readonly pods: readonly PodLook[];
}

interface PodLook {
  readonly pod: string;
  /** Undefined where the pod could not be asked. */
  readonly clusters: readonly RemoteClusterStatus[] | undefined;
  /** Leaf first, then the intermediate. */
  readonly chain: readonly string[];
}

/** Reads everything, or all but what is `known`, and writes nothing. Throws as `lookAtMesh` does. */
export async function collectStatus(run: Run, known?: Mesh): Promise<Status> {
  const seen = known ?? (await lookAtMesh(run, "mesh", { memberTimeoutMs: MEMBER_TIMEOUT_MS }));
  const plan = planMesh(seen, planContext(run, { scope: "mesh" }), "now");
  const [rotation, ...looked] = await Promise.all([
    rotationStatus(run, seen),
    ...seen.members
      .filter(isReachable)
      .map((member) => run.inTurn(async () => [member.clusterId, await lookAt(run, member)] as const)),
  ]);
  const looks = new Map(looked);
  const time = run.ports.clock.now().toISOString();
  return {
    meshId: run.spec.meshId,
    version: VERSION,
    time,
    members: seen.members.map((member, index) =>
      memberStatus(run, member, looks.get(member.clusterId), findingsOf(plan, index)),
    ),
    pairs: plan.pairs.flatMap((pair) => pairStatuses(pair, seen.members, looks, time)),
    rotation,
    findings: meshFindings(run, seen, plan),
  };
}

async function lookAt({ ports, signal }: Run, member: ReachableMember): Promise<Look> {
  const limit = within(signal, MEMBER_TIMEOUT_MS);
  const api = ports.fleet.member(member.cluster);
  const orElse = async <T>(otherwise: T, ask: () => Promise<T>): Promise<T> =>
    await settle(member.clusterId, "its status was collected", ask, () => otherwise);
  const [root, ...pods] = await Promise.all([
    orElse([], async () => await rootCertificates(api, limit)),
    ...member.state.pods.map(async (pod): Promise<PodLook> => {
      const session = api.istiod.open(pod);
      try {
        const [clusters, chain] = await Promise.all([
          orElse(undefined, async () => await session.remoteClusters(limit)),
          orElse([], async () => await session.servedChain(limit)),
        ]);
        return { pod, clusters, chain };
      } finally {
        session.close();
      }
    }),
  ]);
  return {
    root: root.map(({ fingerprint, notAfter }) => ({ fingerprint, notAfter: notAfter.toISOString() })),
    pods,
  };
}

function memberStatus(
  { spec }: Run,
  { cluster, clusterId, network, state }: Member,
  look: Look | undefined,
  findings: readonly Finding[],
): MemberStatus {
  const endpoint = peerEndpoint(cluster, spec.accessPeers, clusterId);
  const cacerts = state.reachable && state.cacerts?.owner !== "foreign" ? state.cacerts : undefined;
  return {
    clusterId,
    ...placeOf(cluster.ref),
    reachable: state.reachable,
    network,
    kubernetesVersion: cluster.kubernetesVersion,
    istioVersion: (state.reachable && state.controlPlane?.istioVersion) || null,
    endpoint: "endpoint" in endpoint ? endpoint.endpoint.kind : null,
    root: look?.root ?? [],
    intermediate: {
      written:
        cacerts?.notAfter === undefined
          ? null
          : { fingerprint: cacerts.fingerprint, notAfter: cacerts.notAfter.toISOString() },
      loaded: (look?.pods ?? []).flatMap(({ pod, chain: [, intermediate] }) =>
        intermediate === undefined ? [] : [{ pod, fingerprint: intermediate }],
      ),
    },
    findings,
  };
}

/** Of one ordered pair, a row for each istiod pod of its reader. */
function pairStatuses(
  { reader, target, isApart }: PairPlan,
  members: readonly Member[],
  looks: ReadonlyMap<string, Look>,
  seenAt: string,
): PairStatus[] {
  if (isApart === true) return [];
  const member = members.find(({ clusterId }) => clusterId === reader);
  const secret =
    member?.state.reachable === true
      ? member.state.remoteSecrets.find(
          ({ owner, name }) => owner === "ours" && name === remoteSecretName(target),
        )
      : undefined;
  const tokenExpiry = secret?.tokenExpiresAt?.toISOString() ?? null;
  const row = (pod: string, status: PairStatus["status"]): PairStatus => ({
    reader,
    target,
    pod,
    status,
    tokenExpiry,
    seenAt,
  });
  const look = looks.get(reader);
  if (look === undefined) return [row("", "unknown")];
  if (look.pods.length === 0) return [row("", "missing")];
  return look.pods.map(({ pod, clusters }) => {
    const listed = clusters?.find((cluster) => cluster.clusterId === target)?.status;
    return row(pod, clusters === undefined ? "unknown" : (listed ?? "missing"));
  });
}

/** What keeps the member from being as it should be, and what makes it due for a change. */
function findingsOf({ members }: MeshPlan, index: number): Finding[] {
  const plan = members[index];
  const causes = plan?.actions.flatMap((action) => action.findings) ?? [];
  return distinct([...(plan?.findings ?? []), ...causes]).toSorted(inOrder);
}

function meshFindings(
  { spec, ports }: Run,
  { listing, roots, members }: Mesh,
  { pairs, departures }: MeshPlan,
): Finding[] {
  return distinct([
    ...[noSigningRoot(spec, roots.versions) ?? []].flat(),
    ...[rotationDue(members, roots, spec, ports.clock.now()) ?? []].flat(),
    ...listing.findings,
    ...pairs.flatMap(({ findings, expiring, action }) => [
      ...findings,
      ...[expiring ?? []].flat(),
      ...(action?.findings ?? []),
    ]),
    ...departures.findings,
    ...departures.actions.flatMap(({ findings }) => findings),
  ]).toSorted(inOrder);
}

/** Of a rotation that is under way, what its stage waits for: one request more for each member. */
async function rotationStatus(run: Run, seen: Mesh): Promise<RotationStatus> {
  const stage = stageOf(seen.roots);
  if (stage === "idle") return { stage, waitingFor: [], until: null };
  const { waitingFor, until } = await lookAtGate(run, seen, MEMBER_TIMEOUT_MS);
  const { paused } = seen.roots.notes;
  const held = paused === undefined ? [] : [`it was paused at ${paused.toISOString()}: meshjoin root resume`];
  return { stage, waitingFor: [...held, ...waitingFor], until: until?.toISOString() ?? null };
}

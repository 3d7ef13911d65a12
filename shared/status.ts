import { within } from "./async/within.ts";
import { distinct, type Finding, inOrder } from "./core/answers/finding.ts";
import type { PairStatus, RotationStatus, Status } from "./core/answers/status.ts";
import { nextRenewal } from "./core/member/next-renewal.ts";
import { isReachable, type Member, type ReachableMember } from "./core/member/observation.ts";
import { isSilent } from "./core/member/reach.ts";
import {
  latelyOnRecord,
  leftOnRecord,
  rememberedTroubles,
  runsOnRecord,
  silentRuns,
} from "./core/member/remembered.ts";
import { remoteSecretName } from "./core/names.ts";
import type { ProbeVerdict } from "./core/probe/judge.ts";
import { rootFindings } from "./core/roots/findings.ts";
import { stageOf } from "./core/roots/stages.ts";
import { rootCertificates } from "./istio/root-config-map.ts";
import { lookAtGate } from "./look/gate.ts";
import { isLiveGatewayListed } from "./look/istiods.ts";
import { lookAtMesh, type Mesh } from "./look/mesh.ts";
import { type IstiodView, memberStatus, type PodView } from "./member-status.ts";
import { type MeshPlan, planMesh } from "./plan/mesh.ts";
import { networksAfar } from "./plan/networks.ts";
import { findingsByReader, gatewayNotListed, type PairPlan, takeBackLater } from "./plan/pair.ts";
import { planContext } from "./plan-context.ts";
import type { ProbedPair } from "./probe/ask-probes.ts";
import { askAsTheyAre, probeFindings } from "./probe/kept.ts";
import { settle } from "./report.ts";
import type { Run } from "./run.ts";
import { VERSION } from "./version.ts";

/** A member that takes longer counts as unreachable, and delays the answer no further. */
export const MEMBER_TIMEOUT_MS = 5000;

/** Reads the mesh, or takes the caller's `latest` look, and writes nothing. Throws as `lookAtMesh` does. */
export async function collectStatus(run: Run, latest?: Mesh): Promise<Status> {
  const mesh = latest ?? (await lookAtMesh(run, "mesh", { memberTimeoutMs: MEMBER_TIMEOUT_MS }));
  const plan = planMesh(mesh, planContext(run, { scope: "mesh" }), "now");
  const hasNetworks = new Set(mesh.members.map(({ network }) => network)).size > 1;
  const [rotation, probed, ...entries] = await Promise.all([
    rotationStatus(run, mesh),
    askMembers(run, mesh),
    ...mesh.members
      .filter(isReachable)
      .map((member) =>
        run.inTurn(async () => [member.clusterId, await lookAt(run, member, hasNetworks)] as const),
      ),
  ]);
  const views = new Map(entries);
  const membersById = new Map(mesh.members.map((member) => [member.clusterId, member]));
  const afar = networksAfar(mesh.members);
  const ofPairs = findingsByReader(plan.pairs);
  const time = run.ports.clock.now().toISOString();
  return {
    meshId: run.spec.meshId,
    version: VERSION,
    istio: run.template.tag,
    time,
    runs: runsOnRecord(mesh.members, run.ports.clock.now()),
    writesPaused: mesh.roots.notes.writesPaused?.toISOString() ?? null,
    nextRenewal: nextRenewal(mesh.members)?.toISOString() ?? null,
    members: mesh.members.map((member, index) =>
      memberStatus(run, member, {
        view: views.get(member.clusterId),
        drain: plan.register.of(member.clusterId),
        findings: findingsOf(run, plan, member, { index, ofPairs: ofPairs.get(member.clusterId) ?? [] }),
      }),
    ),
    pairs: plan.pairs.flatMap((pair) =>
      pairStatuses(pair, { members: membersById, views, probed, afar, seenAt: time }),
    ),
    rotation,
    left: leftOnRecord(mesh.members, run.ports.clock.now()),
    lately: latelyOnRecord(mesh.members),
    findings: [
      ...meshFindings(run, mesh, plan),
      ...gatewayFindings(plan, membersById, views, afar),
      ...probeFindingsOf(plan, probed, views),
    ].toSorted(inOrder),
  };
}

async function lookAt(
  { ports, signal }: Run,
  member: ReachableMember,
  hasNetworks: boolean,
): Promise<IstiodView> {
  const limit = within(signal, MEMBER_TIMEOUT_MS);
  const api = ports.fleet.member(member.cluster);
  const orElse = async <T>(fallback: T, ask: () => Promise<T>): Promise<T> =>
    await settle(member.clusterId, "its status was collected", ask, () => fallback);
  const [root, ...pods] = await Promise.all([
    orElse([], async () => await rootCertificates(api, limit)),
    ...member.state.pods.map(async (pod): Promise<PodView> => {
      const session = api.istiod.open(pod);
      try {
        const [clusters, chain] = await Promise.all([
          orElse(undefined, async () => await session.remoteClusters(limit)),
          orElse([], async () => await session.servedChain(limit)),
        ]);
        // Over the same port-forward as the first question.
        const gateways = hasNetworks
          ? await orElse(undefined, async () => await session.networkGateways(limit))
          : undefined;
        return { pod, clusters, gateways, chain };
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

/** By reader and target; empty where the configuration keeps no probes. */
type Probed = ReadonlyMap<string, ProbedPair>;

async function askMembers(run: Run, mesh: Mesh): Promise<Probed> {
  if (run.spec.probe === "off") return new Map();
  const pairs = await askAsTheyAre(run, mesh);
  return new Map(pairs.map((pair) => [`${pair.reader} ${pair.target}`, pair]));
}

/** Of a pair that an istiod of the reader does not show as synced, that is told already. */
function probeFindingsOf(
  { probes: { keepers } }: MeshPlan,
  probed: Probed,
  views: ReadonlyMap<string, IstiodView>,
): Finding[] {
  const ids = new Set(keepers.map(({ clusterId }) => clusterId));
  const isUnsynced = ({ reader, target }: ProbedPair) =>
    views
      .get(reader)
      ?.pods.some(({ clusters }) =>
        clusters?.every((each) => each.clusterId !== target || each.status !== "synced"),
      ) === true;
  return probeFindings([...probed.values()], (id) => ids.has(id), isUnsynced);
}

interface Seen {
  readonly members: ReadonlyMap<string, Member>;
  readonly views: ReadonlyMap<string, IstiodView>;
  readonly probed: Probed;
  readonly afar: ReturnType<typeof networksAfar>;
  readonly seenAt: string;
}

/** Of pairs that an istiod shows as synced, and whose target's live gateways it does not know. */
function gatewayFindings(
  { pairs }: MeshPlan,
  members: Seen["members"],
  views: Seen["views"],
  afar: Seen["afar"],
): Finding[] {
  return pairs.flatMap((pair) => {
    const reader = members.get(pair.reader);
    const awaited = reader === undefined ? undefined : afar(reader, pair.target);
    if (awaited === undefined || !isWritten(pair)) return [];
    const pods = views.get(pair.reader)?.pods ?? [];
    const isUnlisted = pods.some(
      ({ clusters, gateways }) =>
        gateways !== undefined &&
        clusters?.some(({ clusterId, status }) => clusterId === pair.target && status === "synced") ===
          true &&
        !isLiveGatewayListed(pair.target, awaited, gateways),
    );
    return isUnlisted ? [gatewayNotListed(pair, awaited.network)] : [];
  });
}

/** One that waits for its gateway, or has none, says so itself. */
function isWritten({ standing, isApart, isClosed, isDrained }: PairPlan): boolean {
  return (
    (standing === "current" || standing === "connect") &&
    isApart !== true &&
    isClosed !== true &&
    isDrained !== true
  );
}

/** One row for each istiod pod of the reader; without a route, for each that lists the target. */
function pairStatuses(
  { reader, target, isApart, isCarried, isDrained, isReturning, standing }: PairPlan,
  { members, views, probed, afar, seenAt }: Seen,
): PairStatus[] {
  const asked = probed.get(`${reader} ${target}`)?.probe ?? { state: "none" };
  const { state, latencyMs, at, cause }: ProbeVerdict =
    isDrained === true ? { state: "absentOnPurpose" } : asked;
  const probe = {
    state,
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(at === undefined ? {} : { at }),
    ...(cause === undefined ? {} : { cause }),
  };
  const member = members.get(reader);
  const secret =
    member?.state.reachable === true
      ? member.state.remoteSecrets.find(
          ({ owner, name }) => owner === "ours" && name === remoteSecretName(target),
        )
      : undefined;
  const tokenExpiry = secret?.tokenExpiresAt?.toISOString() ?? null;
  const isNear = member?.network === members.get(target)?.network;
  const row = (pod: string, status: PairStatus["status"]): PairStatus => ({
    reader,
    target,
    pod,
    status,
    isDue:
      isApart !== true &&
      isDrained !== true &&
      isReturning !== true &&
      standing !== "pending" &&
      standing !== "blocked",
    route: isApart === true && isCarried !== true ? "none" : isNear ? "direct" : "gateway",
    probe,
    tokenExpiry,
    seenAt,
  });
  // Of a pair without a way it is news that an istiod lists the target, whatever gateways it knows.
  const isAfar = isApart !== true && member !== undefined && afar(member, target) !== undefined;
  const other = members.get(target);
  const seen = rowsOf(views.get(reader), target, isAfar, row);
  // An istiod that has read it once goes on calling it synced: of a silent one that tells nothing.
  const rows = seen.map((each) =>
    other !== undefined && isSilent(other) && each.status === "synced"
      ? { ...each, status: "unknown" as const }
      : each,
  );
  return isApart === true ? rows.filter(({ status }) => status !== "missing" && status !== "unknown") : rows;
}

function rowsOf(
  view: IstiodView | undefined,
  target: string,
  isAfar: boolean,
  row: (pod: string, status: PairStatus["status"]) => PairStatus,
): PairStatus[] {
  if (view === undefined) return [row("", "unknown")];
  if (view.pods.length === 0) return [row("", "missing")];
  return view.pods.map(({ pod, clusters, gateways }) => {
    if (clusters === undefined) return row(pod, "unknown");
    const status = clusters.find((cluster) => cluster.clusterId === target)?.status ?? "missing";
    // Whether workloads get an address that they reach, nobody has seen.
    return row(pod, status === "synced" && isAfar && gateways === undefined ? "unknown" : status);
  });
}

/** The findings about a member, the causes of its actions, and what the last run could not do. */
function findingsOf(
  { ports }: Run,
  { members, trafficDefaults, ingress }: MeshPlan,
  member: Member,
  { index, ofPairs }: { readonly index: number; readonly ofPairs: readonly Finding[] },
): Finding[] {
  const plan = members[index];
  const causes = plan?.actions.flatMap((action) => action.findings) ?? [];
  const rules = trafficDefaults.findings.filter(({ clusterId }) => clusterId === member.clusterId);
  const ofIngress = [...ingress.findings, ...ingress.actions.flatMap((action) => action.findings)].filter(
    ({ clusterId }) => clusterId === member.clusterId,
  );
  const live = [...(plan?.findings ?? []), ...causes, ...rules, ...ofIngress];
  const remembered = rememberedTroubles(member, [...live, ...ofPairs], ports.clock.now());
  return distinct([...live, ...remembered]).toSorted(inOrder);
}

function meshFindings(
  { spec, ports }: Run,
  mesh: Mesh,
  { drains, gateways, changes, pairs, returns, departures }: MeshPlan,
): Finding[] {
  const { listing, roots, members } = mesh;
  const now = ports.clock.now();
  return distinct([
    ...rootFindings(mesh, spec, now),
    // A pause is a finding of its own; the functions note no run in it.
    ...(roots.notes.writesPaused === undefined ? silentRuns(members, spec, now) : []),
    ...listing.findings,
    ...drains.findings,
    ...gateways.findings,
    ...changes.findings,
    ...gateways.actions.flatMap(({ findings }) => findings),
    ...pairs.flatMap(({ findings, expiring, action, withdrawal }) => [
      ...findings,
      ...[expiring ?? []].flat(),
      ...(action?.findings ?? []),
      ...(withdrawal?.findings ?? []),
    ]),
    ...Map.groupBy(
      pairs.filter(({ isReturning }) => isReturning === true),
      ({ target }) => target,
    )
      .values()
      .map(takeBackLater),
    ...departures.findings,
    ...[...returns, ...departures.actions].flatMap(({ findings }) => findings),
  ]).toSorted(inOrder);
}

/** For a rotation under way it asks the gate, which costs one more request for each member. */
async function rotationStatus(run: Run, mesh: Mesh): Promise<RotationStatus> {
  const stage = stageOf(mesh.roots);
  if (stage === "idle") return { stage, since: null, paused: null, loaded: 0, waitingFor: [], until: null };
  const { waitingFor, loaded, until } = await lookAtGate(run, mesh, MEMBER_TIMEOUT_MS);
  const { paused, stageSince } = mesh.roots.notes;
  return {
    stage,
    since: stageSince?.toISOString() ?? null,
    paused: paused?.toISOString() ?? null,
    loaded,
    waitingFor,
    until: until?.toISOString() ?? null,
  };
}

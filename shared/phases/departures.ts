import { dropDrainNote } from "../apply/drain-note.ts";
import { removeGateway } from "../apply/gateway.ts";
import { applyNamespace } from "../apply/namespace.ts";
import { within } from "../async/within.ts";
import { faultFinding, isOutOfReach } from "../core/answers/error-finding.ts";
import { type Finding, finding } from "../core/answers/finding.ts";
import { type Outcome, outcomeOf, worst } from "../core/answers/outcome.ts";
import { kubectlOn } from "../core/cluster/gcloud.ts";
import { presentNetworks } from "../core/member/networks.ts";
import { isReachable, type Member, type ReachableMember } from "../core/member/observation.ts";
import { RESTART_CAUTION } from "../core/member/reach.ts";
import type { GatewayState } from "../core/network/gateway.ts";
import { secretRef } from "../istio/secrets.ts";
import { askAgain } from "../look/departures.ts";
import { awaitGateway } from "../look/gateways.ts";
import { verifyMember } from "../look/istiods.ts";
import type { DropDrainNote, MarkLeft, Removal, RemoveGateway, RemoveProbe, Revoke } from "../plan/action.ts";
import { type DeparturePlan, planDepartures } from "../plan/departures.ts";
import { pairContextOf } from "../plan/mesh.ts";
import { plansWithoutGateway } from "../plan/pair.ts";
import { planContext } from "../plan-context.ts";
import { type MemberFault, merge, NOTHING, type PairReport, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Course, Phase } from "./course.ts";
import { SECOND_LOOK_MS } from "./gateways.ts";
import { noteSecrets } from "./note-secrets.ts";
import { WAIT_MS } from "./own-halves.ts";
import { takeAway } from "./probes.ts";
import { noteLeft } from "./record.ts";
import { withdrawAll } from "./withdraw.ts";

/**
 * Removes the credentials that members hold of clusters that have left, in an order that wedges no istiod:
 * first the remote secrets of what is read through a leaver's gateway alone, and of the leaver; then, once
 * istiod does not list the leaver any more, its gateway, and the reader Secrets, which ends the leaver's
 * tokens. Apart from that no member waits for another. If the run dies in between, the next one sees the rest
 * and finishes it; for a leaver that runs on, a note on its namespace says that it may. Losses that have time
 * are noted.
 */
export const departures: Phase = async (run, course) => {
  const { mesh } = course;
  const { actions, findings, left } = await planNow(run, course);
  const touched = [...mesh.members, ...mesh.leavers].filter(isReachable);
  const notes = actions.filter((action) => action.kind === "noteSecret");
  const marks = actions.filter((action) => action.kind === "markLeft");
  const removals = actions.filter((action) => action.kind === "disconnect" || action.kind === "revoke");
  const drops = actions.filter((action) => action.kind === "removeGateway");
  const ends = actions.filter((action) => action.kind === "removeProbe");
  const forgotten = actions.filter((action) => action.kind === "dropDrainNote");
  const remembered = removals.length === 0 ? NOTHING : await noteLeft(run, course, left);
  const ended = await endCarried(run, course, removals);
  const [noted, ...marked] = await Promise.all([
    noteSecrets(run, touched, notes),
    ...marks.map((action) => mark(run, action, touched)),
    ...ends.map((action) => endOf(run, action, touched)),
    ...forgotten.map((action) => forget(run, action, touched)),
  ]);
  return merge(
    { findings, left },
    remembered,
    ended,
    noted,
    ...marked,
    await removeAll(run, touched, removals, drops),
  );
};

/**
 * Takes away what the readers of a leaver read through its gateway alone: once its own remote secret is gone,
 * they would hand out raw addresses of those targets. These gateways, too, are looked at twice.
 */
async function endCarried(
  run: Run,
  { mesh, request }: Course,
  removals: readonly Removal[],
): Promise<Partial<Report>> {
  const losers = new Set(
    removals.flatMap(({ kind, clusterId }) => (kind === "disconnect" ? [clusterId] : [])),
  );
  const closed = (members: readonly Member[]) =>
    plansWithoutGateway(losers, pairContextOf({ ...mesh, members }, planContext(run, request), "now"));
  const seenFirst = new Set(closed(mesh.members).map(({ target }) => target));
  if (seenFirst.size === 0) return {};
  const limit = within(run.signal, SECOND_LOOK_MS);
  const members = await Promise.all(
    mesh.members.map(async (member) => {
      if (!seenFirst.has(member.clusterId)) return member;
      const awaited = presentNetworks(member).map((network) => isOf(network));
      return await awaitGateway(run, member, awaited, limit);
    }),
  );
  const again = closed(members).filter(({ target }) => seenFirst.has(target));
  return await withdrawAll(run, again, members);
}

function isOf(network: string) {
  return (gateway: GatewayState): boolean => gateway.network === network;
}

async function removeAll(
  run: Run,
  touched: readonly ReachableMember[],
  actions: readonly Removal[],
  drops: readonly RemoveGateway[],
): Promise<Partial<Report>> {
  if (actions.length + drops.length === 0) return {};
  const partingOf = new Map(touched.map((member) => [member.clusterId, part(run, member, actions)]));
  // As long as a reader Secret is there, the next run comes back to a gateway that this one does not reach.
  const dropped = await Promise.all(drops.map((action) => drop(run, action, touched, partingOf)));
  const revoked = await Promise.all(
    actions.flatMap((action) => (action.kind === "revoke" ? [revoke(run, action, touched, partingOf)] : [])),
  );
  const partings = await Promise.all(partingOf.values());
  const removed = [...partings.flatMap((each) => each.removed), ...revoked.flatMap((each) => each ?? [])];
  return {
    pairs: pairsOf(removed),
    findings: [
      ...dropped.flatMap(({ findings = [] }) => findings),
      ...partings.flatMap(({ stuck }) => stuck ?? []),
      ...removed.flatMap(({ fault }) => fault?.finding ?? []),
    ],
    errors: [
      ...dropped.flatMap(({ errors = [] }) => errors),
      ...removed.flatMap(({ fault }) => fault?.error ?? []),
    ],
  };
}

/** The removals do not wait for a leaver that takes no note. */
async function mark(
  run: Run,
  action: MarkLeft,
  touched: readonly ReachableMember[],
): Promise<Partial<Report>> {
  const { clusterId } = action;
  const leaver = touched.find((member) => member.clusterId === clusterId);
  if (leaver === undefined) return {};
  return await settle(
    clusterId,
    "its departure was noted",
    async (): Promise<Partial<Report>> => {
      const api = run.ports.fleet.member(leaver.cluster);
      await applyNamespace(api, action, run.spec.meshId, run.signal);
      run.progress({ step: action.kind, clusterId, outcome: outcomeOf(action) });
      return {};
    },
    ({ finding: found, error }) => ({ findings: [found], errors: [error] }),
  );
}

/** A cluster that joins again begins to serve. */
async function forget(
  run: Run,
  action: DropDrainNote,
  touched: readonly ReachableMember[],
): Promise<Partial<Report>> {
  const { clusterId, of } = action;
  const holder = touched.find((member) => member.clusterId === clusterId);
  if (holder === undefined) return {};
  return await settle(
    clusterId,
    `its note of the drain of ${of} was removed`,
    () =>
      run.inTurn(async (): Promise<Partial<Report>> => {
        await dropDrainNote(run.ports.fleet.member(holder.cluster), action, run.signal);
        run.progress({ step: action.kind, clusterId, target: of, outcome: outcomeOf(action) });
        return {};
      }),
    ({ finding: found, error }): Partial<Report> => ({ findings: [found], errors: [error] }),
  );
}

/** It comes before the credentials: as long as one of those is there, the next run comes back to it. */
async function endOf(
  run: Run,
  action: RemoveProbe,
  touched: readonly ReachableMember[],
): Promise<Partial<Report>> {
  const leaver = touched.find(({ clusterId }) => clusterId === action.clusterId);
  if (leaver === undefined) return {};
  return await settle(
    action.clusterId,
    "its probe was removed",
    () => run.inTurn(async () => await takeAway(run, leaver, action)),
    ({ finding: found, error }): Partial<Report> => ({ findings: [found], errors: [error] }),
  );
}

/** The plan to carry out: departures that are not proved are asked of their source once more. */
async function planNow(run: Run, { request, mesh, plan }: Course): Promise<DeparturePlan> {
  if (plan.departures.actions.length === 0) return plan.departures;
  const context = planContext(run, request);
  const again = await askAgain(run, mesh.departures);
  return planDepartures({ ...mesh, ...context, only: context.only, departures: again });
}

interface Removed {
  readonly action: Removal;
  readonly outcome: Outcome;
  readonly fault?: MemberFault;
}

interface Parting {
  readonly removed: readonly Removed[];
  /** Set if the member's istiod still lists a removed cluster, or could not be asked. */
  readonly stuck?: Finding;
}

/** Removes one member's remote secrets of the leavers, until its istiod does not list them any more. */
async function part(run: Run, member: ReachableMember, actions: readonly Removal[]): Promise<Parting> {
  const own = actions.filter((action) => action.clusterId === member.clusterId);
  const disconnects = own.filter((action) => action.kind === "disconnect");
  const removed = await Promise.all(disconnects.map((action) => remove(run, member, action)));
  const deleted = removed.flatMap(({ action, outcome }) =>
    action.kind === "disconnect" && outcome === "deleted" ? [action.target] : [],
  );
  const readers = own.flatMap((action) => (action.kind === "revoke" ? [action.reader] : []));
  const present = new Set(disconnects.map(({ target }) => target)).difference(new Set(deleted));
  const absent = [...new Set([...deleted, ...readers])].filter((id) => !present.has(id));
  if (absent.length === 0) return { removed };
  const limit = within(run.signal, WAIT_MS);
  const expectation = { member, targets: [], absent, intermediate: undefined };
  const { lingering, error } = await verifyMember(run.ports, expectation, limit);
  if (lingering.length === 0) return { removed };
  const id = member.clusterId;
  return {
    removed,
    stuck: error === undefined ? isStuck(member, lingering) : faultFinding(error, id),
  };
}

function isStuck({ clusterId: id, cluster }: ReachableMember, lingering: readonly string[]): Finding {
  return finding(
    "IstiodStuck",
    `istiod of ${id} still lists ${lingering.join(", ")}, whose remote secret is gone`,
    `${kubectlOn(cluster.ref)} -n istio-system rollout restart deployment/istiod, ${RESTART_CAUTION}`,
    id,
  );
}

/** Takes the leaver's gateway away, unless a reader may still send requests to it. */
async function drop(
  run: Run,
  action: RemoveGateway,
  members: readonly ReachableMember[],
  partings: ReadonlyMap<string, Promise<Parting>>,
): Promise<Partial<Report>> {
  const { clusterId } = action;
  const isRead = (await Promise.all(partings.values())).some(({ removed, stuck }) =>
    removed.some(
      ({ action: each, outcome }) =>
        each.kind === "disconnect" &&
        each.target === clusterId &&
        (outcome !== "deleted" || stuck !== undefined),
    ),
  );
  const leaver = members.find((member) => member.clusterId === clusterId);
  if (isRead || leaver === undefined) return {};
  return await settle(
    clusterId,
    "its gateway was removed",
    () =>
      run.inTurn(async (): Promise<Partial<Report>> => {
        await removeGateway(run.ports.fleet.member(leaver.cluster), action, run.spec.meshId, run.signal);
        run.progress({ step: action.kind, clusterId, outcome: outcomeOf(action) });
        return {};
      }),
    ({ finding: found, error }) => ({ findings: [found], errors: [error] }),
  );
}

/**
 * While the reader still reads the target, its token must live: a dead token wedges its istiod. Undefined if
 * the reader Secret stays for now.
 */
async function revoke(
  run: Run,
  action: Revoke,
  members: readonly ReachableMember[],
  partings: ReadonlyMap<string, Promise<Parting>>,
): Promise<Removed | undefined> {
  const [target, reader] = await Promise.all([partings.get(action.clusterId), partings.get(action.reader)]);
  const member = members.find(({ clusterId: id }) => id === action.clusterId);
  const stillReads = [...(target?.removed ?? []), ...(reader?.removed ?? [])].some(
    ({ action: { kind, clusterId: id }, outcome }) =>
      kind === "disconnect" && [action.clusterId, action.reader].includes(id) && outcome !== "deleted",
  );
  const mustWait = target?.stuck !== undefined || reader?.stuck !== undefined || stillReads;
  return member === undefined || mustWait ? undefined : await remove(run, member, action);
}

async function remove(run: Run, { cluster, clusterId }: ReachableMember, action: Removal): Promise<Removed> {
  return await settle(
    clusterId,
    "its credentials of a cluster that has left were removed",
    async (): Promise<Removed> => {
      const { writer } = run.ports.fleet.member(cluster);
      await writer.delete(secretRef(action.secret.name), action.secret.uid, run.signal);
      const target = action.kind === "disconnect" ? action.target : action.reader;
      run.progress({ step: action.kind, clusterId, target, outcome: "deleted" });
      return { action, outcome: outcomeOf(action) };
    },
    (fault): Removed => ({ action, outcome: fault.outcome, fault }),
  );
}

/**
 * The two ends of a pair count as one pair. A member that cannot be reached keeps its credentials until the
 * full run; no event comes again for it.
 */
function pairsOf(removed: readonly Removed[]): PairReport[] {
  const pairs = new Map<string, PairReport>();
  for (const { action, outcome, fault } of removed) {
    const [reader, target] =
      action.kind === "disconnect" ? [action.clusterId, action.target] : [action.reader, action.clusterId];
    const end = pairs.get(`${reader} ${target}`);
    const counts = fault === undefined || !isOutOfReach(fault.error) || end?.counts === true;
    const both = end === undefined ? [outcome] : [outcome, end.outcome];
    pairs.set(`${reader} ${target}`, { reader, target, outcome: worst(both), counts });
  }
  return [...pairs.values()];
}

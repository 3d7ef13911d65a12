import { within } from "../async/within.ts";
import { faultFinding, isOutOfReach } from "../core/answers/error-finding.ts";
import { type Finding, finding } from "../core/answers/finding.ts";
import { type Outcome, outcomeOf, worst } from "../core/answers/outcome.ts";
import { isReachable, type ReachableMember } from "../core/member/observation.ts";
import { secretRef } from "../istio/secrets.ts";
import { askAgain } from "../look/departures.ts";
import { verifyMember } from "../look/istiods.ts";
import type { DepartureAction, Revoke } from "../plan/action.ts";
import { type DeparturePlan, planDepartures } from "../plan/departures.ts";
import { planContext } from "../plan-context.ts";
import { type MemberFault, type PairReport, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Course, Phase } from "./course.ts";
import { WAIT_MS } from "./own-halves.ts";

/**
 * Removes the credentials that members hold of clusters that have left, in an order that wedges no istiod:
 * first the remote secrets; then, once istiod does not list the leaver any more, the reader Secrets, which
 * ends the leaver's tokens. Apart from that no member waits for another. If the run dies in between, the next
 * one sees the rest and finishes it.
 */
export const departures: Phase = async (run, course) => {
  const { mesh } = course;
  const { actions, findings } = await planNow(run, course);
  if (actions.length === 0) return { findings };
  const touched = [...mesh.members, ...mesh.leavers].filter(isReachable);
  const partingOf = new Map(touched.map((member) => [member.clusterId, part(run, member, actions)]));
  const revoked = await Promise.all(
    actions.flatMap((action) => (action.kind === "revoke" ? [revoke(run, action, touched, partingOf)] : [])),
  );
  const partings = await Promise.all(partingOf.values());
  const removals = [...partings.flatMap((each) => each.removals), ...revoked.flatMap((each) => each ?? [])];
  return {
    pairs: pairsOf(removals),
    findings: [
      ...findings,
      ...partings.flatMap(({ stuck }) => stuck ?? []),
      ...removals.flatMap(({ fault }) => fault?.finding ?? []),
    ],
    errors: removals.flatMap(({ fault }) => fault?.error ?? []),
  };
};

/** The plan to carry out: departures that are not proved are asked of their source once more. */
async function planNow(run: Run, { request, mesh, plan }: Course): Promise<DeparturePlan> {
  if (plan.departures.actions.length === 0) return plan.departures;
  const { spec, only, confirm } = planContext(run, request);
  return planDepartures({ ...mesh, departures: await askAgain(run, mesh.departures), spec, only, confirm });
}

interface Removal {
  readonly action: DepartureAction;
  readonly outcome: Outcome;
  readonly fault?: MemberFault;
}

interface Parting {
  readonly removals: readonly Removal[];
  /** Set if the member's istiod still lists a removed cluster, or could not be asked. */
  readonly stuck?: Finding;
}

/** Removes one member's remote secrets of the leavers, until its istiod does not list them any more. */
async function part(
  run: Run,
  member: ReachableMember,
  actions: readonly DepartureAction[],
): Promise<Parting> {
  const own = actions.filter((action) => action.clusterId === member.clusterId);
  const disconnects = own.filter((action) => action.kind === "disconnect");
  const removals = await Promise.all(disconnects.map((action) => remove(run, member, action)));
  const deleted = removals.flatMap(({ action, outcome }) =>
    action.kind === "disconnect" && outcome === "deleted" ? [action.target] : [],
  );
  const readers = own.flatMap((action) => (action.kind === "revoke" ? [action.reader] : []));
  const present = new Set(disconnects.map(({ target }) => target)).difference(new Set(deleted));
  const absent = [...new Set([...deleted, ...readers])].filter((id) => !present.has(id));
  if (absent.length === 0) return { removals };
  const limit = within(run.signal, WAIT_MS);
  const expectation = { member, targets: [], absent, intermediate: undefined };
  const { lingering, error } = await verifyMember(run.ports, expectation, limit);
  if (lingering.length === 0) return { removals };
  const id = member.clusterId;
  return {
    removals,
    stuck: error === undefined ? isStuck(id, lingering) : faultFinding(error, id),
  };
}

function isStuck(id: string, lingering: readonly string[]): Finding {
  return finding(
    "IstiodStuck",
    `istiod of ${id} still lists ${lingering.join(", ")}, whose remote secret is gone`,
    "kubectl -n istio-system rollout restart deployment/istiod",
    id,
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
): Promise<Removal | undefined> {
  const [target, reader] = await Promise.all([partings.get(action.clusterId), partings.get(action.reader)]);
  const member = members.find(({ clusterId: id }) => id === action.clusterId);
  const stillReads = [...(target?.removals ?? []), ...(reader?.removals ?? [])].some(
    ({ action: { kind, clusterId: id }, outcome }) =>
      kind === "disconnect" && [action.clusterId, action.reader].includes(id) && outcome !== "deleted",
  );
  const mustWait = target?.stuck !== undefined || reader?.stuck !== undefined || stillReads;
  return member === undefined || mustWait ? undefined : await remove(run, member, action);
}

async function remove(
  run: Run,
  { cluster, clusterId }: ReachableMember,
  action: DepartureAction,
): Promise<Removal> {
  return await settle(
    clusterId,
    "its credentials of a cluster that has left were removed",
    async (): Promise<Removal> => {
      const { writer } = run.ports.fleet.member(cluster);
      await writer.delete(secretRef(action.secret.name), action.secret.uid, run.signal);
      const target = action.kind === "disconnect" ? action.target : action.reader;
      run.progress({ step: action.kind, clusterId, target, outcome: "deleted" });
      return { action, outcome: outcomeOf(action) };
    },
    (fault): Removal => ({ action, outcome: fault.outcome, fault }),
  );
}

/**
 * The two ends of a pair count as one pair. A member that cannot be reached keeps its credentials until the
 * full run; no event comes again for it.
 */
function pairsOf(removals: readonly Removal[]): PairReport[] {
  const pairs = new Map<string, PairReport>();
  for (const { action, outcome, fault } of removals) {
    const [reader, target] =
      action.kind === "disconnect" ? [action.clusterId, action.target] : [action.reader, action.clusterId];
    const end = pairs.get(`${reader} ${target}`);
    const counts = fault === undefined || !isOutOfReach(fault.error) || end?.counts === true;
    const both = end === undefined ? [outcome] : [outcome, end.outcome];
    pairs.set(`${reader} ${target}`, { reader, target, outcome: worst(both), counts });
  }
  return [...pairs.values()];
}

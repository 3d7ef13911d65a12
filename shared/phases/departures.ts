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
 * Takes away what members hold of clusters that have left, in the order that no istiod is wedged by: the remote secrets
 * first, then, once istiod does not list what has left, the reader Secrets, with which the leaver's tokens die. Otherwise one
 * member waits for no other. Dying in between leaves what the next run sees and finishes.
 */
export const departures: Phase = async (run, course) => {
  const { mesh } = course;
  const { actions, findings } = await planNow(run, course);
  if (actions.length === 0) return { findings };
  const touched = [...mesh.members, ...mesh.leavers].filter(isReachable);
  const partings = new Map(touched.map((member) => [member.clusterId, part(run, member, actions)]));
  const revoked = await Promise.all(
    actions.flatMap((action) => (action.kind === "revoke" ? [revoke(run, action, touched, partings)] : [])),
  );
  const parted = await Promise.all(partings.values());
  const done = [...parted.flatMap((each) => each.done), ...revoked.flatMap((each) => each ?? [])];
  return {
    pairs: pairsOf(done),
    findings: [
      ...findings,
      ...parted.flatMap(({ stuck }) => stuck ?? []),
      ...done.flatMap(({ fault }) => fault?.finding ?? []),
    ],
    errors: done.flatMap(({ fault }) => fault?.error ?? []),
  };
};

/** The plan that is carried out: what is not proved, and would be removed, is asked of its source once more right before. */
async function planNow(run: Run, { request, mesh, plan }: Course): Promise<DeparturePlan> {
  if (plan.departures.actions.length === 0) return plan.departures;
  const { spec, only, confirm } = planContext(run, request);
  return planDepartures({ ...mesh, departures: await askAgain(run, mesh.departures), spec, only, confirm });
}

interface Done {
  readonly action: DepartureAction;
  readonly outcome: Outcome;
  readonly fault?: MemberFault;
}

interface Parting {
  readonly done: readonly Done[];
  /** The member's istiod still lists what was taken from it, or could not be asked. */
  readonly stuck?: Finding;
}

/** One member's remote secrets of those that have left; settled when its istiod does not list them any more. */
async function part(
  run: Run,
  member: ReachableMember,
  actions: readonly DepartureAction[],
): Promise<Parting> {
  const own = actions.filter((action) => action.clusterId === member.clusterId);
  const disconnects = own.filter((action) => action.kind === "disconnect");
  const done = await Promise.all(disconnects.map((action) => remove(run, member, action)));
  const taken = done.flatMap(({ action, outcome }) =>
    action.kind === "disconnect" && outcome === "deleted" ? [action.target] : [],
  );
  const readers = own.flatMap((action) => (action.kind === "revoke" ? [action.reader] : []));
  const kept = new Set(disconnects.map(({ target }) => target)).difference(new Set(taken));
  const absent = [...new Set([...taken, ...readers])].filter((id) => !kept.has(id));
  if (absent.length === 0) return { done };
  const limit = within(run.signal, WAIT_MS);
  const expectation = { member, targets: [], absent, intermediate: undefined };
  const { lingering, error } = await verifyMember(run.ports, expectation, limit);
  if (lingering.length === 0) return { done };
  const id = member.clusterId;
  return {
    done,
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
 * While the reader itself still reads the target, its token must live: a dead one is what wedges its istiod. Undefined
 * where the reader Secret therefore stays for now.
 */
async function revoke(
  run: Run,
  action: Revoke,
  members: readonly ReachableMember[],
  partings: ReadonlyMap<string, Promise<Parting>>,
): Promise<Done | undefined> {
  const [target, reader] = await Promise.all([partings.get(action.clusterId), partings.get(action.reader)]);
  const member = members.find(({ clusterId: id }) => id === action.clusterId);
  const stillReads = [...(target?.done ?? []), ...(reader?.done ?? [])].some(
    ({ action: { kind, clusterId: id }, outcome }) =>
      kind === "disconnect" && [action.clusterId, action.reader].includes(id) && outcome !== "deleted",
  );
  const held = target?.stuck !== undefined || reader?.stuck !== undefined || stillReads;
  return member === undefined || held ? undefined : await remove(run, member, action);
}

async function remove(
  run: Run,
  { cluster, clusterId }: ReachableMember,
  action: DepartureAction,
): Promise<Done> {
  return await settle(
    clusterId,
    "what it holds of a cluster that has left was removed",
    async (): Promise<Done> => {
      const { writer } = run.ports.fleet.member(cluster);
      await writer.delete(secretRef(action.secret.name), action.secret.uid, run.signal);
      const target = action.kind === "disconnect" ? action.target : action.reader;
      run.progress({ step: action.kind, clusterId, target, outcome: "deleted" });
      return { action, outcome: outcomeOf(action) };
    },
    (fault): Done => ({ action, outcome: fault.outcome, fault }),
  );
}

/**
 * A pair whose two ends were taken away is one pair. A member that cannot be reached keeps what it holds until the full run; no
 * event comes again for it.
 */
function pairsOf(done: readonly Done[]): PairReport[] {
  const pairs = new Map<string, PairReport>();
  for (const { action, outcome, fault } of done) {
    const [reader, target] =
      action.kind === "disconnect" ? [action.clusterId, action.target] : [action.reader, action.clusterId];
    const known = pairs.get(`${reader} ${target}`);
    const counts = fault === undefined || !isOutOfReach(fault.error) || known?.counts === true;
    const both = known === undefined ? [outcome] : [outcome, known.outcome];
    pairs.set(`${reader} ${target}`, { reader, target, outcome: worst(both), counts });
  }
  return [...pairs.values()];
}

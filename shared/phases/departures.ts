import pLimit from "p-limit";
import type { Run } from "../apply.ts";
import { within } from "../async/within.ts";
import type { Cluster } from "../core/cluster.ts";
import { type Absence, type Answer, type Departed, departedFrom, judgeAbsence } from "../core/departure.ts";
import { faultFinding } from "../core/error-finding.ts";
import { type Finding, finding } from "../core/finding.ts";
import { clusterId } from "../core/names.ts";
import { isReachable, type Member, type ReachableMember } from "../core/observation.ts";
import { type Outcome, outcomeOf, outcomeOfFailure, worst } from "../core/outcome.ts";
import type { PairSummary } from "../core/summary.ts";
import { MeshjoinError } from "../errors.ts";
import { secretRef } from "../istio/secrets.ts";
import { verifyMember } from "../look/istiods.ts";
import type { Listing } from "../look/listing.ts";
import type { DepartureAction, Revoke } from "../plan/action.ts";
import { type Departure, planDepartures } from "../plan/departures.ts";
import { MEMBER_CONCURRENCY, observeMembers, WAIT_MS } from "./own-halves.ts";

export interface DeparturesInput {
  /** Every member as it was seen just now. */
  readonly members: readonly Member[];
  readonly listing: Listing;
  /** The cluster ID that the run is about; undefined for the whole mesh. */
  readonly only: string | undefined;
  readonly confirm: readonly string[];
}

export interface DeparturesResult {
  readonly pairs: readonly PairSummary[];
  readonly findings: readonly Finding[];
  readonly errors: readonly MeshjoinError[];
}

/** What has left, as far as members and GKE tell, with how sure that is. */
export interface Departures {
  readonly departures: readonly Departure[];
  /** Those that still run, seen as peers are. */
  readonly leavers: readonly Member[];
}

/**
 * Takes away what members hold of clusters that have left, in the order that no istiod is wedged by: the remote secrets
 * first, then, once istiod does not list what has left, the reader Secrets, with which the leaver's tokens die. A member that
 * cannot be reached may still read with its tokens, so these stay until a run reaches it. Otherwise one member waits for no
 * other. Dying in between leaves what the next run sees and finishes.
 */
export async function reconcileDepartures(run: Run, input: DeparturesInput): Promise<DeparturesResult> {
  const { departures, leavers } = await observeDepartures(run, input);
  if (departures.length === 0) return { pairs: [], findings: [], errors: [] };
  const { actions, findings } = planDepartures({ ...input, departures, leavers, spec: run.spec });
  const touched = [...input.members, ...leavers].filter(isReachable);
  const unseen = new Set(
    input.members.filter((member) => !isReachable(member)).map((member) => member.clusterId),
  );
  const partings = new Map(touched.map((member) => [member.clusterId, part(run, member, actions)]));
  const revoked = await Promise.all(
    actions.flatMap((action) =>
      action.kind === "revoke" && !unseen.has(action.reader) ? [revoke(run, action, touched, partings)] : [],
    ),
  );
  const parted = await Promise.all(partings.values());
  const done = [...parted.flatMap((each) => each.done), ...revoked.flatMap((each) => each ?? [])];
  return {
    pairs: pairsOf(done),
    findings: [
      ...findings,
      ...parted.flatMap(({ stuck }) => stuck ?? []),
      ...done.flatMap((each) => each.finding ?? []),
    ],
    errors: done.flatMap(({ error }) => error ?? []),
  };
}

/** Reads GKE for those that no list holds, and the leavers that still run. */
export async function observeDepartures(
  run: Run,
  input: Pick<DeparturesInput, "members" | "listing">,
): Promise<Departures> {
  const limit = pLimit(MEMBER_CONCURRENCY);
  const departed = departedFrom(input.members);
  const asked = await Promise.all(departed.map((each) => limit(() => ask(run, input.listing, each))));
  const departures = asked.map(({ departure }) => departure);
  const running = asked.flatMap(({ departure: { absence }, cluster }) =>
    mayRun(absence) && cluster !== undefined ? [cluster] : [],
  );
  return { departures, leavers: await observeMembers(run, running, "peer") };
}

function mayRun({ certainty }: Absence): boolean {
  return certainty === "assumed" || certainty === "notConfigured";
}

async function ask(
  { ports, spec, signal }: Run,
  listing: Listing,
  departed: Departed,
): Promise<{ readonly departure: Departure; readonly cluster: Cluster | undefined }> {
  const { ref } = departed;
  const listed = listing.clusters.find((cluster) => clusterId(cluster.ref) === departed.clusterId);
  const answer = listed ?? (await answerOf());
  const absence = judgeAbsence(departed, answer, spec);
  return { departure: { departed, absence }, cluster: typeof answer === "string" ? undefined : answer };

  async function answerOf(): Promise<Answer> {
    if (ref === undefined) return "silent";
    try {
      return (await ports.directory.get(ref, signal)) ?? "absent";
    } catch (error) {
      if (!(error instanceof MeshjoinError)) throw error;
      return error.retryable ? "silent" : "refused";
    }
  }
}

interface Done {
  readonly action: DepartureAction;
  readonly outcome: Outcome;
  readonly finding?: Finding;
  readonly error?: MeshjoinError;
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
  return { done, stuck: error === undefined ? isStuck(id, lingering) : faultFinding(error, id) };
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
  { ports, report, signal }: Run,
  { cluster, clusterId: id }: ReachableMember,
  action: DepartureAction,
): Promise<Done> {
  try {
    const { writer } = ports.fleet.member(cluster);
    await writer.delete(secretRef(action.secret.name), action.secret.uid, signal);
    const other = action.kind === "disconnect" ? action.target : action.reader;
    report({ step: action.kind, clusterId: id, target: other, outcome: "deleted" });
    return { action, outcome: outcomeOf(action) };
  } catch (error) {
    if (!(error instanceof MeshjoinError)) throw error;
    const outcome = outcomeOfFailure(error);
    return { action, outcome, error, finding: faultFinding(error, id) };
  }
}

/** A pair whose two ends were taken away is one pair. */
function pairsOf(done: readonly Done[]): PairSummary[] {
  const pairs = new Map<string, PairSummary>();
  for (const { action, outcome } of done) {
    const [reader, target] =
      action.kind === "disconnect" ? [action.clusterId, action.target] : [action.reader, action.clusterId];
    const known = pairs.get(`${reader} ${target}`);
    const both = known === undefined ? [outcome] : [outcome, known.outcome];
    pairs.set(`${reader} ${target}`, { reader, target, outcome: worst(both) });
  }
  return [...pairs.values()];
}

import type { Cluster } from "../core/cluster/cluster.ts";
import {
  type Departed,
  departedFrom,
  judgeAbsence,
  namedBy,
  type SourceAnswer,
} from "../core/member/absence.ts";
import { isReachable, type Member } from "../core/member/observation.ts";
import { clusterId } from "../core/names.ts";
import { asMeshjoinError } from "../errors.ts";
import type { Departure } from "../plan/departures.ts";
import type { Run } from "../run.ts";
import { type Lost, lookForLost } from "./lost.ts";
import { observeMembers } from "./members.ts";

/** The clusters that have left, as far as members and sources tell, each with how sure that is. */
export interface Departures {
  readonly departures: readonly Departure[];
  /** The departed clusters that still run, read as peers are. */
  readonly leavers: readonly Member[];
  /** IDs of clusters that may have been members, that no member tells of, and that did not answer. */
  readonly unasked: readonly string[];
}

export interface DepartureQuestion {
  readonly members: readonly Member[];
  readonly listed: readonly Cluster[];
  /** IDs of clusters that a person takes out, whether or not a member holds credentials of them. */
  readonly leaving: readonly string[];
  /** Clusters without the label are asked, too, if no member can tell of those that have left. */
  readonly isOfMesh: boolean;
}

/**
 * Asks the sources, by name, for every cluster that a member holds credentials of and that is no member. This
 * happens after the members were read, because a list is older than what it is compared with (design rule 8).
 * Then it reads the leavers that still run.
 */
export async function lookAtDepartures(run: Run, question: DepartureQuestion): Promise<Departures> {
  const { members, listed } = question;
  const isDeserted = question.isOfMesh && !members.some(isReachable);
  const { clusters, unasked } = isDeserted ? await lookForLost(run, listed) : NONE_LOST;
  const departed = distinct([
    ...departedFrom(members),
    ...taken(question),
    ...clusters.map(({ ref }) => ({ clusterId: clusterId(ref), ref })),
  ]);
  const answers = await Promise.all(departed.map((each) => run.inTurn(() => ask(run, each))));
  const running = answers.flatMap(({ departure: { absence }, cluster }) =>
    absence.runsOn && cluster !== undefined ? [cluster] : [],
  );
  const leavers = await observeMembers(run, running, { depth: "subject" });
  const departures = answers.map(({ departure }) => departure);
  return { departures: isDeserted ? withNotesOf(leavers, departures) : departures, leavers, unasked };
}

const NONE_LOST: Lost = { clusters: [], unasked: [] };

/** The clusters that a person takes out and that are no members, as the list has them. */
function taken({ members, listed, leaving }: DepartureQuestion): Departed[] {
  const present = new Set(members.map(({ clusterId: id }) => id));
  return listed
    .map(({ ref }) => ({ clusterId: clusterId(ref), ref }))
    .filter(({ clusterId: id }) => leaving.includes(id) && !present.has(id));
}

/** Each cluster once, as it is named first. */
function distinct(departed: readonly Departed[]): Departed[] {
  return [...new Map(departed.toReversed().map((each) => [each.clusterId, each])).values()].toSorted(
    (a, b) => (a.clusterId < b.clusterId ? -1 : 1),
  );
}

/** Without a member, the lost clusters tell when the others among them were lost. */
function withNotesOf(leavers: readonly Member[], departures: readonly Departure[]): Departure[] {
  const notes = new Map(namedBy(leavers).map(({ clusterId: id, lostSince }) => [id, lostSince]));
  return departures.map(({ departed, absence }) => ({
    departed: { ...departed, lostSince: departed.lostSince ?? notes.get(departed.clusterId) },
    absence,
  }));
}

/**
 * Asks the sources again about departures that are not proved. Reading leavers may have taken long, and a
 * cluster may have got its label back and joined in that time.
 */
export async function askAgain(run: Run, departures: readonly Departure[]): Promise<Departure[]> {
  return await Promise.all(
    departures.map(async (departure) => {
      if (!departure.absence.runsOn) return departure;
      return (await run.inTurn(() => ask(run, departure.departed))).departure;
    }),
  );
}

async function ask(
  run: Run,
  departed: Departed,
): Promise<{ readonly departure: Departure; readonly cluster?: Cluster }> {
  const answer = await answerOf(run, departed);
  const departure = { departed, absence: judgeAbsence(departed, answer, run.spec) };
  return typeof answer === "object" && "ref" in answer ? { departure, cluster: answer } : { departure };
}

/** The answer of its source, also of one that is not configured: a deleted cluster is deleted for all. */
async function answerOf(run: Run, { ref, clusterId: id }: Departed): Promise<SourceAnswer> {
  if (ref === undefined) return "silent";
  const source = run.ports.sources.of(ref);
  try {
    return (await source.get(ref, run.signal)) ?? { gone: source.gone };
  } catch (error) {
    const refused = asMeshjoinError(error, id, "its source was asked for it");
    return refused.retryable ? "silent" : { refused };
  }
}

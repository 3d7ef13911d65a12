import type { Cluster } from "../core/cluster/cluster.ts";
import { type Departed, departedFrom, judgeAbsence, type SourceAnswer } from "../core/member/absence.ts";
import type { Member } from "../core/member/observation.ts";
import { asMeshjoinError } from "../errors.ts";
import type { Departure } from "../plan/departures.ts";
import type { Run } from "../run.ts";
import { observeMembers } from "./members.ts";

/** The clusters that have left, as far as members and sources tell, each with how sure that is. */
export interface Departures {
  readonly departures: readonly Departure[];
  /** The departed clusters that still run, read as peers are. */
  readonly leavers: readonly Member[];
}

/**
 * Asks the sources, by name, for every cluster that a member holds credentials of and that is no member. This
 * happens after the members were read, because a list is older than what it is compared with (design rule 8).
 * Then it reads the leavers that still run.
 */
export async function lookAtDepartures(run: Run, members: readonly Member[]): Promise<Departures> {
  const departed = departedFrom(members);
  const answers = await Promise.all(departed.map((each) => run.inTurn(() => ask(run, each))));
  const running = answers.flatMap(({ departure: { absence }, cluster }) =>
    absence.runsOn && cluster !== undefined ? [cluster] : [],
  );
  return {
    departures: answers.map(({ departure }) => departure),
    leavers: await observeMembers(run, running, { depth: "peer" }),
  };
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
async function answerOf(run: Run, { ref, clusterId }: Departed): Promise<SourceAnswer> {
  if (ref === undefined) return "silent";
  const source = run.ports.sources.of(ref);
  try {
    return (await source.get(ref, run.signal)) ?? { gone: source.gone };
  } catch (error) {
    const refused = asMeshjoinError(error, clusterId, "its source was asked for it");
    return refused.retryable ? "silent" : { refused };
  }
}

import type { Cluster } from "../core/cluster.ts";
import { type Answer, type Departed, departedFrom, judgeAbsence } from "../core/departure.ts";
import type { Member } from "../core/observation.ts";
import { asMeshjoinError } from "../errors.ts";
import type { Departure } from "../plan/departures.ts";
import type { Run } from "../run.ts";
import { observeMembers } from "./members.ts";

/** What has left, as far as members and sources tell, with how sure that is. */
export interface Departures {
  readonly departures: readonly Departure[];
  /** Those that still run, seen as peers are. */
  readonly leavers: readonly Member[];
}

/**
 * Reads every cluster that a member speaks of and that is no member from its source by name, after the members were observed (design
 * rule 8): a list is older than what it is compared with. Then the leavers that still run.
 */
export async function lookAtDepartures(run: Run, members: readonly Member[]): Promise<Departures> {
  const departed = departedFrom(members);
  const asked = await Promise.all(departed.map((each) => run.inTurn(() => ask(run, each))));
  const running = asked.flatMap(({ departure: { absence }, cluster }) =>
    absence.runsOn && cluster !== undefined ? [cluster] : [],
  );
  return {
    departures: asked.map(({ departure }) => departure),
    leavers: await observeMembers(run, running, { depth: "peer" }),
  };
}

/**
 * The same departures by what its source says now, but for those that are proved: leavers may have taken long to be looked at, and a
 * cluster may have got its label back and joined in that time.
 */
export async function askAgain(run: Run, departures: readonly Departure[]): Promise<Departure[]> {
  return await Promise.all(
    departures.map(async (known) => {
      if (!known.absence.runsOn) return known;
      const { departure } = await run.inTurn(() => ask(run, known.departed));
      return departure;
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

/** What its source says, one that the configuration leaves out too: a cluster that is deleted is deleted. */
async function answerOf(run: Run, { ref, clusterId }: Departed): Promise<Answer> {
  if (ref === undefined) return "silent";
  const source = run.ports.sources.of(ref);
  try {
    return (await source.get(ref, run.signal)) ?? { gone: source.gone };
  } catch (error) {
    const refused = asMeshjoinError(error, clusterId, "its source was asked for it");
    return refused.retryable ? "silent" : { refused };
  }
}

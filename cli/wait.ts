import type { Status } from "../shared/core/answers/status.ts";
import { clusterId } from "../shared/core/names.ts";
import { isRetryable, MeshjoinError, UnavailableError } from "../shared/errors.ts";
import type { OperatorRun } from "../shared/operator.ts";
import { collectStatus } from "../shared/status.ts";
import { findCluster } from "./cluster.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { type Goal, isMember, NAMED_GOALS } from "./goal.ts";
import { renderStatus } from "./render/status.ts";
import type { Session } from "./session.ts";

const POLL_MS = 5000;

interface Wait {
  /** `synced`, `whole`, or a cluster. */
  readonly goal: string;
  readonly timeoutMs: number;
}

/** The longest delay that a timer of Node keeps. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/**
 * Looks again and again until the mesh has reached the goal, and shows it then. Says what is missing whenever
 * that changes. A source that does not answer for a while is waited for, too. The end of the time ends a look
 * that is under way; then the look before tells what is missing. Fails with UnavailableError if there was
 * none.
 */
export async function waitFor(session: Session, { goal, timeoutMs }: Wait): Promise<ExitCode> {
  const { host, say } = session;
  const named = NAMED_GOALS.get(goal);
  const goalOf = named === undefined ? isMemberNamed(goal) : () => Promise.resolve(named);
  const end = host.elapsedMs() + timeoutMs;
  const left = () => Math.max(0, end - host.elapsedMs());
  let seen: Seen = { missing: "no look at the mesh was over in that time" };
  let said: string | undefined;
  for (;;) {
    const ended = AbortSignal.timeout(Math.min(Math.ceil(left()), LONGEST_DELAY_MS));
    const latest = await lookFor(session, goalOf, ended);
    if (latest === undefined) host.abandon();
    seen = latest ?? seen;
    const { status, missing } = seen;
    if (latest !== undefined && missing !== undefined && missing !== said)
      session.tell(`waiting for ${goal}: ${missing}`);
    said = missing;
    if (missing === undefined || latest === undefined || left() === 0) {
      const late = `not reached in ${timeoutMs / 1000} s: ${missing}`;
      // A program that reads the result gets one, too.
      if (status === undefined) throw new UnavailableError(late, { code: "Cancelled" });
      session.show(status, renderStatus);
      if (missing === undefined) return EXIT.done;
      say(late);
      return EXIT.retry;
    }
    await host.sleep(Math.min(POLL_MS, left()));
  }
}

interface Seen {
  /** Undefined where nothing could be seen. */
  readonly status?: Status;
  readonly missing: string | undefined;
}

/** One look; undefined where the signal ended it, because half a look tells nothing. */
async function lookFor(session: Session, goalOf: GoalOf, ended: AbortSignal): Promise<Seen | undefined> {
  try {
    const { misses, status } = await session.withRun(
      async (run) => ({ misses: await goalOf(run), status: await collectStatus(run) }),
      ended,
    );
    return ended.aborted ? undefined : { status, missing: misses(status) };
  } catch (error) {
    if (ended.aborted) return undefined;
    if (!(error instanceof MeshjoinError) || !isRetryable(error)) throw error;
    return { missing: error.message };
  }
}

type GoalOf = (run: OperatorRun) => Promise<Goal>;

/** Finds the cluster that the name names once: it stays the goal. Fails as `findCluster` does. */
function isMemberNamed(name: string): GoalOf {
  let goal: Goal | undefined;
  return async (run) => {
    goal ??= isMember(clusterId((await findCluster(run, name)).ref));
    return goal;
  };
}

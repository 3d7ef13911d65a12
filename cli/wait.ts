import type { Status } from "../shared/core/answers/status.ts";
import { clusterId } from "../shared/core/names.ts";
import { isRetryable, MeshjoinError } from "../shared/errors.ts";
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

/**
 * Looks again and again until the mesh has reached the goal, and shows it then. Says what is missing whenever
 * that changes. A source that does not answer for a while is waited for, too.
 */
export async function waitFor(session: Session, { goal, timeoutMs }: Wait): Promise<ExitCode> {
  const { host, say } = session;
  const misses = NAMED_GOALS.get(goal) ?? isMember(await idOf(session, goal));
  const end = host.elapsedMs() + timeoutMs;
  let said = "";
  for (;;) {
    const { status, missing } = await lookFor(session, misses);
    if (missing !== said && missing !== undefined) session.tell(`waiting for ${goal}: ${missing}`);
    said = missing ?? "";
    const isOver = host.elapsedMs() >= end;
    if (missing === undefined || isOver) {
      if (status !== undefined) session.show(status, renderStatus);
      if (missing === undefined) return EXIT.done;
      say(`not reached in ${timeoutMs / 1000} s: ${missing}`);
      return EXIT.retry;
    }
    await host.sleep(Math.min(POLL_MS, Math.max(0, end - host.elapsedMs())));
  }
}

async function idOf(session: Session, goal: string): Promise<string> {
  const cluster = await session.withPorts((access) => findCluster(access, goal));
  return clusterId(cluster.ref);
}

interface Seen {
  /** Undefined where nothing could be seen. */
  readonly status?: Status;
  readonly missing: string | undefined;
}

async function lookFor(session: Session, misses: Goal): Promise<Seen> {
  try {
    const status = await session.withRun((run) => collectStatus(run));
    return { status, missing: misses(status) };
  } catch (error) {
    if (!(error instanceof MeshjoinError) || !isRetryable(error)) throw error;
    return { missing: error.message };
  }
}

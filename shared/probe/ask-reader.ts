import { setTimeout as sleep } from "node:timers/promises";
import { within } from "../async/within.ts";
import { type ProbeAnswer, parseAnswer } from "../core/probe/answer.ts";
import type { ProbeEndpoint } from "../core/probe/endpoints.ts";
import type { MemberApi, ProbeSession } from "../ports/member-api.ts";

/** The answers of one reader's probe, by target. */
export interface ReaderAnswers {
  readonly answers: ReadonlyMap<string, readonly ProbeAnswer[]>;
  /** What its Envoy has for the targets that it has no healthy endpoint of. */
  readonly endpoints: ReadonlyMap<string, readonly ProbeEndpoint[] | undefined>;
}

export interface Inquiry {
  readonly pod: string;
  readonly targets: readonly string[];
  /** So long the first answers may be wrong, because istiod still tells the new pods of each other. */
  readonly settleMs: number;
  /** How often each target is asked, with a connection and a handshake for each; their median is shown. */
  readonly rounds: number;
  /** Whether it is no answer that more configuration may change. */
  readonly isSettled: (target: string, answer: ProbeAnswer) => boolean;
}

const PAUSE_MS = 500;

/** Asks over one port-forward, and closes it. Fails where the probe gives no answer at all. */
export async function askReader(
  { probe }: Pick<MemberApi, "probe">,
  { pod, targets, settleMs, rounds: times, isSettled }: Inquiry,
  signal: AbortSignal,
): Promise<ReaderAnswers> {
  const session = probe.open(pod);
  try {
    const rounds = [await settled(session, { targets, isSettled }, within(signal, settleMs), signal)];
    // oxlint-disable-next-line no-await-in-loop -- a round, and then the next
    while (rounds.length < times) rounds.push(await round(session, targets, signal));
    const answers = new Map(
      targets.map((target) => [target, rounds.flatMap((each) => each.get(target) ?? [])] as const),
    );
    return { answers, endpoints: await endpointsOf(session, answers, signal) };
  } finally {
    session.close();
  }
}

async function round(
  session: ProbeSession,
  targets: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ProbeAnswer>> {
  const answers = await session.ask(targets, signal);
  return new Map([...answers].map(([target, raw]) => [target, parseAnswer(raw)]));
}

/**
 * Asks until no target's answer may still change, or the time for that is over; the last answer of each.
 * Where the connection ends in between, the answers stand that no further round would have changed.
 */
async function settled(
  session: ProbeSession,
  { targets, isSettled }: Pick<Inquiry, "targets" | "isSettled">,
  limit: AbortSignal,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ProbeAnswer>> {
  const last = new Map<string, ProbeAnswer>();
  let open = targets;
  for (;;) {
    for (const target of open) last.delete(target);
    let answers: ReadonlyMap<string, ProbeAnswer>;
    try {
      // oxlint-disable-next-line no-await-in-loop
      answers = await round(session, open, signal);
    } catch (error) {
      if (last.size === 0) throw error;
      return last;
    }
    for (const [target, answer] of answers) last.set(target, answer);
    open = open.filter((target) => {
      const answer = answers.get(target);
      return answer === undefined || !isSettled(target, answer);
    });
    if (open.length === 0 || limit.aborted) return last;
    // oxlint-disable-next-line no-await-in-loop
    await sleep(PAUSE_MS, undefined, { signal: limit }).catch(() => undefined);
    if (limit.aborted) return last;
  }
}

/** Of the targets without a healthy endpoint, which the answer does not explain. */
async function endpointsOf(
  session: ProbeSession,
  answers: ReadonlyMap<string, readonly ProbeAnswer[]>,
  signal: AbortSignal,
): Promise<ReaderAnswers["endpoints"]> {
  const unexplained = [...answers].filter(([, all]) =>
    all.some(({ flags = "" }) => flags.split(",").includes("UH")),
  );
  const found = new Map<string, readonly ProbeEndpoint[] | undefined>();
  for (const [target] of unexplained) {
    // oxlint-disable-next-line no-await-in-loop -- over one connection
    found.set(target, await session.endpoints(target, signal).catch(() => undefined));
  }
  return found;
}

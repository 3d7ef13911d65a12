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
  /** Whether it is no answer that more configuration may change. */
  readonly isSettled: (target: string, answer: ProbeAnswer) => boolean;
}

/** Each with a connection and a handshake of its own; the median of their times is shown. */
const ROUNDS = 5;
const PAUSE_MS = 500;

/** Asks over one port-forward, and closes it. Fails where the probe gives no answer at all. */
export async function askReader(
  { probe }: Pick<MemberApi, "probe">,
  { pod, targets, settleMs, isSettled }: Inquiry,
  signal: AbortSignal,
): Promise<ReaderAnswers> {
  const session = probe.open(pod);
  try {
    await settle(session, { targets, isSettled }, within(signal, settleMs), signal);
    const rounds: ReadonlyMap<string, ProbeAnswer>[] = [];
    // oxlint-disable-next-line no-await-in-loop -- a round, and then the next
    while (rounds.length < ROUNDS) rounds.push(await round(session, targets, signal));
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

/** Asks until no target's answer may still change, or the time for that is over. */
async function settle(
  session: ProbeSession,
  { targets, isSettled }: Pick<Inquiry, "targets" | "isSettled">,
  limit: AbortSignal,
  signal: AbortSignal,
): Promise<void> {
  let open = targets;
  while (open.length > 0 && !limit.aborted) {
    // oxlint-disable-next-line no-await-in-loop
    const answers = await round(session, open, signal);
    open = open.filter((target) => {
      const answer = answers.get(target);
      return answer === undefined || !isSettled(target, answer);
    });
    // oxlint-disable-next-line no-await-in-loop
    if (open.length > 0) await sleep(PAUSE_MS, undefined, { signal: limit }).catch(() => undefined);
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

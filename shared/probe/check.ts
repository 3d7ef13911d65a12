import { within } from "../async/within.ts";
import type { Member } from "../core/member/observation.ts";
import type { Mesh } from "../look/mesh.ts";
import type { Run } from "../run.ts";
import { askProbes, type ProbedPair } from "./ask-probes.ts";
import { endProbes, putProbes, type Why } from "./probes.ts";

export interface CheckOptions {
  readonly among: readonly Member[];
  /** Tells this check from others: lower-case letters and digits. */
  readonly user: string;
  /** How long to wait for probes that are not ready. */
  readonly readyMs: number;
  /** So long the first answers may be wrong, because istiods still tell their proxies of the new pods. */
  readonly settleMs?: number;
  /** Leave the probes until then; undefined: they go with the check. */
  readonly keptUntil?: Date | undefined;
  /** Ends the check early; what it has made goes all the same. */
  readonly signal: AbortSignal;
}

export interface Checked {
  readonly pairs: readonly ProbedPair[];
  /** Why probes are still there, though nobody wants them. */
  readonly left: readonly Why[];
}

/** istiod sends a change to its proxies within a second or two; a remote one hears of a pod as fast. */
const SETTLE_MS = 20_000;
/** A check that dies leaves probes that the next full run after this time removes. */
const ASKING_MS = 5 * 60_000;
const END_MS = 60_000;
const ROUNDS = 5;

/**
 * Whether requests pass between these members: puts probes, asks them, and takes them away again, also when
 * it is ended early. Never fails for the trouble of one member.
 */
export async function checkRequests(run: Run, mesh: Mesh, options: CheckOptions): Promise<Checked> {
  const { among, user, readyMs, settleMs = SETTLE_MS, keptUntil } = options;
  const signal = AbortSignal.any([run.signal, options.signal]);
  const want = { user, until: keptUntil ?? checkedBy(run, readyMs) };
  let pairs: readonly ProbedPair[] = [];
  let left: readonly Why[] = [];
  try {
    const limits = { ready: within(signal, readyMs), signal };
    const probes = await putProbes(run, mesh, { among, want }, limits);
    pairs = await askProbes(run, mesh, probes, { settleMs, rounds: ROUNDS, signal });
  } finally {
    const isEarly = options.signal.aborted;
    if (keptUntil === undefined || isEarly) {
      left = await endProbes(run, { among, user }, AbortSignal.timeout(END_MS));
    }
  }
  return { pairs, left };
}

/** When a check that begins now is over, at the latest. */
function checkedBy({ ports }: Pick<Run, "ports">, readyMs: number): Date {
  return new Date(ports.clock.now().getTime() + readyMs + SETTLE_MS + ASKING_MS);
}

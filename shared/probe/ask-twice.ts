import { within } from "../async/within.ts";
import { mayBeOfProbe } from "../core/probe/judge.ts";
import { lookAgain, type Mesh } from "../look/mesh.ts";
import type { Run } from "../run.ts";
import type { ProbedPair } from "./ask-probes.ts";
import { askKept } from "./kept.ts";
import { type Probes, putProbes, seeProbes, unseenProbes } from "./probes.ts";
import type { Want } from "./put.ts";

/** So long an answer may be wrong, because istiods still tell their proxies of what this run has changed. */
const SETTLE_MS = 20_000;

export interface Doubts {
  /** This run has written the probe of the member. */
  readonly isWritten: (clusterId: string) => boolean;
  /** A finding may come of the pair. */
  readonly matters: (pair: ProbedPair) => boolean;
  /** The member may not answer, and its peers ask for its probe all the same. */
  readonly isAskedUnseen: (clusterId: string) => boolean;
  /** With what a probe is written anew that may be at fault itself, and how long its pod is waited for. */
  readonly want: Want;
  readonly readyMs: number;
}

/**
 * Asks once, and again where the answer is bad: an event may have taken the member out since the look, its
 * pod may have moved, istiods may still tell their proxies of what this run has changed, and a person or a
 * check may have changed what is marked as written. The second answer stands. A pair of a member that has
 * left meanwhile is no pair.
 */
export async function askTwice(
  run: Run,
  mesh: Mesh,
  probes: Probes,
  { isWritten, isAskedUnseen, matters, want, readyMs }: Doubts,
): Promise<readonly ProbedPair[]> {
  const { signal } = run;
  const first = await askKept(run, mesh, probes, { settleMs: 0, signal });
  const doubted = first.filter((pair) => matters(pair) && isDoubted(pair, probes));
  if (doubted.length === 0) return first;
  const suspects = sidesOf(doubted.filter(({ probe }) => mayBeOfProbe(probe)));
  const again = await lookAgain(run, mesh, true);
  const among = again.members.filter(({ clusterId }) => suspects.has(clusterId) && !isWritten(clusterId));
  await putProbes(run, again, { among, want }, { ready: within(signal, readyMs), signal });
  const sides = sidesOf(doubted);
  const members = again.members.filter(({ clusterId }) => sides.has(clusterId));
  const seen = new Map([...(await seeProbes(run, members, signal)), ...unseenProbes(members, isAskedUnseen)]);
  const second = await askKept(run, again, seen, {
    settleMs: SETTLE_MS,
    signal,
  });
  const keyOf = ({ reader, target }: ProbedPair) => `${reader} ${target}`;
  const now = new Map(second.map((pair) => [keyOf(pair), pair]));
  const isDoubtful = new Set(doubted);
  return first.flatMap((pair) => (isDoubtful.has(pair) ? (now.get(keyOf(pair)) ?? []) : [pair]));
}

/** A probe that is not ready has had its time. */
function isDoubted({ reader, probe: { state, cause } }: ProbedPair, probes: Probes): boolean {
  if (state === "failed") return true;
  return state === "unknown" && cause !== "NoProbe" && probes.get(reader)?.state === "ready";
}

function sidesOf(pairs: readonly ProbedPair[]): ReadonlySet<string> {
  return new Set(pairs.flatMap(({ reader, target }) => [reader, target]));
}

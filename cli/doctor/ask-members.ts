import { type Check, type Subject, unknown } from "../../shared/core/answers/check.ts";
import type { Cluster } from "../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../shared/core/names.ts";
import { ours } from "../../shared/doctor/google.ts";

const TIMEOUT_MS = 20_000;

export interface AskedMembers<T> {
  /** Of those that answered. */
  readonly seen: readonly T[];
  /** A line for each that refuses. That one cannot be reached is another check's. */
  readonly refused: readonly Check[];
}

/** Asks all members side by side, for 20 seconds at most. Throws only what is no error of Meshjoin's. */
export async function askMembers<T>(
  members: readonly Cluster[],
  subject: Subject,
  ask: (cluster: Cluster, signal: AbortSignal) => Promise<T>,
): Promise<AskedMembers<T>> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const answers = await Promise.all(
    members.map(async (cluster): Promise<AskedMembers<T>> => {
      try {
        return { seen: [await ask(cluster, signal)], refused: [] };
      } catch (error) {
        const { code, message } = ours(error);
        const line = `${clusterId(cluster.ref)}: ${message}`;
        return { seen: [], refused: code === "Forbidden" ? [unknown(subject, line)] : [] };
      }
    }),
  );
  return {
    seen: answers.flatMap(({ seen }) => seen),
    refused: answers.flatMap(({ refused }) => refused),
  };
}

/** Behind a line that holds for the members that answered alone; empty where all did. */
export function ofThoseRead({ seen }: AskedMembers<unknown>, members: readonly Cluster[]): string {
  return seen.length === members.length ? "" : `, of the ${seen.length} that could be read`;
}

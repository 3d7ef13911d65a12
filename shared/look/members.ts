import { within } from "../async/within.ts";
import type { Cluster } from "../core/cluster.ts";
import type { Member } from "../core/observation.ts";
import type { Run } from "../run.ts";
import { observeMember } from "./member.ts";

/** Several members at once, each in its own time; one that cannot be reached is a value among the others. */
export async function observeMembers(
  run: Run,
  clusters: readonly Cluster[],
  depth: "subject" | "peer",
  timeoutMs?: number,
): Promise<Member[]> {
  const { ports, spec, signal, inTurn } = run;
  return await Promise.all(
    clusters.map((cluster) =>
      inTurn(() => observeMember(ports, spec, cluster, depth, within(signal, timeoutMs))),
    ),
  );
}

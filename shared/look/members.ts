import { within } from "../async/within.ts";
import type { Cluster } from "../core/cluster.ts";
import { clusterId } from "../core/names.ts";
import type { Member } from "../core/observation.ts";
import type { Run } from "../run.ts";
import { type Depth, observeMember } from "./member.ts";

export interface ObserveOptions {
  readonly depth: Depth;
  /** How long one member may take; default as long as the run. */
  readonly timeoutMs?: number | undefined;
  /** The same members, as they were seen before. */
  readonly before?: readonly Member[];
}

/** Members at once, each in its own time; one that cannot be reached is a value among the others. */
export async function observeMembers(
  run: Run,
  clusters: readonly Cluster[],
  { depth, timeoutMs, before = [] }: ObserveOptions,
): Promise<Member[]> {
  const states = new Map(before.map((member) => [member.clusterId, member.state]));
  return await Promise.all(
    clusters.map((cluster) =>
      run.inTurn(() =>
        observeMember(run, cluster, {
          depth,
          signal: within(run.signal, timeoutMs),
          before: states.get(clusterId(cluster.ref)),
        }),
      ),
    ),
  );
}

import { within } from "../async/within.ts";
import type { Cluster } from "../core/cluster/cluster.ts";
import type { Member } from "../core/member/observation.ts";
import { clusterId } from "../core/names.ts";
import type { Run } from "../run.ts";
import { type Depth, observeMember } from "./member.ts";

export interface ObserveOptions {
  readonly depth: Depth;
  /** Time limit of one member; default as long as the run. */
  readonly timeoutMs?: number | undefined;
  /** The same members as an earlier look saw them. */
  readonly before?: readonly Member[];
}

/** Reads members side by side, each within its own time; an unreachable one is a value. */
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

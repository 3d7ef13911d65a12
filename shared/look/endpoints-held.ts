import { within } from "../async/within.ts";
import type { ReachableMember } from "../core/member/observation.ts";
import type { Run } from "../run.ts";

/** One question, to an istiod that answers or does not. */
const ASKING_MS = 5000;

/**
 * Which of these clusters an istiod of the member may have endpoints of. istiod lists a cluster that it has
 * read once as synced for as long as it runs, whether that cluster's API server answers or not: so the word
 * does not tell that the server is well, but it does tell that there is something to lose. An istiod that
 * could not be asked may have those of all.
 */
export async function endpointsHeld(
  run: Run,
  { cluster, state: { pods } }: ReachableMember,
  targets: readonly string[],
): Promise<readonly string[]> {
  if (targets.length === 0) return [];
  const api = run.ports.fleet.member(cluster);
  const limit = within(run.signal, ASKING_MS);
  const held = await Promise.all(
    pods.map(async (pod): Promise<readonly string[]> => {
      const session = api.istiod.open(pod);
      try {
        const listed = await session.remoteClusters(limit);
        // One that has stopped waiting serves what it has read.
        const read = listed.filter(({ status }) => status === "synced" || status === "timeout");
        return targets.filter((target) => read.some((each) => each.clusterId === target));
      } catch {
        return targets;
      } finally {
        session.close();
      }
    }),
  );
  return targets.filter((target) => held.some((each) => each.includes(target)));
}

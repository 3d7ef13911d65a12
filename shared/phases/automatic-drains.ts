import type { Finding } from "../core/answers/finding.ts";
import { lookAgain, type Mesh } from "../look/mesh.ts";
import {
  type DecisionContext,
  heldBack,
  heldBackBy,
  heldBackByPeers,
  orderOf,
} from "../plan/automatic-drains.ts";
import { indexDrains } from "../plan/drains.ts";
import { type LongSilence, longSilences } from "../plan/silences.ts";
import { planContext } from "../plan-context.ts";
import { merge, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Course, Phase } from "./course.ts";
import { drains } from "./drains.ts";

/**
 * Drains one member that is dead, by all that a full run can learn: the notes of its silence, the probes of
 * its peers, and GKE. What keeps a silent one from a drain is told with it.
 */
export const automaticDrains: Phase = async (run, course) => {
  const { mesh, request, probed = [] } = course;
  if (!mayDrain(course)) return {};
  const first = decisionOn(run, course, mesh);
  const { long: overdue, unproved } = longSilences(mesh.members, first);
  if (overdue.length === 0) return { findings: unproved.map(heldBackByPeers) };
  const judged = await Promise.all(
    overdue.map(async (silence) => ({ silence, because: await whyNot(run, silence, first) })),
  );
  const told = (silence: LongSilence, because: string | undefined): Finding[] =>
    because === undefined ? [] : [heldBack(silence, because)];
  const kept = [
    ...unproved.map(heldBackByPeers),
    ...judged.flatMap(({ silence, because }) => told(silence, because)),
  ];
  const ready = judged.flatMap(({ silence, because }) => (because === undefined ? [silence] : []));
  const [due, ...others] = ready;
  if (due === undefined) return { findings: kept };
  const later = others.flatMap((silence) => told(silence, "one member at a time, and another one is first"));
  // Minutes may have passed, and a person may have spoken meanwhile.
  const decidedAt = run.ports.clock.now();
  const again = await lookAgain(run, mesh, true);
  const second = decisionOn(run, course, again);
  const still = longSilences(again.members, second).long.find(
    ({ member }) => member.clusterId === due.member.clusterId,
  );
  const because = still === undefined ? undefined : heldBackBy(still, { ...second, probed });
  if (still === undefined || because !== undefined)
    return { findings: [...kept, ...later, ...told(due, because)] };
  const order = { ...request, confirm: [], drain: orderOf(still, decidedAt) };
  const report = await drains(run, { ...course, mesh: again, request: order });
  return merge({ findings: [...kept, ...later] }, report);
};

/** A run of a person, or about one cluster, never does. */
export function mayDrain({ mesh, request }: Pick<Course, "mesh" | "request">): boolean {
  return request.notedAs === "full" && request.drain === undefined && !mesh.isPartial;
}

export function decisionOn(
  run: Run,
  { request, probed = [], refusedNotes = [] }: Pick<Course, "request" | "probed" | "refusedNotes">,
  { members, listing }: Mesh,
): DecisionContext {
  const context = planContext(run, request);
  const register = indexDrains(members, context);
  return { ...context, members, drains: register, probed, refusedNotes, unlisted: listing.findings };
}

/** GKE is asked last: only about a member that nothing else keeps from a drain. */
async function whyNot(run: Run, silence: LongSilence, context: DecisionContext): Promise<string | undefined> {
  const because = heldBackBy(silence, context);
  if (because !== undefined) return because;
  const { cluster, clusterId } = silence.member;
  return await settle<string | undefined>(
    clusterId,
    "GKE was asked for its operations",
    async () => {
      const running = await run.ports.operations.running(cluster.ref, run.signal);
      return running.length === 0 ? undefined : `GKE operates on the cluster (${running.join(", ")})`;
    },
    ({ error }) => `GKE does not tell whether it operates on the cluster: ${error.message}`,
  );
}

import { isReachable } from "../core/member/observation.ts";
import { indexDrains } from "../plan/drains.ts";
import { planSilences, type RefusedNote } from "../plan/silences.ts";
import { planContext } from "../plan-context.ts";
import type { Phase } from "./course.ts";
import { noteSecrets } from "./note-secrets.ts";

/**
 * Keeps the notes of silences, and of their ends. Full runs of the function alone do: they come at known
 * times, and all from one place. After the pairs, which write the same Secrets anew.
 */
export const silences: Phase = async (run, { mesh: { members, isPartial }, request }) => {
  if (request.notedAs !== "full" || isPartial) return {};
  const context = planContext(run, request);
  const actions = planSilences(members, { ...context, drains: indexDrains(members, context) });
  const refusedNotes: RefusedNote[] = [];
  const report = await noteSecrets(run, members.filter(isReachable), actions, (action, { finding }) => {
    if (action.kind === "noteSecret")
      refusedNotes.push({ reader: action.clusterId, target: action.of, fault: finding });
  });
  return { ...report, refusedNotes };
};

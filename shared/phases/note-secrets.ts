import { applyAnswersSince, applySecretNotes } from "../apply/secret-notes.ts";
import { isOutOfReach } from "../core/answers/error-finding.ts";
import { outcomeOf } from "../core/answers/outcome.ts";
import { isReachable, type ReachableMember } from "../core/member/observation.ts";
import { ConflictError } from "../errors.ts";
import type { NoteAnswers, NoteSecret } from "../plan/action.ts";
import { planReturns } from "../plan/loss-notes.ts";
import { type MemberFault, merge, NOTHING, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Phase } from "./course.ts";

/**
 * Takes the notes of a loss off where it is over; after the pairs, which write the same Secrets anew. A run
 * about one cluster does so for that one: a note that stays would shorten the grace of a later loss.
 */
export const returns: Phase = async (run, { mesh: { members, subjects } }) => {
  const notes = planReturns(members).filter(
    ({ of, clusterId }) => subjects.has(of) || subjects.has(clusterId),
  );
  return await noteSecrets(run, members.filter(isReachable), notes);
};

/**
 * Writes notes on Secrets of members. `onRefusal` learns of each that a member did not take; a conflict means
 * that another run was first, or has replaced the Secret: the next run sees.
 */
export async function noteSecrets<Note extends NoteSecret | NoteAnswers>(
  run: Run,
  members: readonly ReachableMember[],
  notes: readonly Note[],
  onRefusal: (note: Note, fault: MemberFault) => void = () => undefined,
): Promise<Report> {
  const byId = new Map(members.map((member) => [member.clusterId, member]));
  const reports = notes.map(async (note): Promise<Partial<Report>> => {
    const { clusterId, of } = note;
    const member = byId.get(clusterId);
    if (member === undefined) return NOTHING;
    const isReader = note.kind === "noteSecret" && note.isReader;
    const sides = isReader ? { reader: of, target: clusterId } : { reader: clusterId, target: of };
    return await settle(
      clusterId,
      `its note about ${of} was written`,
      () =>
        run.inTurn(async (): Promise<Partial<Report>> => {
          const api = run.ports.fleet.member(member.cluster);
          if (note.kind === "noteSecret") await applySecretNotes(api, note.secret, note.notes, run.signal);
          else await applyAnswersSince(api, note.secret, note.answersSince, run.signal);
          const outcome = outcomeOf(note);
          run.progress({ step: note.kind, clusterId, target: of, outcome });
          return { pairs: [{ ...sides, outcome, counts: true }] };
        }),
      (fault) => {
        const { error, finding, outcome } = fault;
        if (error instanceof ConflictError) return NOTHING;
        onRefusal(note, fault);
        return {
          pairs: [{ ...sides, outcome, counts: !isOutOfReach(error) }],
          findings: [finding],
          errors: [error],
        };
      },
    );
  });
  return merge(...(await Promise.all(reports)));
}

import { applySecretNotes } from "../apply/secret-notes.ts";
import { isOutOfReach } from "../core/answers/error-finding.ts";
import { outcomeOf } from "../core/answers/outcome.ts";
import { isReachable, type ReachableMember } from "../core/member/observation.ts";
import { ConflictError } from "../errors.ts";
import type { NoteLoss } from "../plan/action.ts";
import { planReturns } from "../plan/loss-notes.ts";
import { merge, NOTHING, type Report, settle } from "../report.ts";
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
  return await noteLosses(run, members.filter(isReachable), notes);
};

/** A conflict means that another run was first, or has replaced the Secret: the next run sees. */
export async function noteLosses(
  run: Run,
  members: readonly ReachableMember[],
  notes: readonly NoteLoss[],
): Promise<Partial<Report>> {
  const byId = new Map(members.map((member) => [member.clusterId, member]));
  const reports = notes.map(async (note): Promise<Partial<Report>> => {
    const { clusterId, of, isReader } = note;
    const member = byId.get(clusterId);
    if (member === undefined) return NOTHING;
    const sides = isReader ? { reader: of, target: clusterId } : { reader: clusterId, target: of };
    return await settle(
      clusterId,
      "the loss of a cluster was noted",
      async (): Promise<Partial<Report>> => {
        const { secret, lostSince } = note;
        const api = run.ports.fleet.member(member.cluster);
        const { silentSince, lastGateway } = secret;
        await applySecretNotes(api, secret, { lostSince, silentSince, lastGateway }, run.signal);
        run.progress({ step: note.kind, clusterId, target: of, outcome: outcomeOf(note) });
        return { pairs: [{ ...sides, outcome: outcomeOf(note), counts: true }] };
      },
      ({ error, finding: found, outcome }) =>
        error instanceof ConflictError
          ? NOTHING
          : {
              pairs: [{ ...sides, outcome, counts: !isOutOfReach(error) }],
              findings: [found],
              errors: [error],
            },
    );
  });
  return merge(...(await Promise.all(reports)));
}

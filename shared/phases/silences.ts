import { applyAnswersSince, applySecretNotes } from "../apply/secret-notes.ts";
import { isOutOfReach } from "../core/answers/error-finding.ts";
import { outcomeOf } from "../core/answers/outcome.ts";
import { isReachable } from "../core/member/observation.ts";
import { ConflictError } from "../errors.ts";
import type { SilenceAction } from "../plan/action.ts";
import { indexDrains } from "../plan/drains.ts";
import { planSilences, type RefusedNote } from "../plan/silences.ts";
import { planContext } from "../plan-context.ts";
import { merge, NOTHING, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Phase } from "./course.ts";

/**
 * Keeps the notes of silences, and of their ends. Full runs of the function alone do: they come at known
 * times, and all from one place. After the pairs, which write the same Secrets anew.
 */
export const silences: Phase = async (run, { mesh, request }) => {
  if (request.notedAs !== "full" || mesh.isPartial) return {};
  const context = planContext(run, request);
  const register = indexDrains(mesh.members, context);
  const actions = planSilences(mesh.members, { ...context, drains: register });
  const holders = new Map(mesh.members.filter(isReachable).map((each) => [each.clusterId, each]));
  const refusedNotes: RefusedNote[] = [];
  const report = merge(
    ...(await Promise.all(
      actions.map(async (action) => {
        const cluster = holders.get(action.clusterId)?.cluster;
        if (cluster === undefined) return NOTHING;
        const { clusterId, target } = action;
        return await settle<Partial<Report>>(
          clusterId,
          `its note of the silence of ${target} was written`,
          () =>
            run.inTurn(async () => {
              await write(run, run.ports.fleet.member(cluster), action);
              run.progress({ step: action.kind, clusterId, target, outcome: outcomeOf(action) });
              return { pairs: [{ reader: clusterId, target, outcome: outcomeOf(action), counts: true }] };
            }),
          // A conflict means that another run was first, or has replaced the Secret: the next run sees.
          ({ error, finding, outcome }) => {
            if (error instanceof ConflictError) return NOTHING;
            if (action.kind === "noteSilence")
              refusedNotes.push({ reader: clusterId, target, fault: finding });
            return {
              pairs: [{ reader: clusterId, target, outcome, counts: !isOutOfReach(error) }],
              findings: [finding],
              errors: [error],
            };
          },
        );
      }),
    )),
  );
  return { ...report, refusedNotes };
};

async function write(
  { signal }: Run,
  api: ReturnType<Run["ports"]["fleet"]["member"]>,
  action: SilenceAction,
): Promise<void> {
  const { secret } = action;
  if (action.kind === "noteAnswers") return await applyAnswersSince(api, secret, action.answersSince, signal);
  const { lostSince, lastGateway } = action.secret;
  const notes = { lostSince, silentSince: action.silentSince, lastGateway };
  return await applySecretNotes(api, secret, notes, signal);
}

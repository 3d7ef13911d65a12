import { isRefusal, type Refusal, stageOf } from "../../../shared/core/roots/stages.ts";
import type { Reconciled } from "../../../shared/reconcile.ts";
import type { Changed } from "../../../shared/rotate/change-roots.ts";
import { carryOut, type RootAction, type RootConfirmable } from "../../../shared/rotate/rotate.ts";
import { type CliCommand, command } from "../../command.ts";
import { EXIT, type ExitCode } from "../../exit-code.ts";
import { exitCodeOfRun } from "../../reconciled.ts";
import { type Moved, renderMoved } from "../../render/moved.ts";
import type { Session } from "../../session.ts";

interface Wishes {
  readonly without?: readonly string[];
  readonly confirm?: readonly RootConfirmable[];
}

/** Has a rotation begin, go on, pause or turn back, as a message on the rotation topic would. */
export async function move(
  session: Session,
  action: RootAction,
  { without = [], confirm = [] }: Wishes = {},
): Promise<ExitCode> {
  return await session.withRun(async (run) => {
    const wanted = { action, without, confirm, givenAt: run.ports.clock.now() };
    const { moved, reconciled } = await carryOut(run, wanted);
    return moved === undefined ? EXIT.failed : showMoved(session, moved, reconciled);
  });
}

/** A command that does no more than `move`. */
export function moving(name: string, action: RootAction, description: string): CliCommand {
  return command({ name, description, run: async (session) => await move(session, action) });
}

/** Shows what has become of the roots. `reconciled`: the run that followed, if one did. */
export function showMoved(session: Session, { before, after }: Changed, reconciled?: Reconciled): ExitCode {
  const from = stageOf(before);
  const refused = after === undefined ? OUT_OF_DATE : isRefusal(after) ? after : undefined;
  const { versions, notes } = after === undefined || isRefusal(after) ? before : after;
  const moved: Moved = {
    from,
    to: stageOf({ versions, notes }),
    paused: notes.paused !== undefined,
    without: notes.without,
    signing: versions.signing ?? null,
    refused:
      refused === undefined ? null : { code: refused.refused, message: refused.message, cure: refused.cure },
    ...(reconciled === undefined ? {} : { summary: reconciled.summary }),
  };
  session.show(moved, renderMoved);
  if (moved.refused !== null) return EXIT.failed;
  return reconciled === undefined ? EXIT.done : exitCodeOfRun(reconciled);
}

const OUT_OF_DATE: Refusal = {
  refused: "OrderOutOfDate",
  message: "somebody else has given a later order meanwhile, or moved the rotation on",
  cure: "look where it stands: meshjoin root status",
};

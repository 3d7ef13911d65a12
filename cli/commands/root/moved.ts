import { isRefusal, type Refusal, type Roots, stageOf } from "../../../shared/core/roots/stages.ts";
import type { Reconciled } from "../../../shared/reconcile.ts";
import type { Changed } from "../../../shared/rotate/change-roots.ts";
import { carryOut, type RootAction, type RootConfirmable } from "../../../shared/rotate/rotate.ts";
import { type CliCommand, command } from "../../command.ts";
import { EXIT, type ExitCode } from "../../exit-code.ts";
import { type Foresight, graveCommand } from "../../grave-command.ts";
import { exitCodeOfRun, placed } from "../../reconciled.ts";
import { type Moved, renderMoved } from "../../render/moved.ts";
import { namesFor } from "../../screen.ts";
import type { Session } from "../../session.ts";

interface MoveOptions {
  readonly shown?: Roots;
  readonly without?: readonly string[];
  readonly confirm?: readonly RootConfirmable[];
}

/** Starts, advances, pauses, resumes or aborts a rotation, as a message on the rotation topic would. */
export async function move(
  session: Session,
  action: RootAction,
  { without = [], confirm = [], shown }: MoveOptions = {},
): Promise<ExitCode> {
  return await session.withRun(async (run) => {
    const order = { action, without, confirm, givenAt: run.ports.clock.now(), ...(shown && { shown }) };
    const { moved, reconciled } = await carryOut(run, order);
    return moved === undefined ? EXIT.failed : showMoved(session, moved, reconciled);
  });
}

/** A command that only calls `move`. */
export function moving(name: string, action: RootAction, description: string): CliCommand {
  return command({ name, description, run: async (session) => await move(session, action) });
}

/** The same, if it is meant. */
export function graveMoving(
  name: string,
  action: RootAction,
  spec: { readonly description: string; readonly foresee: (session: Session) => Promise<Foresight<Roots>> },
): CliCommand {
  return graveCommand<object, Roots>({
    name,
    ...spec,
    run: async (session, { shown }) => await move(session, action, shown && { shown }),
  });
}

/** Shows the roots after an order. `reconciled`: the run that followed, if one did. */
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
  const members = reconciled?.members.map(placed) ?? [];
  session.show(moved, (shown, screen) => renderMoved(shown, screen, namesFor(screen, members)));
  if (moved.refused !== null) return EXIT.failed;
  return reconciled === undefined ? EXIT.done : exitCodeOfRun(reconciled);
}

const OUT_OF_DATE: Refusal = {
  refused: "OrderOutOfDate",
  message: "there is a later order, or the rotation has moved on meanwhile",
  cure: "see its stage: meshjoin root status",
};

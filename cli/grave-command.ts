import type { Command } from "commander";
import type { Finding } from "../shared/core/answers/finding.ts";
import type { Plan, PlannedAction } from "../shared/core/answers/plan.ts";
import type { Refusal } from "../shared/core/roots/stages.ts";
import { RefusedError } from "../shared/errors.ts";
import { type CliCommand, type CommandSpec, command } from "./command.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { renderForesight } from "./render/foresight.ts";
import type { Names } from "./screen.ts";
import type { Session } from "./session.ts";

/** What a command would do now. */
export interface Foresight<Shown = undefined> {
  /** A sentence each, with names and numbers. */
  readonly effects: readonly string[];
  /** The writes on the members, if the command makes them itself; the result of `--dry-run` has them. */
  readonly plan?: Plan;
  readonly names?: Names;
  /** What the effects are about. After a yes the command acts on this, or refuses. */
  readonly shown?: Shown;
}

/** What {@link showForesight} shows a program. */
export interface DryRun {
  readonly effects: readonly string[];
  readonly actions: readonly PlannedAction[];
  readonly findings: readonly Finding[];
}

interface GraveSpec<Options extends object, Shown> extends Omit<CommandSpec<Options>, "run"> {
  /** Looks, and writes nothing. Fails where the command would be refused. */
  readonly foresee: (session: Session, options: Options, ...args: string[]) => Promise<Foresight<Shown>>;
  /** `shown`: what a person said yes to; undefined where nobody was asked. */
  readonly run: (
    session: Session,
    options: Options & { readonly shown?: Shown },
    ...args: string[]
  ) => Promise<ExitCode>;
}

interface GraveOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  /** Of a command that can say alone what it would not do. */
  readonly check?: boolean;
}

const NOTES =
  "On a terminal it says what will happen and asks. Elsewhere, and where a program reads the result, it needs --yes.";

/**
 * A command that takes something from the mesh, or changes what it trusts. It says what will happen, and does
 * it only if that is meant: a person says yes, or gave `--yes`.
 */
export function graveCommand<Options extends object = object, Shown = undefined>(
  spec: GraveSpec<Options, Shown>,
): CliCommand {
  const { declare = (bare: Command) => bare, foresee, run, notes, ...rest } = spec;
  return command<Options & GraveOptions>({
    ...rest,
    notes: notes === undefined ? NOTES : `${notes}\n${NOTES}`,
    declare: (bare) =>
      declare(bare)
        .option("--yes", "do it, and ask nothing")
        .option("--dry-run", "show what would happen; writes nothing"),
    async run(session, options, ...args) {
      const { yes = false, dryRun = false, check = false } = options;
      if (yes && !dryRun && !check) return await run(session, options, ...args);
      const foresight = await foresee(session, options, ...args);
      if (dryRun || check) {
        const { plan: _, ...effects } = foresight;
        showForesight(session, dryRun ? foresight : effects);
        return EXIT.done;
      }
      if (!(await isMeant(session, foresight))) return EXIT.failed;
      const { shown } = foresight;
      return await run(session, shown === undefined ? options : { ...options, shown }, ...args);
    },
  });
}

/** A refusal in the way of an order, before anybody is asked. */
export function refused({ refused: code, message, cure }: Refusal): RefusedError {
  return new RefusedError(message, { code, cure });
}

/** The same where a finding is in the way. */
export function refusedBy({ reason: code, message, cure }: Finding): RefusedError {
  return new RefusedError(message, { code, cure });
}

/** The result of `--dry-run`. */
export function showForesight(session: Session, { effects, plan, names }: Foresight<unknown>): void {
  const { actions, findings } = plan ?? { actions: [], findings: [] };
  session.show({ effects, actions, findings }, (dryRun, screen) =>
    renderForesight(dryRun, screen, names ?? String),
  );
}

async function isMeant(session: Session, { effects }: Foresight<unknown>): Promise<boolean> {
  for (const effect of effects) session.say(effect);
  if (session.ask !== undefined) return await session.ask("Continue?");
  throw new RefusedError("nothing is done: this needs a yes, and there is nobody to ask", {
    code: "NotConfirmed",
    cure: "run the same command with --yes; --dry-run shows what it would do",
  });
}

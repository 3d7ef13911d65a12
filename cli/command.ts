import { Argument, type Command, Option } from "commander";
import { CLUSTER_FORMS } from "../shared/core/names.ts";
import type { ExitCode } from "./exit-code.ts";
import type { Session } from "./session.ts";

/** The work of a command, after its arguments are parsed. */
export type Work = (session: Session) => Promise<ExitCode>;

/** The command of a command line: the names of command and group, and its work. */
export interface Invocation {
  readonly name: string;
  readonly options: object;
  readonly args: readonly string[];
  readonly work: Work;
}

export type Take = (invocation: Invocation) => void;

/** A command or a group of commands. It does nothing until the program parses. */
export interface CliCommand {
  addTo(parent: Command, take: Take): void;
}

/** How a command is declared, and its work. */
export interface CommandSpec<Options extends object> {
  readonly name: string;
  readonly description: string;
  /** Its arguments and options, if it has any. */
  readonly declare?: (command: Command) => Command;
  /** A text in the help between the options and the examples. */
  readonly notes?: string;
  readonly examples?: readonly string[];
  /** Gets the declared arguments. */
  readonly run: (session: Session, options: Options, ...args: string[]) => Promise<ExitCode>;
}

export function command<Options extends object = object>(spec: CommandSpec<Options>): CliCommand {
  const { name, description, declare = (bare) => bare, run } = spec;
  return {
    addTo(parent, take) {
      const child = declare(parent.command(name).description(description));
      child.addHelpText("after", helpText(spec)).action(() => {
        const { args } = child;
        const options = child.opts<Options>();
        take({ name, options, args, work: async (session) => await run(session, options, ...args) });
      });
    },
  };
}

interface GroupSpec {
  readonly name: string;
  readonly description: string;
  readonly notes: string;
  readonly examples: readonly string[];
  readonly commands: readonly CliCommand[];
}

export function group({ commands, ...spec }: GroupSpec): CliCommand {
  return {
    addTo(parent, take) {
      const child = parent
        .command(spec.name)
        .description(spec.description)
        .helpCommand(false)
        .configureHelp({ showGlobalOptions: true })
        .addHelpText("after", helpText(spec));
      const takeOfGroup: Take = (invocation) =>
        take({ ...invocation, name: `${spec.name} ${invocation.name}` });
      for (const each of commands) each.addTo(child, takeOfGroup);
    },
  };
}

function helpText({ notes, examples = [] }: Pick<CommandSpec<object>, "notes" | "examples">): string {
  const parts = [
    ...(notes === undefined ? [] : [notes]),
    ...(examples.length === 0 ? [] : [`Examples:\n${examples.map((line) => `  ${line}`).join("\n")}`]),
  ];
  return parts.length === 0 ? "" : `\n${parts.join("\n\n")}`;
}

export interface ClusterOption {
  readonly cluster?: string;
}

export function clusterOption(): Option {
  return new Option("--cluster <CLUSTER>", `this cluster alone: ${CLUSTER_FORMS}`);
}

export function clusterArgument(): Argument {
  return new Argument("<CLUSTER>", CLUSTER_FORMS);
}

import { Argument, type Command, Option } from "commander";
import { CLUSTER_FORMS } from "../shared/core/names.ts";
import type { ExitCode } from "./exit-code.ts";
import type { Session } from "./session.ts";

/** What a command does once its arguments are understood. */
export type Work = (session: Session) => Promise<ExitCode>;

/** What the command line asked for: the names of the command and of its group, and what it is to do. */
export interface Invocation {
  readonly name: string;
  readonly options: object;
  readonly args: readonly string[];
  readonly work: Work;
}

export type Take = (invocation: Invocation) => void;

/** A command, or a group of them. It neither reads nor writes anything until the program is told to parse. */
export interface CliCommand {
  addTo(parent: Command, take: Take): void;
}

interface CommandSpec<Options extends object> {
  readonly name: string;
  readonly description: string;
  /** Its arguments and options; none without it. */
  readonly declare?: (command: Command) => Command;
  /** What the help says between the options and the examples. */
  readonly notes?: string;
  readonly examples?: readonly string[];
  /** Gets as many arguments as are declared. */
  readonly run: (session: Session, options: Options, ...args: string[]) => Promise<ExitCode>;
}

export function command<Options extends object = object>(spec: CommandSpec<Options>): CliCommand {
  const { name, description, declare = (bare) => bare, run } = spec;
  return {
    addTo(parent, take) {
      const added = declare(parent.command(name).description(description));
      added.addHelpText("after", helpText(spec)).action(() => {
        const { args } = added;
        const options = added.opts<Options>();
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
      const added = parent
        .command(spec.name)
        .description(spec.description)
        .helpCommand(false)
        .configureHelp({ showGlobalOptions: true })
        .addHelpText("after", helpText(spec));
      const takeOfGroup: Take = (invocation) =>
        take({ ...invocation, name: `${spec.name} ${invocation.name}` });
      for (const each of commands) each.addTo(added, takeOfGroup);
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
  return new Option("--cluster <CLUSTER>", `only what is about this cluster: ${CLUSTER_FORMS}`);
}

export function clusterArgument(): Argument {
  return new Argument("<CLUSTER>", CLUSTER_FORMS);
}

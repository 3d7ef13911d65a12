import { type Command, CommanderError } from "commander";
import type { Invocation } from "./command.ts";
import { COMPLETE, candidates } from "./completion.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { type Format, formatIn, isForPrograms, programText } from "./format.ts";
import type { OutputStream } from "./host.ts";
import { createProgram } from "./program.ts";
import type { MeshChoice } from "./settings.ts";

export interface Parsed {
  readonly invocation: Invocation;
  readonly format: Format;
  readonly verbose: boolean;
  readonly choice: MeshChoice;
}

interface Streams {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** The command that the arguments name; after help or wrong arguments, the exit code. */
export function parseArguments(args: readonly string[], { stdout, stderr }: Streams): Parsed | ExitCode {
  let parsed: Parsed | undefined;
  const program = createProgram((invocation, globals) => {
    parsed = { invocation, ...globals };
  });
  for (const command of allCommands(program)) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    });
  }
  if (args[0] === COMPLETE) {
    const words = args.slice(args[1] === "--" ? 2 : 1);
    for (const word of candidates(program, words)) stdout.write(`${word}\n`);
    return EXIT.done;
  }
  try {
    program.parse(ofGroup(args), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.done;
    const format = formatIn(args);
    if (format !== undefined && isForPrograms(format)) {
      stdout.write(`${programText({ code: "InvalidInput", message: messageOf(error) }, format)}\n`);
    }
    return EXIT.usage;
  }
  if (parsed === undefined) throw new TypeError("a command without an action: make it with command()");
  return parsed;
}

/** Commander's own `help` knows no command of a group. */
function ofGroup(args: readonly string[]): readonly string[] {
  const [help, group, command] = args;
  const isOfGroup = help === "help" && group !== undefined && command?.startsWith("-") === false;
  return isOfGroup ? [group, command, "--help"] : args;
}

/** Commander has no words for a group without a command: it writes the help. */
function messageOf({ code, message }: CommanderError): string {
  return code === "commander.help" ? "a command is missing" : message.replace(/^error: /, "");
}

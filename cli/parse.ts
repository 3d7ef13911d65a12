import { type Command, CommanderError } from "commander";
import { EXIT, type ExitCode } from "./exit-code.ts";
import type { OutputStream } from "./host.ts";
import type { Format, Order } from "./order.ts";
import { createProgram } from "./program.ts";

export interface Parsed {
  readonly order: Order;
  readonly format: Format;
}

interface Streams {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** What the arguments order; or, where help was asked for or they are wrong, the exit code once that is written. */
export function parseArguments(args: readonly string[], { stdout, stderr }: Streams): Parsed | ExitCode {
  let parsed: Parsed | undefined;
  const program = createProgram((order, format) => {
    parsed = { order, format };
  });
  for (const command of allCommands(program)) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    });
  }
  try {
    program.parse(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  if (parsed === undefined) throw new TypeError("a command that takes no order; give it an action");
  return parsed;
}

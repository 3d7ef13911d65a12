import { type ExitCode, exitCodeOf } from "./exit-code.ts";
import type { Host } from "./host.ts";
import { parseArguments } from "./parse.ts";
import { errorText, openSession } from "./session.ts";

/** The command `meshjoin` without the process; it never throws. */
export async function meshjoin(args: readonly string[], host: Host): Promise<ExitCode> {
  const parsed = parseArguments(args, host);
  if (typeof parsed === "number") return parsed;
  const session = openSession(host, parsed.format);
  try {
    return await parsed.invocation.work(session);
  } catch (error) {
    session.say(errorText(error));
    return exitCodeOf(error);
  }
}

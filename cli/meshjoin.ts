import { type ExitCode, exitCodeOf } from "./exit-code.ts";
import { isForPrograms } from "./format.ts";
import type { Host } from "./host.ts";
import { withLabelsSeen } from "./mistyped-mesh.ts";
import { parseArguments } from "./parse.ts";
import { errorResult, errorText, openSession } from "./session.ts";
import { settledEnvironment } from "./settings.ts";

/** The command `meshjoin` without the process; it never throws. */
export async function meshjoin(args: readonly string[], host: Host): Promise<ExitCode> {
  const parsed = parseArguments(args, host);
  if (typeof parsed === "number") return parsed;
  const { format, verbose, choice } = parsed;
  let session = openSession(host, format, verbose);
  try {
    // A command that needs no mesh works without the file, too.
    const file = await host.configFile().catch((error: unknown) => ({ error }));
    const operator = () => {
      if ("error" in file) throw file.error;
      return host.operator(settledEnvironment(host.env, choice, file));
    };
    session = openSession({ ...host, operator }, format, verbose);
    return await parsed.invocation.work(session);
  } catch (thrown) {
    const error = await withLabelsSeen(thrown, session);
    session.say(errorText(error, verbose));
    if (isForPrograms(format)) session.show(errorResult(error), ({ message }) => message);
    return exitCodeOf(error);
  }
}

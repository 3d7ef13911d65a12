import { isRetryable, MeshjoinError } from "../shared/errors.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { errorText, type Session } from "./session.ts";

const PERIOD_MS = 5000;
/** Cursor to the top left, then clear from there on and what has scrolled away. */
const CLEAR = "\u001B[H\u001B[2J\u001B[3J";

/**
 * Shows again and again until Ctrl-C: in the same place on a terminal, one block after the other elsewhere.
 * An API that does not answer for a while does not end it.
 */
export async function watch(
  session: Session,
  show: (session: Session) => Promise<unknown>,
): Promise<ExitCode> {
  const { host, format } = session;
  let isStopped = false;
  const stop = async () => {
    await host.stopped();
    isStopped = true;
  };
  const stopped = stop();
  const isText = format === "text" || format === "wide";
  for (let round = 0; !isStopped; round += 1) {
    const before = host.stdout.isTTY === true ? CLEAR : round === 0 ? "" : "\n";
    // The screen stays as it was until there is something new.
    const clearing: Session = {
      ...session,
      show(result, render) {
        if (isStopped) return;
        if (isText) host.stdout.write(before);
        if (format === "yaml") host.stdout.write("---\n");
        session.show(result, render);
      },
    };
    await Promise.race([showOrSay(clearing, show), stopped]);
    await Promise.race([host.sleep(PERIOD_MS), stopped]);
  }
  return EXIT.done;
}

async function showOrSay(session: Session, show: (session: Session) => Promise<unknown>): Promise<void> {
  try {
    await show(session);
  } catch (error) {
    if (!(error instanceof MeshjoinError) || !isRetryable(error)) throw error;
    session.say(errorText(error, session.verbose));
  }
}

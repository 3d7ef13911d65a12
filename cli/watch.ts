import { stripVTControlCharacters } from "node:util";
import { count } from "../shared/core/count.ts";
import { isRetryable, MeshjoinError } from "../shared/errors.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import type { OutputStream } from "./host.ts";
import { errorText, openSession, type Session } from "./session.ts";

const PERIOD_MS = 5000;
/** Cursor to the top left, then clear from there on. What has scrolled away stays. */
const HOME = "\u001B[H\u001B[J";
const ROWS_OF_TERMINALS = 24;

/**
 * Shows again and again until Ctrl-C: in the same place on a terminal, one block after the other elsewhere.
 * An API that does not answer for a while does not end it.
 */
export async function watch(
  session: Session,
  show: (session: Session) => Promise<unknown>,
): Promise<ExitCode> {
  const { host, format } = session;
  const isText = format === "text" || format === "wide";
  const isDrawn = isText && host.stdout.isTTY === true;
  const shown = isDrawn
    ? openSession({ ...host, stdout: canvas(host.stdout) }, format, session.verbose)
    : session;
  let isStopped = false;
  const stop = async () => {
    await host.stopped();
    isStopped = true;
  };
  const stopped = stop();
  for (let round = 0; !isStopped; round += 1) {
    const before = isDrawn || round === 0 ? "" : "\n";
    // The screen stays as it was until there is something new.
    const clearing: Session = {
      ...session,
      show(result, render) {
        if (isStopped) return;
        if (isText) host.stdout.write(before);
        if (format === "yaml") host.stdout.write("---\n");
        shown.show(result, render);
      },
    };
    await Promise.race([showOrSay(clearing, show), stopped]);
    await Promise.race([host.sleep(PERIOD_MS), stopped]);
  }
  return EXIT.done;
}

/** A terminal on which each text takes the place of the one before, and no text scrolls. */
function canvas(terminal: OutputStream): OutputStream {
  let isEmpty = true;
  return {
    isTTY: true,
    get columns() {
      return terminal.columns ?? 0;
    },
    write(text) {
      const rows = Math.max(2, terminal.rows || ROWS_OF_TERMINALS);
      // The lines of before scroll away first, so that they are not lost.
      const room = isEmpty ? "\n".repeat(rows - 1) : "";
      isEmpty = false;
      terminal.write(`${room}${HOME}${fitted(text, rows - 1, terminal.columns || Number.POSITIVE_INFINITY)}`);
    },
  };
}

/** As many lines as the terminal has rows for; it folds a line that is wider than itself. */
function fitted(text: string, rows: number, columns: number): string {
  const lines = text.trimEnd().split("\n");
  const heights = lines.map((line) =>
    Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns)),
  );
  const heightOf = (first: number) => heights.slice(0, first).reduce((sum, each) => sum + each, 0);
  if (heightOf(lines.length) <= rows) return `${lines.join("\n")}\n`;
  const kept = lines.findIndex((_, index) => heightOf(index + 1) > rows - 1);
  return [...lines.slice(0, kept), `… ${count(lines.length - kept, "more line")}: meshjoin status`, ""].join(
    "\n",
  );
}

async function showOrSay(session: Session, show: (session: Session) => Promise<unknown>): Promise<void> {
  try {
    await show(session);
  } catch (error) {
    if (!(error instanceof MeshjoinError) || !isRetryable(error)) throw error;
    session.say(errorText(error, session.verbose));
  }
}

import { stripVTControlCharacters } from "node:util";
import { count } from "../shared/core/count.ts";
import { isRetryable, MeshjoinError } from "../shared/errors.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import type { Host, OutputStream } from "./host.ts";
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
  const drawn = isDrawn ? openSession({ ...host, ...canvas(host) }, format, session.verbose) : session;
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
      ...drawn,
      show(result, render) {
        if (isStopped) return;
        if (isText) host.stdout.write(before);
        if (format === "yaml") host.stdout.write("---\n");
        drawn.show(result, render);
      },
    };
    await Promise.race([showOrSay(clearing, show), stopped]);
    await Promise.race([host.sleep(PERIOD_MS), stopped]);
  }
  return EXIT.done;
}

/**
 * A terminal on which each result takes the place of the one before, and no text scrolls. What is said beside
 * it has the last lines until something else is said or shown.
 */
function canvas({ stdout: terminal, stderr }: Pick<Host, "stdout" | "stderr">) {
  let result: string | undefined;
  const draw = (text: string, said: string) => {
    const rows = Math.max(2, terminal.rows || ROWS_OF_TERMINALS);
    const columns = terminal.columns || Number.POSITIVE_INFINITY;
    // The lines of before scroll away first, so that they are not lost.
    const room = result === undefined ? "\n".repeat(rows - 1) : "";
    const below = said === "" ? "" : fitted(said, Math.floor(rows / 2), columns);
    const left = rows - 1 - (said === "" ? 0 : heightOf(below.trimEnd().split("\n"), columns));
    result = text;
    terminal.write(`${room}${HOME}${fitted(text, left, columns)}${below}`);
  };
  const screen: OutputStream = {
    isTTY: true,
    get columns() {
      return terminal.columns ?? 0;
    },
    write: (text) => draw(text, ""),
  };
  const beside: OutputStream = {
    ...(stderr.isTTY === undefined ? {} : { isTTY: stderr.isTTY }),
    write: (text) =>
      result === undefined || stderr.isTTY !== true ? stderr.write(text) : draw(result, text),
  };
  return { stdout: screen, stderr: beside };
}

function heightOf(lines: readonly string[], columns: number): number {
  return lines
    .map((line) => Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns)))
    .reduce((sum, each) => sum + each, 0);
}

/** As many lines as the terminal has rows for; it folds a line that is wider than itself. */
function fitted(text: string, rows: number, columns: number): string {
  const lines = text.trimEnd().split("\n");
  if (heightOf(lines, columns) <= rows) return `${lines.join("\n")}\n`;
  const kept = lines.findIndex((_, index) => heightOf(lines.slice(0, index + 1), columns) > rows - 1);
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

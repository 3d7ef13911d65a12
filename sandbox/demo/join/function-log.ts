import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** A line of a function's structured log, reduced to what the demo tells. */
export interface LogLine {
  readonly time: string;
  readonly message: string;
  readonly step?: string;
  readonly clusterId?: string;
  readonly target?: string;
  readonly outcome?: string;
  readonly code?: string;
}

const POLL_MS = 100;

/** Hands over each line that is written to the file from now on, until the signal aborts. */
export async function followLog(
  path: string,
  onLine: (line: LogLine) => void,
  signal: AbortSignal,
): Promise<void> {
  let seen = (await read(path)).length;
  while (!signal.aborted) {
    const text = await read(path);
    const end = text.lastIndexOf("\n") + 1;
    for (const line of text.slice(seen, end).split("\n")) {
      const parsed = parse(line);
      if (parsed !== undefined) onLine(parsed);
    }
    seen = Math.max(seen, end);
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function read(path: string): Promise<string> {
  return await readFile(path, "utf8").catch(() => "");
}

function parse(line: string): LogLine | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isLine = typeof value === "object" && value !== null && "message" in value && "time" in value;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the log of our own functions
    return isLine ? (value as LogLine) : undefined;
  } catch {
    return undefined;
  }
}

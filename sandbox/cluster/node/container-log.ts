import { open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** What one run of a container has written: a part of a file. `to` is there once the run is over. */
export interface ContainerLog {
  readonly path: string;
  readonly from: number;
  readonly to?: number | undefined;
  readonly startedAt: string;
}

/** The fields of `PodLogOptions` that a kubelet acts on. */
export interface LogOptions {
  readonly previous: boolean;
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  /** Unix milliseconds. */
  readonly since?: number;
  readonly limitBytes?: number;
}

interface Line {
  readonly at: string;
  readonly text: string;
}

const POLL_MS = 200;
const NEWLINE = 10;
/** istiod begins a line so; a runtime would stamp each line itself. */
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d+)Z\t/;
const NANOSECOND_DIGITS = 9;

/** kube-apiserver has checked them. */
export function logOptionsOf(query: URLSearchParams, now: number): LogOptions {
  const flag = (name: string) => query.get(name) === "true";
  const number = (name: string) => (query.has(name) ? Number(query.get(name)) : undefined);
  const [tailLines, limitBytes] = [number("tailLines"), number("limitBytes")];
  const since = sinceOf(query.get("sinceTime"), number("sinceSeconds"), now);
  return {
    previous: flag("previous"),
    follow: flag("follow"),
    timestamps: flag("timestamps"),
    ...(tailLines !== undefined && { tailLines }),
    ...(since !== undefined && { since }),
    ...(limitBytes !== undefined && { limitBytes }),
  };
}

function sinceOf(time: string | null, seconds: number | undefined, now: number): number | undefined {
  if (time !== null) return Date.parse(time);
  return seconds === undefined ? undefined : now - seconds * 1000;
}

/**
 * What a kubelet sends: the last `tailLines` lines, and of these the ones since then. With `follow` it goes
 * on until the run is over.
 */
export async function* readLog(
  log: ContainerLog,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const { tailLines, follow, limitBytes = Number.POSITIVE_INFINITY } = options;
  let left = limitBytes;
  let first = true;
  for await (const lines of batches(log, follow, signal)) {
    const tail =
      first && tailLines !== undefined ? lines.slice(Math.max(lines.length - tailLines, 0)) : lines;
    first = false;
    const sent = rendered(tail, options).subarray(0, left);
    left -= sent.length;
    yield sent;
    if (left === 0) return;
  }
}

function rendered(lines: readonly Line[], { since, timestamps }: LogOptions): Buffer {
  const chosen = since === undefined ? lines : lines.filter(({ at }) => Date.parse(at) >= since);
  return Buffer.from(chosen.map(({ at, text }) => `${timestamps ? `${at} ` : ""}${text}\n`).join(""));
}

/** First what is there, then what comes. */
async function* batches(log: ContainerLog, follow: boolean, signal: AbortSignal): AsyncGenerator<Line[]> {
  const file = await open(log.path);
  try {
    const stamped = stamper(log.startedAt);
    let position = log.from;
    for (;;) {
      const { to } = log;
      const { size } = await file.stat();
      const bytes = Buffer.alloc(Math.max((to ?? size) - position, 0));
      await file.read(bytes, 0, bytes.length, position);
      const whole = to === undefined ? bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1) : bytes;
      position += whole.length;
      yield linesIn(whole).map(stamped);
      if (!follow || to !== undefined || signal.aborted) return;
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await file.close();
  }
}

function linesIn(bytes: Buffer): string[] {
  const lines = bytes.toString("utf8").split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

/** A line without a time of its own has that of the line before it. */
function stamper(startedAt: string): (text: string) => Line {
  let at = startedAt;
  return (text) => {
    const [, seconds, fraction = ""] = STAMP.exec(text) ?? [];
    if (seconds !== undefined) at = `${seconds}.${fraction.padEnd(NANOSECOND_DIGITS, "0")}Z`;
    return { at, text };
  };
}

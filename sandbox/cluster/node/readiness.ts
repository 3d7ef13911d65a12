import { setTimeout as delay } from "node:timers/promises";
import type { ProcessExit, RunningProcess } from "../../os/process.ts";

const PROBE_INTERVAL_MS = 200;
const PROBE_TIMEOUT_MS = 5000;
/** The kubelet's default `failureThreshold`. */
const PROBE_FAILURES = 3;

/**
 * Asks a process that is not ready yet whether it is, and goes on asking; tells of each change until it ends.
 */
export async function probeUntilExit(
  { exited }: RunningProcess,
  url: string,
  onChange: (ready: boolean) => void,
): Promise<ProcessExit> {
  const over = new AbortController();
  const ended = exited.finally(() => over.abort());
  let ready = false;
  let failures = 0;
  while (!over.signal.aborted) {
    const answered = await answers(url);
    failures = answered ? 0 : failures + 1;
    const isNews = answered !== ready && (answered || failures >= PROBE_FAILURES);
    if (isNews && !over.signal.aborted) {
      ready = answered;
      onChange(ready);
    }
    await delay(PROBE_INTERVAL_MS, undefined, { signal: over.signal }).catch(() => undefined);
  }
  return await ended;
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

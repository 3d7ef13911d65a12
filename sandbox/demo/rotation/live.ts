import { setTimeout as sleep } from "node:timers/promises";
import type { Result } from "../../traffic/sender.ts";
import type { Side } from "../../traffic/side.ts";
import { renderCounts } from "../../traffic/tally.ts";
import type { Traffic } from "../../traffic/traffic.ts";

const LOOK_MS = 500;
/** A line at least so often, if nothing changes. */
const LINE_MS = 10_000;
const SHORT = 8;

function short(fingerprint: string): string {
  return fingerprint.slice(0, SHORT);
}

/** `client: intermediate 1234abcd of root 5678abcd, trusts 5678abcd` */
export function renderSide(name: string, side: Side | undefined): string {
  if (side === undefined) return `${name}: no certificate`;
  const { intermediate, root, trusted } = side;
  const issuer = root === undefined ? "no trusted root" : `root ${short(root)}`;
  return `${name}: intermediate ${short(intermediate)} of ${issuer}, trusts ${trusted.map(short).join(" + ")}`;
}

function renderFailing(failing: boolean, last: Result | undefined): string {
  return failing ? `requests fail: ${last?.status} ${last?.failure}` : "no request fails any more";
}

/**
 * Tells of each change of a side as it happens, of failures as they begin and end, and now and then that all
 * goes on.
 */
export async function narrateTraffic(
  traffic: Traffic,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let before = { client: "", server: "", failed: 0, failing: false };
  let toldAt = 0;
  while (!signal.aborted) {
    const counts = traffic.counts();
    const sides = await traffic.sides();
    const now = {
      client: renderSide("client", sides.client),
      server: renderSide("server", sides.server),
      failed: counts.failed,
      failing: counts.failed > before.failed,
    };
    const news = [
      now.client === before.client ? [] : [now.client],
      now.server === before.server ? [] : [now.server],
      now.failing === before.failing ? [] : [renderFailing(now.failing, traffic.lastFailure())],
    ].flat();
    before = now;
    if (news.length > 0 || Date.now() - toldAt > LINE_MS) {
      const time = new Date().toISOString().slice(11, 19);
      say([`  ${time}  ${renderCounts(counts)}`, ...news.map((line) => `            ${line}`)].join("\n"));
      toldAt = Date.now();
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}

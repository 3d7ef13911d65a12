import { setTimeout as sleep } from "node:timers/promises";
import type { Side } from "../traffic/side.ts";
import { renderCounts } from "../traffic/tally.ts";
import type { Traffic } from "../traffic/traffic.ts";

const LOOK_MS = 500;
/** A line at least so often, if nothing changes. */
const LINE_MS = 10_000;
const SHORT = 8;

function short(fingerprint: string | undefined): string {
  return fingerprint?.slice(0, SHORT) ?? "no trusted root";
}

/** `client: intermediate 1234abcd of root 5678abcd, trusts 5678abcd` */
export function renderSide(name: string, side: Side | undefined): string {
  if (side === undefined) return `${name}: no certificate`;
  const { intermediate, root, trusted } = side;
  return `${name}: intermediate ${short(intermediate)} of root ${short(root)}, trusts ${trusted.map(short).join(" + ")}`;
}

/** Tells of each change of a side as it happens, of the first failure of a row, and now and then that all goes on. */
export async function narrateTraffic(
  traffic: Traffic,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let told = { client: "", server: "", failed: 0, at: 0 };
  while (!signal.aborted) {
    const counts = traffic.counts();
    const sides = await traffic.sides();
    const client = renderSide("client", sides.client);
    const server = renderSide("server", sides.server);
    const lines = [client !== told.client ? client : "", server !== told.server ? server : ""].filter(
      Boolean,
    );
    const failure = counts.failed > told.failed ? traffic.lastFailure() : undefined;
    if (failure !== undefined) lines.push(`failed: ${failure.status} ${failure.failure}`);
    if (lines.length > 0 || Date.now() - told.at > LINE_MS) {
      const time = new Date().toISOString().slice(11, 19);
      say(`  ${time}  ${[renderCounts(counts), ...lines].join("\n            ")}`);
      told = { client, server, failed: counts.failed, at: Date.now() };
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxFleet } from "../../fleet/fleet.ts";
import { meshStatus, syncMesh } from "../../fleet/sync-mesh-client.ts";
import type { StepWorld, TokenExpiries } from "./step.ts";

/** The shortest that Kubernetes grants. */
export const SHORTEST_TOKEN_TTL = "10m";
/** The token of every pair is due by then: at 70 % of its life. */
const PATIENCE_MS = 8 * 60_000;
const SYNC_EVERY_MS = 10_000;

export async function tokenExpiries(fleet: SandboxFleet): Promise<TokenExpiries> {
  const { pairs } = await meshStatus(fleet);
  return new Map(pairs.map(({ reader, target, tokenExpiry }) => [`${reader} ${target}`, tokenExpiry ?? ""]));
}

/**
 * Syncs until every pair has another token than when the requests began. Nothing hurries it: a token is
 * renewed when half of its life is over, or somewhat more.
 */
export async function renewTokens({ fleet, tokens, say }: StepWorld): Promise<void> {
  say(`  tokens live ${SHORTEST_TOKEN_TTL} here; each is due after 5 to 7 minutes of them`);
  let waiting = [...tokens.keys()];
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(SYNC_EVERY_MS)) {
    await syncMesh(fleet);
    const now = await tokenExpiries(fleet);
    const still = waiting.filter((pair) => now.get(pair) === tokens.get(pair));
    for (const pair of waiting.filter((each) => !still.includes(each))) {
      say(`  renewed: ${pair.replace(" ", " → ")}`);
    }
    waiting = still;
    if (waiting.length === 0) return;
    if (Date.now() > end)
      throw new Error(`no new token for ${waiting.join(", ")}; read the log of sync-mesh`);
  }
}

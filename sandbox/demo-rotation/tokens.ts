import { setTimeout as sleep } from "node:timers/promises";
import type { Status } from "../../shared/core/status.ts";
import type { SandboxFleet } from "../fleet.ts";

/** When the token of each ordered pair ends, by reader and target. */
export type TokenExpiries = ReadonlyMap<string, string>;

/** The shortest that Kubernetes grants. */
export const SHORTEST_TOKEN_TTL = "10m";
/** A token is due by then, whichever pair it is of: 70 % of its life. */
const PATIENCE_MS = 8 * 60_000;
const SYNC_EVERY_MS = 10_000;

export async function tokenExpiries(fleet: SandboxFleet): Promise<TokenExpiries> {
  const response = await fetch(`${syncMesh(fleet)}/status`, { headers: { "cache-control": "no-cache" } });
  const { pairs }: Status = JSON.parse(await response.text());
  return new Map(pairs.map(({ reader, target, tokenExpiry }) => [`${reader} ${target}`, tokenExpiry ?? ""]));
}

/**
 * Calls `POST /sync` as the scheduler does, until every pair has another token than when the requests began. Nothing
 * hurries it: a token is renewed when half of its life is over, or somewhat more.
 */
export async function renewTokens(world: {
  readonly fleet: SandboxFleet;
  readonly tokens: TokenExpiries;
  readonly say: (line: string) => void;
}): Promise<void> {
  const { fleet, tokens, say } = world;
  say(`  tokens live ${SHORTEST_TOKEN_TTL} here; each is due after 5 to 7 minutes of them`);
  let waiting = [...tokens.keys()];
  for (const end = Date.now() + PATIENCE_MS; waiting.length > 0; await sleep(SYNC_EVERY_MS)) {
    await fetch(`${syncMesh(fleet)}/sync`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ scope: "mesh" }),
    });
    const now = await tokenExpiries(fleet);
    const still = waiting.filter((pair) => now.get(pair) === tokens.get(pair));
    for (const pair of waiting.filter((each) => !still.includes(each))) {
      say(`  renewed: ${pair.replace(" ", " → ")}`);
    }
    waiting = still;
    if (Date.now() > end)
      throw new Error(`no new token for ${waiting.join(", ")}; read the log of sync-mesh`);
  }
}

function syncMesh(fleet: SandboxFleet): string {
  const url = fleet.file().functions["sync-mesh"];
  if (url === undefined) throw new Error("the bundle has no function sync-mesh; build it");
  return url;
}

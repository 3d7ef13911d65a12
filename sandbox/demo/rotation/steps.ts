import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxFleet } from "../../fleet/fleet.ts";
import { remoteClusters } from "../../fleet/istiod-sync.ts";
import { ABORT, INTERMEDIATES, ROOT_ROTATION } from "./rotations.ts";
import type { Step } from "./step.ts";
import { renewTokens } from "./tokens.ts";

const NEWCOMER = "third";
const POLL_MS = 500;
const PATIENCE_MS = 120_000;

/** In this order; each finds the mesh as the one before left it. */
export const STEPS: readonly Step[] = [
  {
    name: "join of a third cluster",
    async run({ fleet }) {
      await fleet.createCluster(NEWCOMER);
      await fleet.waitUntilSynced();
    },
  },
  {
    name: "leave of a third cluster",
    async run({ fleet }) {
      await fleet.deleteCluster(NEWCOMER);
      await untilForgotten(fleet);
    },
  },
  INTERMEDIATES,
  ...ROOT_ROTATION,
  ABORT,
  { name: "token renewal of every pair", run: renewTokens },
];

/** Resolves when no member's istiod lists a cluster that is not a member any more. */
async function untilForgotten(fleet: SandboxFleet): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(POLL_MS)) {
    const { members } = fleet.file();
    const known = new Set(members.map(({ clusterId }) => clusterId));
    const listed = await Promise.all(members.map((member) => remoteClusters(member)));
    if (listed.every((ids) => ids.size > 0 && known.isSupersetOf(new Set(ids.keys())))) return;
  }
  throw new Error(`${NEWCOMER} is still listed; read the log of on-cluster-event`);
}

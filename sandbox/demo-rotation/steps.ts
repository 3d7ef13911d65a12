import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxFleet } from "../fleet.ts";
import { remoteClusters } from "../sync-state.ts";
import { renewTokens, type TokenExpiries } from "./tokens.ts";

/** What is done to the mesh while requests go through it. */
export interface Step {
  readonly name: string;
  /** Resolves when it is over, for every member; fails if it cannot be. */
  run(world: StepWorld): Promise<void>;
}

export interface StepWorld {
  readonly fleet: SandboxFleet;
  /** As they were when the requests began. */
  readonly tokens: TokenExpiries;
  readonly say: (line: string) => void;
}

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
  { name: "token renewal of every pair", run: renewTokens },
];

/** Nobody lists any cluster that is not a member any more. */
async function untilForgotten(fleet: SandboxFleet): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(POLL_MS)) {
    const { members } = fleet.file();
    const known = new Set(members.map(({ clusterId }) => clusterId));
    const listed = await Promise.all(members.map((member) => remoteClusters(member)));
    if (listed.every((ids) => ids.size > 0 && known.isSupersetOf(new Set(ids.keys())))) return;
  }
  throw new Error(`${NEWCOMER} is still listed; read the log of on-cluster-event`);
}

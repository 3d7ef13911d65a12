import { setTimeout as sleep } from "node:timers/promises";
import type { Status } from "../../../shared/core/answers/status.ts";
import type { Stage } from "../../../shared/core/roots/stages.ts";
import type { SandboxFleet } from "../../fleet/fleet.ts";
import { meshStatus } from "../../fleet/sync-mesh-client.ts";
import { ROTATION } from "../../google/pubsub/pubsub.ts";
import type { Side } from "../../traffic/side.ts";
import type { Step, StepWorld } from "./step.ts";

const POLL_MS = 1000;
const TICK_EVERY_MS = 5000;
/** Of a stage: a certificate's life, the skew, and what the members take. */
const PATIENCE_MS = 4 * 60_000;

/** Every member gets another intermediate, and every workload a certificate of it. */
export const INTERMEDIATES: Step = {
  name: "intermediate rotation of every member",
  async run({ fleet, traffic }) {
    const before = await traffic.sides();
    await order(fleet, { kind: "intermediate", scope: "mesh", reason: "manual" });
    await until("the sidecars have certificates of the new intermediates", async () => {
      const { client, server } = await traffic.sides();
      return isOther(client, before.client) && isOther(server, before.server);
    });
  },
};

/** The three stages of one root rotation, each until it is over. */
export const ROOT_ROTATION: readonly Step[] = [
  {
    name: "root rotation: distribute the next root",
    async run(world) {
      await order(world.fleet, { kind: "root", action: "start" });
      await tickUntil(world, "switch");
    },
  },
  {
    name: "root rotation: the next root signs",
    run: (world) => tickUntil(world, "retire"),
  },
  {
    name: "root rotation: the old root leaves",
    async run(world) {
      await tickUntil(world, "idle");
      await until("both sidecars trust one root", () => trustOne(world));
    },
  },
];

/** Taken back when the next root signs already. */
export const ABORT: Step = {
  name: "abort of a root rotation",
  async run(world) {
    await order(world.fleet, { kind: "root", action: "start" });
    await tickUntil(world, "switch");
    await order(world.fleet, { kind: "root", action: "abort" });
    await tickUntil(world, "retire");
    await tickUntil(world, "idle");
    await until("both sidecars trust one root", () => trustOne(world));
  },
};

async function order(fleet: SandboxFleet, message: object): Promise<void> {
  await fleet.publish(ROTATION, message);
}

/** As the scheduler does, if less patiently. */
async function tickUntil({ fleet, say }: StepWorld, stage: Stage): Promise<void> {
  let told = "";
  let tickedAt = 0;
  await until(`the rotation is at ${stage}; read the log of on-rotation-request`, async () => {
    if (Date.now() - tickedAt > TICK_EVERY_MS) {
      tickedAt = Date.now();
      await order(fleet, { kind: "tick" });
    }
    const { rotation } = await meshStatus(fleet);
    const now = describe(rotation);
    if (now !== told) say(`  ${now}`);
    told = now;
    return rotation.stage === stage;
  });
}

function describe({ stage, waitingFor, until: end }: Status["rotation"]): string {
  const waits = waitingFor.length === 0 ? "" : `: ${waitingFor.join("; ")}`;
  return `stage ${stage}${end === null ? "" : `, not over before ${end.slice(11, 19)}`}${waits}`;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(POLL_MS)) {
    if (await holds()) return;
  }
  throw new Error(`it was not seen that ${what}`);
}

function isOther(now: Side | undefined, before: Side | undefined): boolean {
  return now !== undefined && now.intermediate !== before?.intermediate;
}

async function trustOne({ traffic }: StepWorld): Promise<boolean> {
  const { client, server } = await traffic.sides();
  return client?.trusted.length === 1 && server?.trusted.length === 1;
}

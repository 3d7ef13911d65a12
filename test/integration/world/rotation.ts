import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxFleet } from "../../../sandbox/fleet/fleet.ts";
import type { Stage } from "../../../shared/core/roots/stages.ts";
import { fromLog, type LogLine } from "./events.ts";
import { membersOf } from "./fleet.ts";
import { secrets } from "./kubectl.ts";
import { status } from "./sync-mesh.ts";

const POLL_MS = 500;
const PATIENCE_MS = 90_000;

export interface Order {
  /** JSON, or a text that is none. */
  readonly data: object | string;
  readonly attributes?: Readonly<Record<string, string>>;
  /** A copy of a message was published when the message was. */
  readonly publishTime?: string;
}

/** As a push subscription of the rotation topic does; answers the HTTP status. */
export async function pushRotation(fleet: SandboxFleet, order: Order): Promise<number> {
  const { project, topics, functions } = fleet.file();
  const { data, attributes = {}, publishTime = new Date().toISOString() } = order;
  const text = typeof data === "string" ? data : JSON.stringify(data);
  const response = await fetch(
    `${functions["on-rotation-request"]}/projects/${project}/topics/${topics.rotation}`,
    {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        subscription: `projects/${project}/subscriptions/test`,
        message: { messageId: "1", publishTime, attributes, data: Buffer.from(text).toString("base64") },
      }),
    },
  );
  await response.arrayBuffer();
  return response.status;
}

/** Ticks until the rotation stands at this stage; answers where it stood at the end. */
export async function tickUntil(fleet: SandboxFleet, stage: Stage): Promise<Stage> {
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(POLL_MS)) {
    await pushRotation(fleet, { data: { kind: "tick" } });
    const { rotation } = await status(fleet);
    if (rotation.stage === stage || Date.now() > end) return rotation.stage;
  }
}

/** Serial of each member's intermediate, by cluster ID. */
export async function serials(fleet: SandboxFleet): Promise<Readonly<Record<string, string>>> {
  const found = await Promise.all(
    membersOf(fleet).map(async (member) => {
      const cacerts = (await secrets(member)).get("cacerts");
      return [member.clusterId, cacerts?.metadata.annotations?.["meshjoin.dev/serial"] ?? ""] as const;
    }),
  );
  return Object.fromEntries(found);
}

/** How many roots the workloads of each member trust, as its istiod publishes them. */
export async function trusted(fleet: SandboxFleet): Promise<number[]> {
  return (await status(fleet)).members.map(({ root }) => root.length);
}

export async function rotationLog(fleet: SandboxFleet): Promise<readonly LogLine[]> {
  return fromLog(await readFile(`${fleet.file().logDir}/on-rotation-request.log`, "utf8"));
}

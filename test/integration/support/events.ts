import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxFleet } from "../../../sandbox/fleet.ts";
import type { Delivery } from "../../../sandbox/google/push.ts";

const POLL_MS = 200;
const PATIENCE_MS = 4 * 60_000;

interface Entry {
  readonly operation?: { readonly last?: boolean };
  readonly protoPayload: { readonly methodName: string };
  readonly resource: { readonly labels: { readonly cluster_name: string } };
}

/** Polls until there is an answer. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(POLL_MS);
  }
}

/** The deliveries of the entry that says the cluster is created, oldest first. */
export function creationDeliveries(fleet: SandboxFleet, name: string): readonly Delivery[] {
  return fleet.deliveries.filter(({ message }) => {
    const entry: Entry = JSON.parse(Buffer.from(message.data, "base64").toString());
    return (
      entry.operation?.last === true &&
      entry.protoPayload.methodName.endsWith("CreateCluster") &&
      entry.resource.labels.cluster_name === name
    );
  });
}

/** The delivery with which the function was done with the cluster's creation. */
export function acknowledged(fleet: SandboxFleet, name: string): Promise<Delivery> {
  return eventually(`the acknowledgement of the creation of ${name}`, () =>
    creationDeliveries(fleet, name).find(({ status }) => status >= 200 && status < 300),
  );
}

export function functionUrl(fleet: SandboxFleet): string {
  const url = fleet.file().functions["on-cluster-event"];
  if (url === undefined) throw new Error("on-cluster-event does not run; build the bundle");
  return url;
}

/** Posts a log entry as a push subscription of a log sink does; the HTTP status. */
export async function postEntry(fleet: SandboxFleet, entry: unknown): Promise<number> {
  const data = Buffer.from(JSON.stringify(entry)).toString("base64");
  return postMessage(fleet, data);
}

/** The same event again: the bytes of an earlier delivery. */
export function postAgain(fleet: SandboxFleet, delivery: Delivery): Promise<number> {
  return postMessage(fleet, delivery.message.data);
}

let posted = 0;

async function postMessage(fleet: SandboxFleet, data: string): Promise<number> {
  posted += 1;
  const { project, topics } = fleet.file();
  const response = await fetch(`${functionUrl(fleet)}/projects/${project}/topics/${topics.clusterEvents}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      message: {
        data,
        attributes: {},
        messageId: `posted-${posted}`,
        publishTime: new Date().toISOString(),
      },
      subscription: `projects/${project}/subscriptions/by-hand`,
    }),
  });
  await response.arrayBuffer();
  return response.status;
}

export interface FunctionLogLine {
  readonly severity: string;
  readonly message: string;
  readonly code?: string;
  readonly reason?: string;
  readonly finding?: { readonly reason: string; readonly clusterId?: string };
  readonly err?: { readonly code?: string };
}

export interface LogMark {
  /** What the function has logged since the mark. */
  lines(): Promise<readonly FunctionLogLine[]>;
}

/** Remembers where the function's log ends now. */
export async function markLog(fleet: SandboxFleet): Promise<LogMark> {
  const path = join(fleet.file().logDir, "on-cluster-event.log");
  const before = (await readFile(path, "utf8")).length;
  return {
    async lines() {
      const text = (await readFile(path, "utf8")).slice(before);
      return text.split("\n").flatMap((line) => parseLine(line));
    },
  };
}

function parseLine(line: string): readonly FunctionLogLine[] {
  if (!line.startsWith("{")) return [];
  const value: FunctionLogLine = JSON.parse(line);
  return [value];
}

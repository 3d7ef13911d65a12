import { readFile } from "node:fs/promises";
import type { SandboxFleet } from "../../../sandbox/fleet/fleet.ts";
import type { FunctionName } from "../../../sandbox/google/functions/function-process.ts";
import type { FleetMember } from "../../../sandbox/google/member.ts";

type Json = Readonly<Record<string, unknown>>;

let operations = 0;

/**
 * A finished creation, as the audit log tells of it, of an operation of its own; `change` is merged over it.
 */
export function finishedEntry(
  member: Pick<FleetMember, "project" | "location" | "name">,
  change: Json = {},
): Json {
  const { project, location, name } = member;
  operations += 1;
  return {
    insertId: "1abc",
    logName: `projects/${project}/logs/cloudaudit.googleapis.com%2Factivity`,
    operation: { id: `operation-of-a-test-${operations}`, last: true, producer: "container.googleapis.com" },
    protoPayload: {
      "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
      methodName: "google.container.v1.ClusterManager.CreateCluster",
      resourceName: `projects/${project}/locations/${location}/clusters/${name}`,
      serviceName: "container.googleapis.com",
      status: {},
    },
    resource: {
      type: "gke_cluster",
      labels: { cluster_name: name, location, project_id: project },
    },
    severity: "NOTICE",
    ...change,
  };
}

/** An entry of a deletion, which comes in two: when it begins and when it is over. */
export function deletionEntry(
  member: Pick<FleetMember, "project" | "location" | "name">,
  half: "first" | "last",
): Json {
  const entry = finishedEntry(member);
  return {
    ...entry,
    operation: { id: `deletion-of-${member.name}`, [half]: true, producer: "container.googleapis.com" },
    protoPayload: {
      ...Object(entry["protoPayload"]),
      methodName: "google.container.v1.ClusterManager.DeleteCluster",
    },
  };
}

function functionUrl(fleet: SandboxFleet): string {
  return fleet.file().functions["on-cluster-event"] ?? "";
}

/** As a push subscription does; answers the HTTP status. */
export async function push(fleet: SandboxFleet, entry: Json): Promise<number> {
  const { project, topics } = fleet.file();
  const response = await fetch(`${functionUrl(fleet)}/projects/${project}/topics/${topics.clusterEvents}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      subscription: `projects/${project}/subscriptions/test`,
      message: {
        messageId: "1",
        publishTime: new Date().toISOString(),
        attributes: {},
        data: Buffer.from(JSON.stringify(entry)).toString("base64"),
      },
    }),
  });
  await response.arrayBuffer();
  return response.status;
}

const ATTRIBUTES = {
  specversion: "1.0",
  id: "1",
  source: "//cloudaudit.googleapis.com/projects/p/logs/activity",
  type: "google.cloud.audit.log.v1.written",
};

/** As Eventarc does. */
export async function pushCloudEvent(
  fleet: SandboxFleet,
  entry: Json,
  mode: "binary" | "structured",
): Promise<number> {
  const binary = Object.fromEntries(Object.entries(ATTRIBUTES).map(([key, value]) => [`ce-${key}`, value]));
  const response = await fetch(functionUrl(fleet), {
    method: "POST",
    headers:
      mode === "binary"
        ? { ...binary, "content-type": "application/json" }
        : { "content-type": "application/cloudevents+json" },
    body: JSON.stringify(mode === "binary" ? entry : { ...ATTRIBUTES, data: entry }),
  });
  await response.arrayBuffer();
  return response.status;
}

export interface LogLine {
  readonly severity?: string;
  readonly message?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly clusterId?: string;
  readonly eventId?: string;
  readonly operationId?: string;
  /** Of the signer. */
  readonly caller?: string;
  readonly finding?: { readonly reason: string; readonly severity: string; readonly clusterId?: string };
}

export async function functionLog(
  fleet: SandboxFleet,
  name: FunctionName = "on-cluster-event",
): Promise<readonly LogLine[]> {
  return fromLog(await readFile(`${fleet.file().logDir}/${name}.log`, "utf8"));
}

/** What of a log file is a function's own; the framework writes to it as well. */
export function fromLog(text: string): readonly LogLine[] {
  return text.split("\n").flatMap((line) => {
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the function's own log
      return [JSON.parse(line) as LogLine];
    } catch {
      return [];
    }
  });
}

/** All lines that the function writes while `work` runs, about any event. */
export async function loggedDuring(
  fleet: SandboxFleet,
  work: () => Promise<unknown>,
): Promise<readonly LogLine[]> {
  const before = (await functionLog(fleet)).length;
  await work();
  return (await functionLog(fleet)).slice(before);
}

export interface Handled {
  /** HTTP status. */
  readonly status: number;
  /** What the function wrote about this event. */
  readonly lines: readonly LogLine[];
}

/** Pushes a finished creation of the cluster, apart from the one that the sandbox itself may be pushing. */
export async function handle(
  fleet: SandboxFleet,
  member: Pick<FleetMember, "project" | "location" | "name">,
): Promise<Handled> {
  const entry = finishedEntry(member);
  const operationId = `operation-of-a-test-${operations}`;
  const status = await push(fleet, entry);
  return { status, lines: (await functionLog(fleet)).filter((line) => line.operationId === operationId) };
}

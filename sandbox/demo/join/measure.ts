import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxFleet } from "../../fleet/fleet.ts";
import type { FleetMember } from "../../google/member.ts";
import type { LogLine } from "./function-log.ts";

export interface JoinCost {
  /** From the delivery of the last audit-log entry until the function had seen every pair synced. */
  readonly joinMs: number;
  /** Of the function, to Google's APIs, to the signer and to API servers, WebSockets included. */
  readonly requests: number;
}

const POLL_MS = 100;
const PATIENCE_MS = 180_000;

/** Waits for the function's last word on this join. */
export async function joinDone(lines: readonly LogLine[], clusterId: string): Promise<LogLine> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(POLL_MS)) {
    const done = lines.find(
      (line) => line.message === "reconciled" && line.clusterId === clusterId && line.outcome === "created",
    );
    if (done !== undefined) return done;
  }
  throw new Error(`${clusterId} did not join in ${PATIENCE_MS / 1000} s; read the log of on-cluster-event`);
}

/** Counted outside the function: by the stand-ins and in the API servers' audit logs. */
export async function joinCost(fleet: SandboxFleet, member: FleetMember, done: LogLine): Promise<JoinCost> {
  const since = joinStart(fleet, member);
  const email = fleet.accounts.reconciler;
  const google = fleet.ledger.requests(email, since);
  const kubernetes = await fleet.clusterRequests(email, since);
  return {
    joinMs: Math.round(Date.parse(done.time) - since),
    requests: google.gke + google.secretmanager + google.signer + kubernetes,
  };
}

/** When the audit-log entry that set it off was first delivered; Unix time in milliseconds. */
export function joinStart(fleet: SandboxFleet, member: FleetMember): number {
  const delivered = fleet.deliveries
    .filter(({ message }) => isLastEntry(message.data, member))
    .map(({ at }) => at);
  return Math.min(...delivered);
}

interface Entry {
  readonly operation?: { readonly last?: boolean };
  readonly resource?: { readonly labels?: { readonly cluster_name?: string } };
}

function isLastEntry(data: string, { name }: FleetMember): boolean {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the sandbox itself has published
  const entry = JSON.parse(Buffer.from(data, "base64").toString("utf8")) as Entry;
  return entry.operation?.last === true && entry.resource?.labels?.cluster_name === name;
}

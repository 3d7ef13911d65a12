import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxFleet } from "../../../sandbox/fleet/fleet.ts";
import type { FleetMember } from "../../../sandbox/google/member.ts";

interface AuditEvent {
  readonly verb?: string;
  readonly stage?: string;
  readonly responseStatus?: { readonly code?: number };
  readonly user?: { readonly username?: string };
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly name?: string };
}

/** The last line may be half written. */
function parseEvent(line: string): AuditEvent {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- audit.k8s.io/v1 Event; every field is optional
    return JSON.parse(line) as AuditEvent;
  } catch {
    return {};
  }
}

const WRITES = new Set(["create", "update", "patch", "delete"]);
const POLL_MS = 1;

/** Tokens are granted and reviewed with a POST, but nothing of them is kept. */
function isWrite({ verb = "", objectRef = {} }: AuditEvent): boolean {
  return WRITES.has(verb) && objectRef.resource !== "tokenreviews" && objectRef.subresource === undefined;
}

/** What the account has changed so far in all RUNNING clusters, by their API servers' audit logs. */
export async function countWrites(fleet: SandboxFleet, account = fleet.accounts.reconciler): Promise<number> {
  const { members, logDir } = fleet.file();
  const counts = members.map(async ({ clusterId }) => {
    const log = await readFile(join(logDir, clusterId, "audit.jsonl"), "utf8").catch(() => "");
    return log.split("\n").filter((line) => {
      return line.includes(account) && isWrite(parseEvent(line));
    }).length;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** How often, and how, the Secret was written whole; a note that is applied to it is none. */
export async function writesTo(fleet: SandboxFleet, member: FleetMember, name: string): Promise<string[]> {
  const log = await readFile(join(fleet.file().logDir, member.clusterId, "audit.jsonl"), "utf8");
  return log.split("\n").flatMap((line) => {
    if (!line.includes(name)) return [];
    const { verb = "", stage, objectRef, responseStatus } = parseEvent(line);
    const isWhole =
      objectRef?.resource === "secrets" && objectRef.name === name && ["create", "update"].includes(verb);
    return isWhole && stage === "ResponseComplete" && (responseStatus?.code ?? 500) < 300 ? [verb] : [];
  });
}

export interface Death {
  /** That the event was answered with; 0 if it was not. */
  readonly status: number;
  /**
   * Of this instance. Requests that were on their way when it died count too, so it may be some more than
   * asked for.
   */
  readonly writes: number;
}

/** Kills the instance that handles the event, with SIGKILL, as soon as it has made `k` writes. */
export async function killAtWrite(
  fleet: SandboxFleet,
  k: number,
  deliver: () => Promise<number>,
  name: "on-cluster-event" | "on-rotation-request" = "on-cluster-event",
): Promise<Death> {
  const account = name === "on-cluster-event" ? fleet.accounts.reconciler : fleet.accounts.rotator;
  const pid = fleet.functionPid(name);
  if (pid === undefined) throw new Error(`${name} does not run`);
  const before = await countWrites(fleet, account);
  let answered = false;
  const delivery = deliver().finally(() => {
    answered = true;
  });
  while (!answered && (await countWrites(fleet, account)) - before < k) await sleep(POLL_MS);
  if (!answered) process.kill(pid, "SIGKILL");
  return { status: await delivery, writes: (await countWrites(fleet, account)) - before };
}

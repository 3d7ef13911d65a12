import { setTimeout as sleep } from "node:timers/promises";
import type { FleetMember } from "../google/member.ts";
import { unsyncedPairs } from "./istiod-sync.ts";

export interface JoinAnnouncements {
  /** Those that carry the label of the mesh, as they are now. */
  readonly members: () => readonly FleetMember[];
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
  /** Between two looks. */
  readonly pollMs?: number;
}

/** Says of each member that joins from now on that it has; the members of now have joined already. */
export async function announceJoins({
  members,
  progress,
  signal,
  pollMs = 500,
}: JoinAnnouncements): Promise<void> {
  let known = new Set(members().map(({ clusterId }) => clusterId));
  for (;;) {
    await sleep(pollMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    const now = members();
    known = new Set(now.map(({ clusterId }) => clusterId).filter((id) => known.has(id)));
    const newcomers = now.filter(({ clusterId }) => !known.has(clusterId));
    if (newcomers.length === 0 || now.some(({ istiodHttp }) => istiodHttp === undefined)) continue;
    if ((await unsyncedPairs(now)).length > 0) continue;
    for (const { clusterId, name, location } of newcomers) {
      known.add(clusterId);
      progress(`${name} (${location}) has joined: the mesh has ${now.length} members, all pairs are synced`);
    }
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { FleetMember } from "../google/member.ts";

const ISTIOD_TIMEOUT_MS = 3000;
const POLL_MS = 500;
const PATIENCE_MS = 15 * 60_000;
const REPORT_MS = 15_000;

/** https://github.com/istio/istio/blob/master/pkg/cluster/cluster.go, `DebugInfo` */
const clusterzSchema = z.array(z.object({ id: z.string(), syncStatus: z.string() }));

/** An ordered pair of members whose reader does not see the target as synced, as a sentence for people. */
export async function unsyncedPairs(members: readonly FleetMember[]): Promise<string[]> {
  const missing = await Promise.all(
    members.map(async (reader) => {
      const statuses = await remoteClusters(reader);
      return members
        .filter((target) => target !== reader && statuses.get(target.clusterId) !== "synced")
        .map(
          (target) => `${reader.name} → ${target.name}: ${statuses.get(target.clusterId) ?? "not there yet"}`,
        );
    }),
  );
  return missing.flat();
}

/**
 * What the istiods of a member say of the clusters they read: `synced` is what all of them say, anything else
 * is what one says. Nothing of a cluster that none lists.
 */
export async function remoteClusters({ istiods }: FleetMember): Promise<ReadonlyMap<string, string>> {
  const views = await Promise.all(istiods.map(({ http }) => clusterz(http)));
  const ids = new Set(views.flatMap((view) => [...view.keys()]));
  return new Map(
    [...ids].map((id) => [id, worst(views.map((view) => view.get(id) ?? "not in every istiod"))]),
  );
}

function worst(statuses: readonly string[]): string {
  return statuses.find((status) => status !== "synced") ?? "synced";
}

async function clusterz(http: string): Promise<ReadonlyMap<string, string>> {
  try {
    const response = await fetch(`${http}/debug/clusterz`, {
      signal: AbortSignal.timeout(ISTIOD_TIMEOUT_MS),
    });
    return new Map(clusterzSchema.parse(await response.json()).map(({ id, syncStatus }) => [id, syncStatus]));
  } catch {
    return new Map();
  }
}

export interface SyncWait {
  /** The members that have to see each other, as they are now. */
  readonly members: () => readonly FleetMember[];
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
}

/**
 * Waits until every member runs istiod and sees every other one as synced; fails after a quarter of an hour.
 */
export async function waitUntilSynced({ members, signal, progress }: SyncWait): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  let nextReport = Date.now() + REPORT_MS;
  for (;;) {
    const now = members();
    const withoutIstiod = now
      .filter(({ istiodHttp }) => istiodHttp === undefined)
      .map(({ name }) => `${name}: no istiod yet`);
    const missing = withoutIstiod.length > 0 ? withoutIstiod : await unsyncedPairs(now);
    if (missing.length === 0) return;
    if (Date.now() > deadline) {
      throw new Error(`the members did not join: ${missing.join("; ")}; read the logs of the functions`);
    }
    if (Date.now() > nextReport) {
      progress(`waiting for ${missing.join("; ")}`);
      nextReport = Date.now() + REPORT_MS;
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

import type { Member, Reachable } from "../core/member/observation.ts";
import type { PairContext } from "./context.ts";

/** Whether its own half suffices for a pair. `afterwards` a pending one does: the run completes it. */
export function isComplete({ clusterId }: Member, { standings, view }: PairContext): boolean {
  const standing = standings.get(clusterId);
  return (
    standing === "complete" || (view === "afterwards" && standing !== undefined && standing !== "blocked")
  );
}

export function isGuest({ controlPlane }: Reachable): boolean {
  return controlPlane?.owner === "foreign";
}

/** Whether all of the manifest was applied once: Meshjoin writes the hash last. */
export function isInstalled({ controlPlane }: Reachable): boolean {
  return controlPlane?.manifestHash !== undefined;
}

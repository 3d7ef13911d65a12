import type { MeshSpec } from "../spec.ts";
import type { Cluster, ClusterStatus } from "./cluster.ts";
import { isConfigured } from "./sources.ts";

/** Why a cluster is no member now; stable, for logs. */
export type NonMemberReason =
  | "ProjectNotConfigured"
  | "NotLabelled"
  | "OtherMesh"
  | "NotAllowed"
  | "Provisioning"
  | "Stopping"
  | "Failed"
  | "StatusUnknown";

const USABLE: ReadonlySet<ClusterStatus> = new Set(["RUNNING", "RECONCILING", "DEGRADED"]);
const UNUSABLE: Readonly<Partial<Record<ClusterStatus, NonMemberReason>>> = {
  PROVISIONING: "Provisioning",
  STOPPING: "Stopping",
  ERROR: "Failed",
};

/** Design rule 1; undefined: member. The label comes first: no trigger waits for a cluster without it. */
export function nonMemberReason(cluster: Cluster, spec: MeshSpec): NonMemberReason | undefined {
  if (!isConfigured(cluster.ref, spec)) return "ProjectNotConfigured";
  const label = cluster.labels[spec.meshLabel];
  if (label === undefined) return "NotLabelled";
  if (label !== spec.meshId) return "OtherMesh";
  if (!isAllowed(cluster.ref.name, spec.allow)) return "NotAllowed";
  if (USABLE.has(cluster.status)) return undefined;
  return UNUSABLE[cluster.status] ?? "StatusUnknown";
}

/** Whether the cluster would be a member with the mesh's label; a label that it has already stays. */
export function mayJoin(cluster: Cluster, spec: MeshSpec): boolean {
  const labels = { [spec.meshLabel]: spec.meshId, ...cluster.labels };
  return nonMemberReason({ ...cluster, labels }, spec) === undefined;
}

/** Whether a usable cluster of a configured source lacks only the mesh's label, or the allow-list's leave. */
export function mayHaveBeenMember(cluster: Cluster, spec: MeshSpec): boolean {
  const reason = nonMemberReason(cluster, spec);
  const isOut = reason === "NotLabelled" || reason === "OtherMesh" || reason === "NotAllowed";
  return isOut && USABLE.has(cluster.status);
}

function isAllowed(name: string, globs: readonly string[]): boolean {
  return globs.length === 0 || globs.some((glob) => matchesGlob(name, glob));
}

/** `*` stands for any run of characters and `?` for one; everything else for itself. */
function matchesGlob(text: string, glob: string): boolean {
  const pattern = glob
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${pattern}$`).test(text);
}

/**
 * Whether a list without these zones or regions may lack clusters of the location. GKE names missing *zones*,
 * and a regional cluster's location is their region.
 */
export function isLeftOut(location: string, missing: readonly string[]): boolean {
  return missing.some(
    (name) => name === location || name.startsWith(`${location}-`) || location.startsWith(`${name}-`),
  );
}

/** A status like this neither takes a cluster in nor takes it out. */
export function standsStill(reason: NonMemberReason): boolean {
  return reason === "Failed" || reason === "StatusUnknown";
}

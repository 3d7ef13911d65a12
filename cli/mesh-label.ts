import type { Cluster } from "../shared/core/cluster/cluster.ts";
import { type NonMemberReason, nonMemberReason } from "../shared/core/cluster/membership.ts";
import { notConfigured } from "../shared/core/cluster/sources.ts";
import { clusterId } from "../shared/core/names.ts";
import type { MeshSpec } from "../shared/core/spec.ts";
import { InputError, type MeshjoinError, NotReadyError, RefusedError } from "../shared/errors.ts";
import type { LabelChange } from "../shared/ports/cluster-labels.ts";
import { findCluster } from "./cluster.ts";
import type { OperatorAccess } from "./session.ts";

/** The result of labelling a cluster. */
export interface MeshLabelled {
  readonly id: string;
  /** With the label. */
  readonly cluster: Cluster;
  readonly label: { readonly key: string; readonly value: string };
  readonly changed: boolean;
}

/**
 * Sets the mesh label on a cluster, beside its other labels. Fails as `findCluster` does, and with a
 * MeshjoinError if the label would not make it a member, or is another mesh's.
 */
export async function setMeshLabel(access: OperatorAccess, name: string): Promise<MeshLabelled> {
  const { ports, spec, signal } = access;
  const foreseen = await withMeshLabel(access, name);
  const change = { ...foreseen.label, only: spec.meshId };
  return { ...foreseen, changed: await ports.labels.set(foreseen.cluster.ref, change, signal) };
}

/** The cluster as it would be with the label; `changed`: it lacks the label now. Fails as `setMeshLabel`. */
export async function withMeshLabel(
  { ports, spec, signal }: OperatorAccess,
  name: string,
): Promise<MeshLabelled> {
  const present = await findCluster({ ports, spec, signal }, name);
  const label = { key: spec.meshLabel, value: spec.meshId };
  const cluster = labelled(present, label);
  assertJoinable(present, cluster, spec);
  return { id: clusterId(present.ref), cluster, label, changed: present.labels[label.key] !== label.value };
}

/** The result of taking the mesh label off. */
export interface MeshUnlabelled {
  readonly id: string;
  /** Without the label. */
  readonly cluster: Cluster;
  readonly changed: boolean;
}

/** Fails as `findCluster` does, and with RefusedError if the label is another mesh's. */
export async function removeMeshLabel(access: OperatorAccess, name: string): Promise<MeshUnlabelled> {
  const { ports, spec, signal } = access;
  const unlabelled = await withoutMeshLabel(access, name);
  const change = { key: spec.meshLabel, value: undefined, only: spec.meshId };
  return { ...unlabelled, changed: await ports.labels.set(unlabelled.cluster.ref, change, signal) };
}

/**
 * The cluster as it would be without the label; `changed`: it has the label now. Fails as `removeMeshLabel`.
 */
export async function withoutMeshLabel(
  { ports, spec, signal }: OperatorAccess,
  name: string,
): Promise<MeshUnlabelled> {
  const present = await findCluster({ ports, spec, signal }, name);
  assertOwn(present, spec);
  return {
    id: clusterId(present.ref),
    cluster: labelled(present, { key: spec.meshLabel, value: undefined }),
    changed: present.labels[spec.meshLabel] === spec.meshId,
  };
}

/** The cluster with the change; a list may show the old labels for a while. */
function labelled(cluster: Cluster, { key, value }: LabelChange): Cluster {
  const { [key]: _, ...others } = cluster.labels;
  return { ...cluster, labels: value === undefined ? others : { ...others, [key]: value } };
}

/** Leaves a cluster of another mesh alone. */
function assertOwn(cluster: Cluster, { meshLabel, meshId }: MeshSpec): void {
  const label = cluster.labels[meshLabel];
  if (label === undefined || label === meshId) return;
  throw new RefusedError(`${clusterId(cluster.ref)} belongs to mesh ${label} (label ${meshLabel})`, {
    code: "OtherMesh",
    cure: `take it out of that one first, with MESHJOIN_MESH_ID=${label}`,
  });
}

/** Refuses a label that would not make the cluster a member. */
function assertJoinable(present: Cluster, cluster: Cluster, spec: MeshSpec): void {
  assertOwn(present, spec);
  const reason = nonMemberReason(cluster, spec);
  if (reason !== undefined) throw notJoinable(cluster, reason, spec);
}

function notJoinable({ ref }: Cluster, reason: NonMemberReason, spec: MeshSpec): MeshjoinError {
  const id = clusterId(ref);
  const project = notConfigured(ref, spec);
  switch (reason) {
    case "NotAllowed":
      return new InputError(`${id} may not join`, {
        code: reason,
        cure: "add its name to MESHJOIN_ALLOW",
        field: "CLUSTER",
      });
    case "ProjectNotConfigured":
      return new InputError(`${id} may not join: ${project.why}`, {
        code: reason,
        cure: project.cure,
        field: "CLUSTER",
      });
    case "Provisioning":
      return new NotReadyError(`${id} is being created`, { code: reason, cure: "join it once it runs" });
    case "Stopping":
      return new RefusedError(`${id} is being deleted`, { code: reason, cure: "name another cluster" });
    case "Failed":
    case "StatusUnknown":
    case "NotLabelled":
    case "OtherMesh":
      return new RefusedError(`${id} does not run`, { code: reason, cure: "mend the cluster, then join it" });
  }
}

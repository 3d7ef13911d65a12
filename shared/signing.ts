import type { Cluster, ClusterRef } from "./core/cluster.ts";
import { nonMemberReason } from "./core/membership.ts";
import { clusterId } from "./core/names.ts";
import type { MeshSpec } from "./core/spec.ts";
import { NotReadyError, RefusedError, UnavailableError } from "./errors.ts";
import type { IssuedCertificate, Ports } from "./ports.ts";
import { type Listing, listClusters } from "./reconcile/listing.ts";

/** What signing needs: the root, and who the members are. */
export interface Signing {
  readonly ports: Pick<Ports, "authority" | "directory">;
  readonly spec: MeshSpec;
  readonly signal: AbortSignal;
}

/**
 * Signs for a cluster that GKE itself calls a member, and for nobody else. Fails with RefusedError `NotAMember` or
 * `ClusterIdCollision`, with UnavailableError `ListingIncomplete` or NotReadyError `ClusterUnknown` while it cannot be told,
 * and as `RootAuthority` does.
 */
export async function signForMember(signing: Signing, id: string, csr: string): Promise<IssuedCertificate> {
  const member = await memberNamed(signing, id);
  return await signing.ports.authority.issue(csr, member, signing.signal);
}

async function memberNamed(signing: Signing, id: string): Promise<ClusterRef> {
  const listing = await listClusters(signing);
  if (listing.collisions.has(id)) {
    throw new RefusedError(
      `more than one member would be ${id}, so nothing is signed for any; create all but one of them anew under other names`,
      { code: "ClusterIdCollision", fields: { clusterId: id } },
    );
  }
  const named = listing.clusters.filter(({ ref }) => clusterId(ref) === id);
  const member = named.find((cluster) => nonMemberReason(cluster, signing.spec) === undefined);
  if (member !== undefined) return member.ref;
  const [listed] = named;
  if (listed === undefined) throw notListed(signing.spec, listing, id);
  return await memberAfterAll(signing, listed, id);
}

/** A list may be older than what the caller has read of this one cluster. */
async function memberAfterAll({ ports, spec, signal }: Signing, { ref }: Cluster, id: string) {
  const cluster = await ports.directory.get(ref, signal);
  const reason = cluster === undefined ? "Deleted" : nonMemberReason(cluster, spec);
  if (reason === undefined) return ref;
  throw new RefusedError(
    `cluster ${id} is no member of mesh ${spec.meshId} (${reason}), so nothing is signed for it; ` +
      `a member runs, is allowed, and has the label ${spec.meshLabel}=${spec.meshId}`,
    { code: "NotAMember", fields: { clusterId: id, reason } },
  );
}

function notListed(spec: MeshSpec, { findings }: Listing, id: string): Error {
  const fields = { clusterId: id };
  if (findings.length > 0) {
    const gaps = findings.map(({ message }) => message).join("; ");
    return new UnavailableError(`cluster ${id} is not listed, and ${gaps}; ask again`, {
      code: "ListingIncomplete",
      fields,
    });
  }
  return new NotReadyError(
    `no cluster ${id} is listed in ${spec.projects.join(", ")}; ask again if it has just been created`,
    { code: "ClusterUnknown", fields },
  );
}

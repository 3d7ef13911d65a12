import type { ClusterRef } from "./core/cluster/cluster.ts";
import { nonMemberReason } from "./core/cluster/membership.ts";
import { sourceIds } from "./core/cluster/sources.ts";
import { clusterId } from "./core/names.ts";
import type { MeshSpec } from "./core/spec.ts";
import { NotReadyError, RefusedError, UnavailableError } from "./errors.ts";
import { type Listing, listClusters } from "./look/listing.ts";
import type { Ports } from "./ports/ports.ts";
import type { IssuedCertificate } from "./ports/root-authority.ts";

/** The context of one signing request. */
export interface Signing {
  readonly ports: Pick<Ports, "authority" | "sources">;
  readonly spec: MeshSpec;
  readonly signal: AbortSignal;
}

/**
 * Signs only for a cluster that its source calls a member. Fails with RefusedError `ClusterIdCollision`, with
 * NotReadyError `NotAMember` or `ClusterUnknown`, with UnavailableError `ListingIncomplete`, and as
 * `RootAuthority` does.
 */
export async function signForMember(signing: Signing, id: string, csr: string): Promise<IssuedCertificate> {
  const member = await memberNamed(signing, id);
  return await signing.ports.authority.issue(csr, member, signing.signal);
}

async function memberNamed(signing: Signing, id: string): Promise<ClusterRef> {
  const listing = await listClusters(signing);
  if (listing.collisions.has(id)) {
    throw new RefusedError(`more than one member would be ${id}, so Meshjoin signs for none`, {
      code: "ClusterIdCollision",
      cure: "recreate all but one of them under other names",
      fields: { clusterId: id },
    });
  }
  const named = listing.clusters.filter(({ ref }) => clusterId(ref) === id);
  const member = named.find((cluster) => nonMemberReason(cluster, signing.spec) === undefined);
  if (member !== undefined) return member.ref;
  const [nonMember] = named;
  if (nonMember === undefined) throw notListed(signing.spec, listing, id);
  throw notAMember(signing.spec, id, nonMemberReason(nonMember, signing.spec) ?? "");
}

/** Retryable: the caller has read the cluster itself, and a list may be older. */
function notAMember({ meshId, meshLabel }: MeshSpec, id: string, reason: string): NotReadyError {
  return new NotReadyError(
    `cluster ${id} is no member of mesh ${meshId} (${reason}), so Meshjoin signs nothing for it`,
    {
      code: "NotAMember",
      cure: `a member runs, is allowed, and has the label ${meshLabel}=${meshId}; ask again if that has just changed`,
      fields: { clusterId: id, reason },
    },
  );
}

function notListed(spec: MeshSpec, { findings }: Listing, id: string): Error {
  const fields = { clusterId: id };
  if (findings.length > 0) {
    const gaps = findings.map(({ message }) => message).join("; ");
    return new UnavailableError(`cluster ${id} is not listed, and ${gaps}`, {
      code: "ListingIncomplete",
      cure: "ask again",
      fields,
    });
  }
  return new NotReadyError(`no cluster ${id} is listed in ${sourceIds(spec).join(", ")}`, {
    code: "ClusterUnknown",
    cure: "ask again if it has just been created",
    fields,
  });
}

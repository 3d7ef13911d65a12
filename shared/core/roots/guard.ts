import { type Finding, finding } from "../answers/finding.ts";
import { kubectlOn } from "../cluster/gcloud.ts";
import type { NamedCluster, OwnCacerts } from "../member/observation.ts";
import { CACERTS, ISTIO_NAMESPACE } from "../names.ts";
import type { MeshSpec } from "../spec.ts";
import { aliasCommand } from "./no-signing-root.ts";
import type { Roots } from "./stages.ts";
import { bundleVersions, parseRootVersions, type RootVersions } from "./state.ts";

interface RootsOfMesh {
  readonly roots: Roots;
  readonly spec: Pick<MeshSpec, "meshId" | "rootProject">;
}

/**
 * Why a member must not get the roots that the aliases name now; undefined if it may. A root leaves a bundle
 * only after a recorded retirement (design rule 13), and another root signs only after Meshjoin has seen that
 * every member trusts it. An edit of the aliases that drops or skips either would cut off workloads that are
 * alive.
 */
export function unsafeRoots(
  { rootVersions }: Pick<OwnCacerts, "rootVersions">,
  { roots: { versions, notes }, spec }: RootsOfMesh,
  member: Pick<NamedCluster, "cluster" | "clusterId">,
): Finding | undefined {
  const { clusterId } = member;
  const before = parseRootVersions(rootVersions);
  const trusted = bundleVersions(before);
  const next = bundleVersions(versions);
  const lost = trusted.filter((version) => !next.includes(version) && !notes.retired.includes(version));
  if (lost.length > 0) {
    return finding(
      "RootMissing",
      `the member trusts root version ${lost.join(", ")}, which no alias names and no rotation has retired; the member keeps its cacerts`,
      named(lost, versions, spec),
      clusterId,
    );
  }
  if (trusted.length > 0 && !trusted.some((version) => next.includes(version))) {
    return missedRotation(trusted, member);
  }
  const isNested =
    trusted.every((version) => next.includes(version)) || next.every((each) => trusted.includes(each));
  if (!isNested) {
    const message = `the bundle would lose root version ${trusted.join(", ")} for ${next.join(", ")} in one step, which istiod does not take; the member keeps its cacerts`;
    return finding("RootNotDistributed", message, giveBack(before, spec), clusterId);
  }
  const { signing } = versions;
  if (signing === undefined || before.signing === undefined || before.signing === signing) return undefined;
  if (trusted.includes(signing) && notes.distributed.includes(signing)) return undefined;
  return finding(
    "RootNotDistributed",
    `root version ${signing} has the alias signing, and Meshjoin has not seen every member trust it; this member keeps its cacerts`,
    giveBack({ signing: before.signing, next: signing }, spec),
    clusterId,
  );
}

/** One alias is free for one version; of several, a person has to tell which is which. */
function named(lost: readonly number[], versions: RootVersions, spec: RootsOfMesh["spec"]): string {
  const role = versions.signing === undefined ? "signing" : "previous";
  const [version, ...others] = lost;
  return version === undefined || others.length > 0 || versions[role] !== undefined
    ? "give the version its alias back: signing, or previous if another signs now"
    : `give the version its alias back: ${aliasCommand(spec, { ...versions, [role]: version })}`;
}

function giveBack(versions: RootVersions, spec: RootsOfMesh["spec"]): string {
  return `give the aliases back that were there: ${aliasCommand(spec, versions)}; the rotator moves them on when it is safe`;
}

/** It was no member during a rotation: no member trusts it, and no step leads between the two bundles. */
function missedRotation(
  trusted: readonly number[],
  { cluster, clusterId }: Pick<NamedCluster, "cluster" | "clusterId">,
): Finding {
  return finding(
    "RotationMissed",
    `the member trusts root version ${trusted.join(", ")} alone, which the mesh has retired: it was away during a rotation`,
    `cut its workloads off once, an outage: ${kubectlOn(cluster.ref)} -n ${ISTIO_NAMESPACE} delete secret ${CACERTS}; when Meshjoin has issued another, restart istiod and the workloads`,
    clusterId,
  );
}

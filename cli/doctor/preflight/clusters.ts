import { type Check, fault, fine, unknown } from "../../../shared/core/answers/check.ts";
import { needsNetAdmin } from "../../../shared/core/cluster/autopilot.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { mayJoin } from "../../../shared/core/cluster/membership.ts";
import { clusterId } from "../../../shared/core/names.ts";
import type { MeshSpec } from "../../../shared/core/spec.ts";
import { ours } from "../../../shared/doctor/google.ts";
import type { Grants } from "../../../shared/doctor/grants.ts";
import { sourceCures } from "../../../shared/doctor/sources.ts";
import pin from "../../../shared/istio/pin.json" with { type: "json" };
import type { ClusterSource } from "../../../shared/ports/cluster-sources.ts";

interface ClusterQuestion {
  readonly spec: MeshSpec;
  readonly grants: Grants;
  readonly signal: AbortSignal;
}

export interface Candidates {
  readonly checks: readonly Check[];
  /** The clusters that may join, labelled or not. */
  readonly clusters: readonly Cluster[];
  /** Whether the source was listed in full. */
  readonly complete: boolean;
}

/** Checks every cluster that may join, before it does. */
export async function checkClusters(
  source: ClusterSource,
  { spec, grants, signal }: ClusterQuestion,
): Promise<Candidates> {
  const subject = { name: "clusters", account: "caller" } as const;
  const { id } = source;
  try {
    const { clusters, silent } = await source.list(signal);
    const able = clusters.filter((cluster) => mayJoin(cluster, spec));
    const listing =
      silent.length === 0
        ? fine(subject, `${id}: ${clusters.length} listed, ${able.length} of them may join`)
        : unknown(subject, `${id}: no answer from ${silent.join(", ")}`, "ask again");
    return {
      checks: [listing, ...able.flatMap((cluster) => checkCluster(cluster, spec))],
      clusters: able,
      complete: silent.length === 0,
    };
  } catch (error) {
    const { code, message, cure } = ours(error);
    const cures = sourceCures(source, grants);
    return {
      checks: [unknown(subject, `${id}: ${message}`, cures[code] ?? cure)],
      clusters: [],
      complete: false,
    };
  }
}

function checkCluster(cluster: Cluster, spec: MeshSpec): readonly Check[] {
  const subject = { name: "cluster", account: "caller", clusterId: clusterId(cluster.ref) } as const;
  const netAdmin = needsNetAdmin(cluster);
  const hub = spec.istioHub ?? pin.hub;
  const checks = [
    ...(cluster.vpcNative
      ? []
      : [
          fault(
            subject,
            "its pods have no addresses of the VPC",
            `replace it: gcloud container clusters create NAME --project=${cluster.ref.project} --location=${cluster.ref.location} --enable-ip-alias`,
          ),
        ]),
    ...(netAdmin === undefined ? [] : [fault(subject, netAdmin.message, netAdmin.cure)]),
    ...(cluster.privateNodes && !isGoogles(hub)
      ? [
          unknown(
            subject,
            `its private nodes pull from ${hub} through Cloud NAT alone, and it is not known whether there is one`,
            "let Terraform make a mirror: image_mirror (docs/deploy.md)",
          ),
        ]
      : []),
  ];
  return checks.length > 0 ? checks : [fine(subject, "it can become a member")];
}

/**
 * Registries that nodes without an address of the internet reach;
 * https://cloud.google.com/vpc/docs/private-google-access
 */
function isGoogles(hub: string): boolean {
  return /^(?:[^/]+\.)?(?:pkg\.dev|gcr\.io)(?:\/|$)/.test(hub);
}

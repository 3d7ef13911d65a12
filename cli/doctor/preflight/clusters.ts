import { needsNetAdmin } from "../../../shared/core/autopilot.ts";
import { type Check, fault, fine, unknown } from "../../../shared/core/check.ts";
import type { Cluster } from "../../../shared/core/cluster.ts";
import { mayJoin } from "../../../shared/core/membership.ts";
import { clusterId } from "../../../shared/core/names.ts";
import type { MeshSpec } from "../../../shared/core/spec.ts";
import { ours } from "../../../shared/doctor/google.ts";
import { enableApi, type Grants } from "../../../shared/doctor/grants.ts";
import pin from "../../../shared/istio/pin.json" with { type: "json" };
import type { ClusterDirectory } from "../../../shared/ports.ts";

interface ClusterQuestion {
  readonly spec: MeshSpec;
  readonly grants: Grants;
  readonly signal: AbortSignal;
}

export interface Candidates {
  readonly checks: readonly Check[];
  /** Those that may join, labelled or not. */
  readonly clusters: readonly Cluster[];
  /** Whether the project was listed in full, so that there are no others. */
  readonly complete: boolean;
}

/** Every cluster that may join: what stands in its way is better known before. */
export async function checkClusters(
  directory: ClusterDirectory,
  project: string,
  { spec, grants, signal }: ClusterQuestion,
): Promise<Candidates> {
  const subject = { name: "clusters", account: "caller" } as const;
  try {
    const { clusters, missingLocations } = await directory.list(project, signal);
    const able = clusters.filter((cluster) => mayJoin(cluster, spec));
    const listing =
      missingLocations.length === 0
        ? fine(subject, `${project}: ${clusters.length} listed, ${able.length} of them may join`)
        : unknown(subject, `${project}: no answer from ${missingLocations.join(", ")}`, "ask again");
    return {
      checks: [listing, ...able.flatMap((cluster) => checkCluster(cluster, spec))],
      clusters: able,
      complete: missingLocations.length === 0,
    };
  } catch (error) {
    const { code, message, cure } = ours(error);
    const cures: Readonly<Record<string, string>> = {
      PermissionDenied: grants.onProject(project, "roles/container.clusterViewer"),
      ServiceDisabled: enableApi("container.googleapis.com", project),
    };
    return {
      checks: [unknown(subject, `${project}: ${message}`, cures[code] ?? cure)],
      clusters: [],
      complete: false,
    };
  }
}

function checkCluster(cluster: Cluster, spec: MeshSpec): readonly Check[] {
  const subject = { name: "cluster", account: "caller", clusterId: clusterId(cluster.ref) } as const;
  const netAdmin = needsNetAdmin(cluster);
  const hub = spec.istioHub ?? pin.hub;
  const found = [
    ...(cluster.vpcNative
      ? []
      : [
          fault(
            subject,
            "its pods have no addresses of the VPC",
            `make another in its place: gcloud container clusters create NAME --project=${cluster.ref.project} --location=${cluster.ref.location} --enable-ip-alias`,
          ),
        ]),
    ...(netAdmin === undefined ? [] : [fault(subject, netAdmin.message, netAdmin.cure)]),
    ...(cluster.privateNodes && !isGoogles(hub)
      ? [
          unknown(
            subject,
            `its private nodes pull from ${hub} through Cloud NAT alone, and whether there is one is not known`,
            "have Terraform make a mirror: image_mirror (docs/deploy.md)",
          ),
        ]
      : []),
  ];
  return found.length > 0 ? found : [fine(subject, "nothing about it stands in the way of a member")];
}

/** Registries that nodes without an address of the internet reach; https://cloud.google.com/vpc/docs/private-google-access */
function isGoogles(hub: string): boolean {
  return /^(?:[^/]+\.)?(?:pkg\.dev|gcr\.io)(?:\/|$)/.test(hub);
}

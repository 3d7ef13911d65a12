import { type Check, fault, fine, unknown } from "../../../shared/core/answers/check.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId, ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import { ours } from "../../../shared/doctor/google.ts";
import type { Grants } from "../../../shared/doctor/grants.ts";
import type { ManifestTemplate } from "../../../shared/istio/template.ts";
import type { Fleet } from "../../../shared/ports/fleet.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import {
  type NodeObject,
  type PodSpec,
  requestsOf,
  roomFor,
  roomOnAnother,
  type ScheduledPod,
} from "./node-room.ts";

/** The least istiods of a member, from the manifest. */
export interface Istiods {
  readonly count: number;
  readonly pod: PodSpec;
}

export interface RoomQuestion {
  readonly istiods: Istiods;
  readonly grants: Grants;
  readonly signal: AbortSignal;
}

/** The least number is the autoscaler's, if there is one. */
export function istiodsOf({ objects }: Pick<ManifestTemplate, "objects">): Istiods {
  const istiod = (kind: string) =>
    objects.find((each) => each.kind === kind && each.metadata.name === "istiod");
  const deployment: Workload | undefined = istiod("Deployment");
  const autoscaler: Workload | undefined = istiod("HorizontalPodAutoscaler");
  return {
    count: autoscaler?.spec?.minReplicas ?? deployment?.spec?.replicas ?? 1,
    pod: deployment?.spec?.template?.spec ?? {},
  };
}

interface Workload extends KubernetesObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly minReplicas?: number;
    readonly template?: { readonly spec?: PodSpec };
  };
}

/** Whether a cluster's nodes have room for istiod; a present istiod counts as room. */
export async function checkRoom(
  fleet: Fleet,
  cluster: Cluster,
  { istiods, grants, signal }: RoomQuestion,
): Promise<Check> {
  const subject = { name: "room", account: "caller", clusterId: clusterId(cluster.ref) } as const;
  const istiodsText = describe(istiods);
  try {
    const { reader } = fleet.member(cluster);
    const [nodes, all] = await Promise.all([
      reader.list({ apiVersion: "v1", kind: "Node" }, signal),
      reader.list({ apiVersion: "v1", kind: "Pod" }, signal),
    ]);
    const pods = all.filter((pod) => !isIstiod(pod));
    const room = roomFor(istiods.pod, nodes, pods);
    if (room >= istiods.count) return fine(subject, `its nodes have room for ${istiodsText}`);
    const lack = `its nodes have room for ${room} of ${istiodsText}`;
    if (cluster.addsNodes)
      return unknown(subject, `${lack}; GKE adds nodes if the project's quota allows it`);
    return fault(subject, lack, moreNodes(cluster, { istiods, nodes, pods, missing: istiods.count - room }));
  } catch (error) {
    const { code, message, cure } = ours(error);
    const refused = code === "Forbidden" || code === "Unauthorized";
    return unknown(
      subject,
      `it is not known whether its nodes have room for ${istiodsText}: ${message}`,
      refused ? grants.clusterView(cluster.ref) : cure,
    );
  }
}

function isIstiod({ metadata }: ScheduledPod): boolean {
  return metadata.namespace === ISTIO_NAMESPACE && metadata.labels?.["app"] === "istiod";
}

const GIB = 2 ** 30;

function describe({ count, pod }: Istiods): string {
  const { cpu, memory } = requestsOf(pod);
  return `${count} istiods, which reserve ${cpu} CPU and ${Number((memory / GIB).toFixed(2))} GiB each`;
}

const POOL_LABEL = "cloud.google.com/gke-nodepool";
const ZONE_LABEL = "topology.kubernetes.io/zone";
/** The machine type of docs/deploy.md; one holds two istiods of the charts. */
const MACHINE_TYPE = "e2-standard-2";

interface Shortage {
  readonly istiods: Istiods;
  readonly nodes: readonly NodeObject[];
  readonly pods: readonly ScheduledPod[];
  readonly missing: number;
}

/** `--num-nodes` counts in each zone. */
function moreNodes(
  { ref: { project, location, name } }: Cluster,
  { istiods, nodes, pods, missing }: Shortage,
): string {
  const where = `--project=${project} --location=${location}`;
  const pools = [...Map.groupBy(nodes, ({ metadata }) => metadata.labels?.[POOL_LABEL] ?? "")];
  for (const [pool, own] of pools) {
    const fitting = Math.max(...own.map((node) => roomOnAnother(istiods.pod, node, pods)));
    if (pool === "" || fitting === 0) continue;
    const zones = new Set(own.map(({ metadata }) => metadata.labels?.[ZONE_LABEL])).size;
    const total = own.length + Math.ceil(missing / fitting);
    return `gcloud container clusters resize ${name} ${where} --node-pool=${pool} --num-nodes=${Math.ceil(total / zones)}`;
  }
  return `gcloud container node-pools create istiod --cluster=${name} ${where} --machine-type=${MACHINE_TYPE} --num-nodes=1`;
}

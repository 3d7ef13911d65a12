import { type Check, fault, fine, unknown } from "../../../shared/core/answers/check.ts";
import { overlap, parseRange } from "../../../shared/core/cluster/address-ranges.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { kubectlOn, typedName } from "../../../shared/core/cluster/gcloud.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { ours } from "../../../shared/doctor/google.ts";
import type { Fleet } from "../../../shared/ports/fleet.ts";
import { type Collision, collisions, type ServicesOf } from "./service-addresses.ts";

const SUBJECT = { name: "services", account: "caller" } as const;
const OWN_RANGE =
  "give new clusters ranges of their own: gcloud container clusters create NAME --location=LOCATION --enable-ip-alias --services-ipv4-cidr=/20 (docs/deploy.md)";

/**
 * Whether Services of two clusters can have one address. GKE gives all clusters the same range by default, so
 * that is no fault by itself (docs/decisions/0010-equal-service-ranges.md); two Services that collide are.
 */
export async function checkServices(
  fleet: Fleet,
  clusters: readonly Cluster[],
  { complete, signal }: { readonly complete: boolean; readonly signal: AbortSignal },
): Promise<readonly Check[]> {
  const unseen = complete
    ? []
    : [unknown(SUBJECT, "not all clusters were listed, so the addresses of their Services are not known")];
  if (clusters.length < 2) return unseen;
  const silent = clusters.filter(({ serviceRange }) => parseRange(serviceRange) === undefined);
  const sharing = clusters.filter((one) => clusters.some((other) => one !== other && share(one, other)));
  const withoutRange = silent.map((cluster) =>
    unknown({ ...SUBJECT, clusterId: clusterId(cluster.ref) }, "GKE does not tell the range of its Services"),
  );
  if (sharing.length > 0)
    return [...unseen, ...withoutRange, ...(await checkSharing(fleet, sharing, signal))];
  const unknowns = [...unseen, ...withoutRange];
  return unknowns.length > 0
    ? unknowns
    : [fine(SUBJECT, `those of all ${clusters.length} clusters have ranges of their own`)];
}

function share(one: Cluster, other: Cluster): boolean {
  const [a, b] = [parseRange(one.serviceRange), parseRange(other.serviceRange)];
  return a !== undefined && b !== undefined && overlap([a], [b]);
}

async function checkSharing(
  fleet: Fleet,
  sharing: readonly Cluster[],
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const answers = await Promise.allSettled(sharing.map((cluster) => servicesOf(fleet, cluster, signal)));
  const read = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  const errors = answers.flatMap((answer) => (answer.status === "rejected" ? [ours(answer.reason)] : []));
  const faults = collisions(read).map((each) => toFault(each, sharing));
  const names = sharing.map(({ ref }) => clusterId(ref)).join(", ");
  const ranges = [...new Set(sharing.map(({ serviceRange }) => serviceRange))].join(", ");
  const [error] = errors;
  const present =
    error === undefined
      ? `${faults.length > 0 ? "" : "no two collide now; "}it is not known which will collide`
      : `it is not known whether two collide now: ${error.message}`;
  return [
    ...faults,
    unknown(SUBJECT, `${names} take addresses of Services from ${ranges}: ${present}`, OWN_RANGE),
  ];
}

async function servicesOf(fleet: Fleet, cluster: Cluster, signal: AbortSignal): Promise<ServicesOf> {
  const { reader } = fleet.member(cluster);
  const services = await reader.list({ apiVersion: "v1", kind: "Service" }, signal);
  return { clusterId: clusterId(cluster.ref), services };
}

/** If both clusters have the Service, each has its own address for it. */
function toFault(
  { address, clusterId: id, service, otherClusterId, otherService }: Collision,
  clusters: readonly Cluster[],
): Check {
  const here = clusters.find(({ ref }) => clusterId(ref) === id);
  const kubectl = here === undefined ? "kubectl" : kubectlOn(here.ref);
  const [namespace, name] = otherService.split("/").map(typedName);
  const port = address.slice(address.lastIndexOf(":") + 1);
  return fault(
    { ...SUBJECT, clusterId: id },
    `its proxies would send connections for Service ${service} (${address}) to ${otherService}, which has the same address in ${otherClusterId}, is older, and does not exist here`,
    `create it here too, with an address of its own: ${kubectl} create service clusterip ${name} --namespace=${namespace} --tcp=${port}:${port}`,
  );
}

import { type Check, fault, fine, unknown } from "../../../shared/core/answers/check.ts";
import { overlap, parseRange } from "../../../shared/core/cluster/address-ranges.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { ours } from "../../../shared/doctor/google.ts";
import type { Fleet } from "../../../shared/ports/fleet.ts";
import { type Collision, collisions, type ServicesOf } from "./service-addresses.ts";

const SUBJECT = { name: "services", account: "caller" } as const;
const OWN_RANGE =
  "give clusters that are still to be made ranges of their own: gcloud container clusters create NAME --location=LOCATION --enable-ip-alias --services-ipv4-cidr=/20 (docs/deploy.md)";

/**
 * Whether Services of two clusters can have one address. GKE gives all clusters the same range unless it is told otherwise, so
 * that by itself is no fault (docs/decisions/0010-equal-service-ranges.md); two Services that get into each other's way are.
 */
export async function checkServices(
  fleet: Fleet,
  clusters: readonly Cluster[],
  { complete, signal }: { readonly complete: boolean; readonly signal: AbortSignal },
): Promise<readonly Check[]> {
  const unseen = complete
    ? []
    : [unknown(SUBJECT, "not all clusters were listed, so what their Services take is not known")];
  if (clusters.length < 2) return unseen;
  const silent = clusters.filter(({ serviceRange }) => parseRange(serviceRange) === undefined);
  const sharing = clusters.filter((one) => clusters.some((other) => one !== other && share(one, other)));
  const told = silent.map((cluster) =>
    unknown(
      { ...SUBJECT, clusterId: clusterId(cluster.ref) },
      "GKE does not say which range its Services have",
    ),
  );
  if (sharing.length > 0) return [...unseen, ...told, ...(await checkSharing(fleet, sharing, signal))];
  const unknowns = [...unseen, ...told];
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
  const found = collisions(read).map(toFault);
  const names = sharing.map(({ ref }) => clusterId(ref)).join(", ");
  const ranges = [...new Set(sharing.map(({ serviceRange }) => serviceRange))].join(", ");
  const [error] = errors;
  const seen =
    error === undefined
      ? `${found.length > 0 ? "besides, which" : "none is in the way of another now, and which"} will be is not known`
      : `whether one is in the way of another now is not known: ${error.message}`;
  return [
    ...found,
    unknown(SUBJECT, `${names} take addresses of Services from ${ranges}: ${seen}`, OWN_RANGE),
  ];
}

async function servicesOf(fleet: Fleet, cluster: Cluster, signal: AbortSignal): Promise<ServicesOf> {
  const { reader } = fleet.member(cluster);
  const services = await reader.list({ apiVersion: "v1", kind: "Service" }, signal);
  return { clusterId: clusterId(cluster.ref), services };
}

/** With the Service of the same name in both clusters, each has its address there. */
function toFault({ address, clusterId: id, service, otherClusterId, otherService }: Collision): Check {
  const [namespace, name] = otherService.split("/");
  const port = address.slice(address.lastIndexOf(":") + 1);
  return fault(
    { ...SUBJECT, clusterId: id },
    `its proxies would send what is for Service ${service} (${address}) to ${otherService}, which has the same address in ${otherClusterId}, is older, and is not here`,
    `make it here, too, so that it has an address of its own: kubectl create service clusterip ${name} --namespace=${namespace} --tcp=${port}:${port}`,
  );
}

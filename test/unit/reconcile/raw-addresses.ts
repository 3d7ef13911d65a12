import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId, NETWORK_LABEL } from "../../../shared/core/names.ts";
import { gatewayStates } from "../../../shared/istio/gateway.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import type { FakeMesh } from "../../support/fakes/mesh.ts";
import { secretsOf } from "./world.ts";

const NAMESPACE = { apiVersion: "v1", kind: "Namespace", name: "istio-system" };
const ISTIOD = { apiVersion: "apps/v1", kind: "Deployment", namespace: "istio-system", name: "istiod" };

/** Cluster IDs of those that the cluster has a remote secret of. */
export function readBy(mesh: FakeMesh, cluster: Cluster): string[] {
  return secretsOf(mesh, cluster)
    .filter(({ metadata }) => metadata.labels?.["istio/multiCluster"] === "true")
    .map(({ metadata }) => metadata.name.replace("istio-remote-secret-", ""));
}

/**
 * Where proxies have raw addresses of pods in another network now, as istiod makes endpoints: a pod is in the
 * network of its label, else in that of its Istio namespace, and a proxy in that of its pod, or that its
 * istiod gives the next one. Written from `pilot/pkg/xds/endpoints/ep_filters.go`, not from the plan.
 */
export function rawAddresses(mesh: FakeMesh): string[] {
  const byId = new Map(mesh.clusters.map((cluster) => [clusterId(cluster.ref), cluster]));
  return mesh.clusters.flatMap((reader) => {
    const reads = readBy(mesh, reader).flatMap((id) => byId.get(id) ?? []);
    return reads.flatMap((target) =>
      proxyNetworks(mesh, reader).flatMap((from) =>
        podNetworks(mesh, target)
          .filter((to) => from !== to && !hasGateway(mesh, to, target, [reader, ...reads]))
          .map((to) => `${reader.ref.name} in ${from} reads ${target.ref.name} in ${to}`),
      ),
    );
  });
}

/** One with an address, served or not, in the target's cluster or in one that istiod reads: it uses that. */
function hasGateway(mesh: FakeMesh, network: string, target: Cluster, known: readonly Cluster[]): boolean {
  return [target, ...known].some((cluster) =>
    gatewayStates(servicesOf(mesh, cluster), []).some(
      (each) => each.network === network && each.addresses.length > 0,
    ),
  );
}

function servicesOf(mesh: FakeMesh, cluster: Cluster): KubernetesObject[] {
  const { store } = mesh.fleet.server(cluster);
  return store.list({ apiVersion: "v1", kind: "Service", labelSelector: NETWORK_LABEL });
}

function labelledPods(mesh: FakeMesh, cluster: Cluster): string[] {
  const { store } = mesh.fleet.server(cluster);
  const pods = store.list({ apiVersion: "v1", kind: "Pod", labelSelector: NETWORK_LABEL });
  return pods.flatMap(({ metadata }) => metadata.labels?.[NETWORK_LABEL] ?? []);
}

function podNetworks(mesh: FakeMesh, cluster: Cluster): string[] {
  const namespace = mesh.fleet.server(cluster).store.get(NAMESPACE);
  const network = namespace?.metadata.labels?.[NETWORK_LABEL];
  return [...new Set([...[network ?? []].flat(), ...labelledPods(mesh, cluster)])];
}

function proxyNetworks(mesh: FakeMesh, cluster: Cluster): string[] {
  const istiod = mesh.fleet.server(cluster).store.get(ISTIOD);
  const network = istiod?.metadata.annotations?.["meshjoin.dev/network"];
  return [...new Set([...[network ?? []].flat(), ...labelledPods(mesh, cluster)])];
}

/** Every raw address that proxies have at any time from now on, until `stop`. */
export function rawAddressesFromNow(mesh: FakeMesh) {
  const seen = new Set<string>();
  const look = () => {
    for (const each of rawAddresses(mesh)) seen.add(each);
  };
  look();
  const ends = mesh.servers.map(({ store }) => store.onChange(look));
  return {
    seen,
    stop: () => {
      for (const end of ends) end();
    },
  };
}

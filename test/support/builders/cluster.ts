import type { Cluster, ClusterEndpoints, ClusterRef } from "../../../shared/core/cluster/cluster.ts";
import { fnv1a } from "../../../shared/core/hash.ts";

export type ClusterSeed = Partial<Omit<Cluster, "ref">> & Partial<ClusterRef>;

/** A running member of mesh `prod`, reachable in every way, unless the seed says otherwise. */
export function aCluster(seed: ClusterSeed = {}): Cluster {
  const { project = "shop", location = "europe-west1", name = "east", ...rest } = seed;
  const id = fnv1a(`${project} ${location} ${name}`);
  return {
    ref: { project, location, name },
    id,
    status: "RUNNING",
    labels: { mesh_id: "prod" },
    network: { project: "shop", name: "default" },
    vpcNative: true,
    podRanges: { cidrs: [`10.${Number.parseInt(id.slice(0, 2), 16)}.0.0/16`], namesOnly: [] },
    serviceRange: `172.20.${Number.parseInt(id.slice(0, 2), 16)}.0/24`,
    autopilot: false,
    allowNetAdmin: false,
    privateNodes: false,
    addsNodes: false,
    kubernetesVersion: "1.36.3-gke.1",
    endpoints: allEndpoints(rest.id ?? id),
    ...rest,
  };
}

/** Addresses of their own for every cluster; the DNS-based one lets Kubernetes tokens in. */
export function allEndpoints(id: string): ClusterEndpoints {
  const caData = Buffer.from(`CA of ${id}`).toString("base64");
  return {
    public: { kind: "public", server: `https://${id}.public.example`, caData },
    private: { kind: "private", server: `https://${id}.private.example`, caData },
    dns: {
      kind: "dns",
      server: `https://${id}.dns.example`,
      allowsExternalTraffic: true,
      allowsKubernetesTokens: true,
    },
  };
}

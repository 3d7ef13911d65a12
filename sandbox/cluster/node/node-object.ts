import type { ApiClient } from "../api-client.ts";
import type { NodeFacts } from "./container-spec.ts";

/** Makes the cluster's one node known to its API server, ready for pods. */
export async function registerNode(
  api: ApiClient,
  node: NodeFacts,
  { podCidr, kubeletPort }: { readonly podCidr: string; readonly kubeletPort: number },
): Promise<void> {
  await api.create("/api/v1/nodes", nodeObject(node, podCidr));
  await api.mergePatch(`/api/v1/nodes/${node.name}/status`, { status: nodeStatus(kubeletPort) });
  // A new node is tainted as not ready; the controller that takes this off a ready one does not run here.
  await api.mergePatch(`/api/v1/nodes/${node.name}`, { spec: { taints: [] } });
}

/** As GKE sets them. A regional cluster has nodes in several zones; this one's is in the second. */
function localityLabels(location: string): Record<string, string> {
  const region = location.replace(/-[a-z]$/, "");
  return {
    "topology.kubernetes.io/region": region,
    "topology.kubernetes.io/zone": region === location ? `${region}-b` : location,
  };
}

function nodeObject({ name, ip, cpus: cores, memoryBytes, location }: NodeFacts, podCidr: string): object {
  const resources = { cpu: String(cores), memory: String(memoryBytes), pods: "1000" };
  return {
    metadata: {
      name,
      labels: {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        ...(location !== undefined && localityLabels(location)),
      },
    },
    spec: { podCIDR: podCidr, podCIDRs: [podCidr] },
    status: { capacity: resources, allocatable: resources, addresses: [{ type: "InternalIP", address: ip }] },
  };
}

function nodeStatus(kubeletPort: number): object {
  const at = new Date().toISOString();
  return {
    conditions: [
      {
        type: "Ready",
        status: "True",
        reason: "KubeletReady",
        lastHeartbeatTime: at,
        lastTransitionTime: at,
      },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
    nodeInfo: {
      architecture: "amd64",
      bootID: "",
      containerRuntimeVersion: "host-process://1",
      kernelVersion: "",
      kubeProxyVersion: "",
      kubeletVersion: "v1.36.3",
      machineID: "",
      operatingSystem: "linux",
      osImage: "meshjoin sandbox",
      systemUUID: "",
    },
  };
}

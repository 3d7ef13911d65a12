import { stringify } from "yaml";
import type { Endpoint } from "../core/cluster/cluster.ts";
import { isRecord } from "../is-record.ts";
import { readYaml } from "./read-yaml.ts";

/**
 * The kubeconfig of a remote secret: the shape and the key order of `istioctl create-remote-secret` (Istio
 * `istioctl/pkg/multicluster/remote_secret.go`, createBaseKubeconfig). Deterministic, because istiod compares
 * the bytes and keeps its connection if they are equal.
 */
export function renderKubeconfig(clusterId: string, endpoint: Endpoint, token: string): string {
  const cluster =
    endpoint.caData === undefined
      ? { server: endpoint.server }
      : { "certificate-authority-data": endpoint.caData, server: endpoint.server };
  return stringify(
    {
      apiVersion: "v1",
      clusters: [{ cluster, name: clusterId }],
      contexts: [{ context: { cluster: clusterId, user: clusterId }, name: clusterId }],
      "current-context": clusterId,
      kind: "Config",
      users: [{ name: clusterId, user: { token } }],
    },
    { lineWidth: 0, indentSeq: false },
  );
}

/** The inverse. Undefined for a kubeconfig that a person has broken, or that has no token. */
export function tokenOfKubeconfig(text: string): string | undefined {
  const config = readYaml(text);
  const users: unknown = isRecord(config) ? config["users"] : undefined;
  const first: unknown = Array.isArray(users) ? users[0] : undefined;
  const user = isRecord(first) ? first["user"] : undefined;
  const token = isRecord(user) ? user["token"] : undefined;
  return typeof token === "string" ? token : undefined;
}

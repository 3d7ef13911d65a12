import { KubeConfig } from "@kubernetes/client-node";
import { type ApiClient, ApiError, createApiClient } from "../cluster/api-client.ts";
import type { FleetMember } from "../google/member.ts";
import type { Manifest } from "./objects.ts";

const CONFLICT = 409;

/** What is there already stays as it is. */
export async function createIfAbsent(api: ApiClient, { path, object }: Manifest): Promise<void> {
  try {
    await api.create(path, object);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === CONFLICT)) throw error;
  }
}

/** As an administrator of the member, past the fault proxy. */
export function memberApi({ name, kubeconfig }: FleetMember): ApiClient {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const cluster = config.getCurrentCluster();
  const token = config.getCurrentUser()?.token;
  if (cluster?.caData === undefined || token === undefined) {
    throw new Error(`the kubeconfig of ${name} holds no CA or no token; start the fleet again`);
  }
  return createApiClient({
    server: cluster.server,
    caPem: Buffer.from(cluster.caData, "base64").toString("utf8"),
    token,
  });
}

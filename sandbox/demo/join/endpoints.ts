import { setTimeout as sleep } from "node:timers/promises";
import { KubeConfig, KubernetesObjectApi } from "@kubernetes/client-node";
import type { FleetMember } from "../../google/member.ts";

const NAMESPACE = "shop";
const SERVICE = "hello";
const POLL_MS = 200;
const PATIENCE_MS = 30_000;

/** A service with one endpoint, as a Deployment behind a Service would have it. */
export async function createService(member: FleetMember): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(member.kubeconfig);
  const api = KubernetesObjectApi.makeApiClient(config);
  const metadata = { name: SERVICE, namespace: NAMESPACE };
  const labels = { app: SERVICE };
  await api.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
  await api.create({
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: { selector: labels, ports: [{ name: "http", port: 8000 }] },
  } as Parameters<typeof api.create>[0]);
  await api.create({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: SERVICE, image: "hello:1", ports: [{ containerPort: 8000 }] }] },
      },
    },
  } as Parameters<typeof api.create>[0]);
}

/**
 * Endpoints of that service in `owner` that the istiod of `viewer` knows: it can have them from nowhere but
 * the API server of `owner`, through its remote secret.
 */
export async function endpointsSeen(viewer: FleetMember, owner: FleetMember): Promise<number> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(POLL_MS)) {
    const count = await countEndpoints(viewer, owner);
    if (count > 0) return count;
  }
  return 0;
}

interface Shards {
  readonly Shards?: Readonly<Record<string, readonly unknown[]>>;
}

/**
 * `/debug/endpointShardz`: service → namespace → shards by `provider/cluster`; Istio
 * `pilot/pkg/xds/debug.go`.
 */
async function countEndpoints(viewer: FleetMember, owner: FleetMember): Promise<number> {
  if (viewer.istiodHttp === undefined) return 0;
  const response = await fetch(`${viewer.istiodHttp}/debug/endpointShardz`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- istiod's own JSON; every field is optional
  const services = (await response.json()) as Readonly<Record<string, Readonly<Record<string, Shards>>>>;
  const shards = services[`${SERVICE}.${NAMESPACE}.svc.cluster.local`]?.[NAMESPACE]?.Shards ?? {};
  return Object.entries(shards)
    .filter(([shard]) => shard.endsWith(`/${owner.clusterId}`))
    .reduce((sum, [, endpoints]) => sum + endpoints.length, 0);
}

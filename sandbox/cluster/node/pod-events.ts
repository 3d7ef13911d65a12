import type { V1Pod } from "@kubernetes/client-node";
import type { ApiClient } from "../api-client.ts";
import type { PullEvent } from "./image-pulls.ts";

/** Of a pod, by the kubelet of its node. */
export async function writeEvent(
  api: ApiClient,
  { metadata }: V1Pod,
  node: string,
  event: PullEvent,
): Promise<void> {
  const { namespace, name, uid } = metadata ?? {};
  const at = new Date().toISOString();
  await api.create(`/api/v1/namespaces/${namespace}/events`, {
    metadata: { generateName: `${name}.` },
    involvedObject: { apiVersion: "v1", kind: "Pod", namespace, name, uid },
    source: { component: "kubelet", host: node },
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
    ...event,
  });
}

import type { V1Pod } from "@kubernetes/client-node";
import type { ApiClient } from "../api-client.ts";
import { pathOf, unlessGone } from "./pod-record.ts";

/** Binds a pod to the node, without a look at the pod's requests or the node's free resources. */
export async function bindPod(api: ApiClient, pod: V1Pod, node: string): Promise<void> {
  const target = { apiVersion: "v1", kind: "Node", name: node };
  const metadata = { name: pod.metadata?.name };
  await unlessGone(api.create(`${pathOf(pod)}/binding`, { metadata, target }));
}

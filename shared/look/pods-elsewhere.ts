import type { Reachable } from "../core/member/observation.ts";
import { NETWORK_LABEL } from "../core/names.ts";
import { asMeshjoinError } from "../errors.ts";
import { GATEWAY_NAME_LABEL } from "../istio/own-gateway.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { byWorkload } from "./by-workload.ts";

/**
 * The workloads with pods of another network than this one. istiod's injector gives each pod the label of the
 * network that istiod is in then, and it stays; Istio `pkg/kube/inject/webhook.go`, `applyMetadata`. Gateways
 * have theirs by intent. Never fails.
 */
export async function podsElsewhere(
  { reader }: MemberApi,
  network: string,
  clusterId: string,
  signal: AbortSignal,
): Promise<Reachable["podsElsewhere"]> {
  try {
    const pods = await reader.list(
      {
        apiVersion: "v1",
        kind: "Pod",
        labelSelector: `${NETWORK_LABEL},${NETWORK_LABEL}!=${network}`,
        fieldSelector: "status.phase!=Succeeded,status.phase!=Failed",
        metadataOnly: true,
      },
      signal,
    );
    return byWorkload(pods.filter(({ metadata }) => metadata.labels?.[GATEWAY_NAME_LABEL] === undefined));
  } catch (error) {
    const { code, message, cure, retryable } = asMeshjoinError(error, clusterId, "its pods were listed");
    return { unread: { code, message, cure, retryable } };
  }
}

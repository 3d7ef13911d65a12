import { lastGatewayName, NETWORK_LABEL } from "../core/names.ts";
import type { LastGateway } from "../core/network/last-gateway.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import { CROSS_NETWORK_LISTENER, gatewayRef } from "./gateway.ts";
import { ownershipLabels } from "./ownership.ts";
import { secretRef } from "./secrets.ts";

/** istiod deploys nothing for it, and takes its addresses for gateways of its label's network. */
const CLASS = "istio-remote";

/**
 * In the reader: a Gateway that names the target's. It is a dependent of the remote secret, so it goes after
 * that, whoever deletes it: istiod has forgotten the target's pods by then.
 */
export function lastGatewayObject(
  meshId: string,
  targetId: string,
  remoteSecret: { readonly name: string; readonly uid: string },
  { network, addresses }: LastGateway,
): KubernetesObject {
  const { apiVersion, kind, name } = secretRef(remoteSecret.name);
  return {
    ...withMetadata(lastGatewayName(targetId), {
      labels: { ...ownershipLabels(meshId), [NETWORK_LABEL]: network },
      ownerReferences: [{ apiVersion, kind, name, uid: remoteSecret.uid }],
    }),
    spec: {
      gatewayClassName: CLASS,
      addresses: addresses.map((value) => ({ type: "IPAddress", value })),
      listeners: [CROSS_NETWORK_LISTENER],
    },
  };
}

function withMetadata(
  gateway: string,
  metadata: Pick<KubernetesObject["metadata"], "labels" | "ownerReferences">,
): KubernetesObject {
  const { apiVersion, kind, namespace = "", name } = gatewayRef(gateway);
  return { apiVersion, kind, metadata: { name, namespace, ...metadata } };
}

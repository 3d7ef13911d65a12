import { ISTIO_NAMESPACE, NETWORK_LABEL } from "../core/names.ts";
import { ownershipLabels } from "../istio/ownership.ts";
import type { MemberApi } from "../ports.ts";
import { applyOwned } from "./owned.ts";

/** Istio's namespace with the network that its cluster is in; an existing one keeps everything else it has. */
export async function applyNamespace(
  api: MemberApi,
  network: string,
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  const labels = { ...ownershipLabels(meshId), [NETWORK_LABEL]: network };
  await applyOwned(
    api,
    { apiVersion: "v1", kind: "Namespace", metadata: { name: ISTIO_NAMESPACE, labels } },
    meshId,
    signal,
  );
}

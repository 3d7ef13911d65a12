import { annotation, ISTIO_NAMESPACE, NETWORK_LABEL } from "../core/names.ts";
import { ownershipLabels } from "../istio/ownership.ts";
import type { LabelNamespace } from "../plan/action.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { applyOwned } from "./owned.ts";

/** Istio's namespace with its cluster's network, and a note; an existing namespace keeps everything else. */
export async function applyNamespace(
  api: MemberApi,
  { network, acceptance }: Pick<LabelNamespace, "network" | "acceptance">,
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  const metadata = {
    name: ISTIO_NAMESPACE,
    ...(network === undefined ? {} : { labels: { ...ownershipLabels(meshId), [NETWORK_LABEL]: network } }),
    ...(acceptance === undefined ? {} : { annotations: { [annotation("accepted-cacerts")]: acceptance } }),
  };
  await applyOwned(api, { apiVersion: "v1", kind: "Namespace", metadata }, meshId, signal);
}

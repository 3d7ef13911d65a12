import { annotation, ISTIO_NAMESPACE, NETWORK_LABEL } from "../core/names.ts";
import { ownershipLabels } from "../istio/ownership.ts";
import type { LabelNamespace, MarkLeft } from "../plan/action.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { applyOwned } from "./owned.ts";

type NamespaceContent = Pick<LabelNamespace, "network" | "acceptance"> &
  Partial<Pick<LabelNamespace, "formerNetwork" | "nextNetwork"> & Pick<MarkLeft, "leftAt">>;

/** Istio's namespace with its cluster's network, and notes; an existing namespace keeps everything else. */
export async function applyNamespace(
  api: MemberApi,
  { network, acceptance, formerNetwork, nextNetwork, leftAt }: NamespaceContent,
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  const notes = {
    ...(acceptance === undefined ? {} : { [annotation("accepted-cacerts")]: acceptance }),
    ...(nextNetwork === undefined ? {} : { [annotation("next-network")]: nextNetwork }),
    ...(formerNetwork === undefined || network === undefined
      ? {}
      : { [annotation("former-network")]: formerNetwork, [annotation("network")]: network }),
    ...(leftAt === undefined ? {} : { [annotation("left-at")]: leftAt.toISOString() }),
  };
  const metadata = {
    name: ISTIO_NAMESPACE,
    ...(network === undefined ? {} : { labels: { ...ownershipLabels(meshId), [NETWORK_LABEL]: network } }),
    ...(Object.keys(notes).length === 0 ? {} : { annotations: notes }),
  };
  await applyOwned(api, { apiVersion: "v1", kind: "Namespace", metadata }, meshId, signal);
}

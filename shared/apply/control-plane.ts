import { settleAll } from "../async/settle-all.ts";
import { type ControlPlane, withoutFailurePolicy } from "../istio/control-plane.ts";
import type { KubernetesObject, MemberApi } from "../ports.ts";
import { applyCrds } from "./crds.ts";
import { applyOwned, createOwned } from "./owned.ts";

/**
 * CRDs until they are served; then what istiod stands on, side by side; the webhooks only if all of that went well, because
 * one without an istiod lets no pod start; and istiod's Deployment last: its hash says "all done".
 */
export async function applyControlPlane(
  api: MemberApi,
  desired: ControlPlane,
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  await applyCrds(api, desired, meshId, signal);
  await settleAll(
    desired.others.map((object) =>
      // A ServiceAccount sets nothing that could conflict, so an apply would adopt somebody else's.
      hasMetadataOnly(object)
        ? createOwned(api, object, meshId, signal)
        : applyOwned(api, object, meshId, signal),
    ),
  );
  await settleAll([
    ...desired.mutatingWebhooks.map((webhook) => applyOwned(api, webhook, meshId, signal)),
    // An apply would own `failurePolicy`; dropping it later would reset it to its default, Fail, before istiod can answer.
    ...desired.validatingWebhooks.map((webhook) =>
      createOwned(api, webhook, meshId, signal, withoutFailurePolicy(webhook)),
    ),
  ]);
  await applyOwned(api, desired.deployment, meshId, signal);
}

function hasMetadataOnly(object: KubernetesObject): boolean {
  return Object.keys(object).every((field) => ["apiVersion", "kind", "metadata"].includes(field));
}

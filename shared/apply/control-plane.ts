import { settleAll } from "../async/settle-all.ts";
import { ConflictError } from "../errors.ts";
import { type ControlPlane, withoutFailurePolicy } from "../istio/control-plane.ts";
import type { KubernetesObject, MemberApi } from "../ports.ts";
import { applyCrds } from "./crds.ts";
import { applyOwned, assertOurs } from "./owned.ts";

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
  await settleAll(desired.others.map((object) => applyOwned(api, object, meshId, signal)));
  await settleAll([
    ...desired.mutatingWebhooks.map((webhook) => applyOwned(api, webhook, meshId, signal)),
    ...desired.validatingWebhooks.map((webhook) => applyValidatingWebhook(api, webhook, meshId, signal)),
  ]);
  await applyOwned(api, desired.deployment, meshId, signal);
}

/**
 * Created as rendered, and from then on applied without `failurePolicy`. A POST, not an apply, because an apply
 * would own the field, and dropping it later would reset it to its default, Fail, before istiod can answer.
 */
async function applyValidatingWebhook(
  api: MemberApi,
  webhook: KubernetesObject,
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await api.writer.create(webhook, signal);
  } catch (error) {
    if (!(error instanceof ConflictError) || error.code !== "AlreadyExists") throw error;
    await assertOurs(api, webhook, meshId, signal, error);
    await api.writer.apply(withoutFailurePolicy(webhook), { force: true, signal });
  }
}

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
  await applyMissing(api, desired, () => false, meshId, signal);
}

/** The same for those objects that are not there, CRDs that are older included; answers how many of the others there were. */
export async function applyMissing(
  api: MemberApi,
  desired: ControlPlane,
  isThere: (object: KubernetesObject) => boolean,
  meshId: string,
  signal: AbortSignal,
): Promise<number> {
  const missing = (objects: readonly KubernetesObject[]) => objects.filter((object) => !isThere(object));
  const others = missing(desired.others);
  const mutating = missing(desired.mutatingWebhooks);
  const validating = missing(desired.validatingWebhooks);
  const deployments = missing([desired.deployment]);
  await applyCrds(api, desired, meshId, signal);
  await settleAll(
    others.map((object) =>
      // A ServiceAccount sets nothing that could conflict, so an apply would adopt somebody else's.
      hasMetadataOnly(object)
        ? createOwned(api, object, meshId, signal)
        : applyOwned(api, object, meshId, signal),
    ),
  );
  await settleAll([
    ...mutating.map((webhook) => applyOwned(api, webhook, meshId, signal)),
    // An apply would own `failurePolicy`; dropping it later would reset it to its default, Fail, before istiod can answer.
    ...validating.map((webhook) => createOwned(api, webhook, meshId, signal, withoutFailurePolicy(webhook))),
  ]);
  await settleAll(deployments.map((deployment) => applyOwned(api, deployment, meshId, signal)));
  return [others, mutating, validating, deployments].flat().length;
}

function hasMetadataOnly(object: KubernetesObject): boolean {
  return Object.keys(object).every((field) => ["apiVersion", "kind", "metadata"].includes(field));
}

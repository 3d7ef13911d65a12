import { ISTIO_NETWORKING, ISTIO_SECURITY } from "../../../../shared/core/kubernetes-requests.ts";
import { UnavailableError } from "../../../../shared/errors.ts";
import { isReady } from "../../../../shared/istio/workload.ts";
import type { KubernetesObject } from "../../../../shared/ports/kubernetes-object.ts";
import type { ObjectStore } from "./object-store.ts";

const VALIDATED: readonly unknown[] = [ISTIO_NETWORKING, ISTIO_SECURITY];

/**
 * istiod's validating webhook stands before writes of Istio's custom resources. Where it fails closed and no
 * istiod answers, the API server answers 500.
 */
export function assertAdmitted(store: ObjectStore, { apiVersion, kind }: KubernetesObject): void {
  if (!VALIDATED.includes(apiVersion) || !failsClosed(store)) return;
  const pods = { apiVersion: "v1", kind: "Pod", namespace: "istio-system", labelSelector: "app=istiod" };
  if (store.list(pods).some((pod) => isReady(pod))) return;
  throw new UnavailableError(
    `apply ${kind}: Internal error occurred: failed calling webhook "validation.istio.io": failed to call webhook: no endpoints available for service "istiod"`,
    { code: "ApiServerError" },
  );
}

function failsClosed(store: ObjectStore): boolean {
  const kind = "ValidatingWebhookConfiguration";
  return store
    .list({ apiVersion: "admissionregistration.k8s.io/v1", kind })
    .some(({ webhooks }) => JSON.stringify(webhooks ?? []).includes('"failurePolicy":"Fail"'));
}

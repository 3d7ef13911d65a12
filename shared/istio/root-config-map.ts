import { ISTIO_NAMESPACE } from "../core/names.ts";
import type { PublishedRoots } from "../core/roots/gate.ts";
import type { Certificate } from "../pki/certificate.ts";
import { readBundle } from "../pki/verify.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { secretData } from "./member-state.ts";

/** istiod writes it into each namespace; Istio `pilot/pkg/bootstrap/namespacecontroller.go`. */
const ROOTS = { apiVersion: "v1", kind: "ConfigMap", namespace: ISTIO_NAMESPACE, name: "istio-ca-root-cert" };

/** The roots that istiod has published, by namespace, in one request. None for a malformed ConfigMap. */
export async function publishedRoots(
  api: Pick<MemberApi, "reader">,
  signal: AbortSignal,
): Promise<PublishedRoots[]> {
  const { apiVersion, kind, name } = ROOTS;
  const objects = await api.reader.list({ apiVersion, kind, fieldSelector: `metadata.name=${name}` }, signal);
  return objects.map((object) => ({
    namespace: object.metadata.namespace ?? "",
    fingerprints: certificatesOf(object).map(({ fingerprint }) => fingerprint),
  }));
}

function certificatesOf(object: KubernetesObject): Certificate[] {
  return readBundle(secretData(object)["root-cert.pem"] ?? "") ?? [];
}

/** The roots that istiod publishes in Istio's own namespace; empty for an absent or malformed ConfigMap. */
export async function rootCertificates(
  api: Pick<MemberApi, "reader">,
  signal: AbortSignal,
): Promise<Certificate[]> {
  const configMap = await api.reader.get(ROOTS, signal);
  return configMap === undefined ? [] : certificatesOf(configMap);
}

import { ISTIO_NAMESPACE } from "../core/names.ts";
import type { PublishedRoots } from "../core/roots/gate.ts";
import type { Certificate } from "../pki/certificate.ts";
import { readBundle } from "../pki/verify.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { secretData } from "./member-state.ts";

/** istiod writes it into every namespace: the roots that workloads trust; Istio `pilot/pkg/bootstrap/namespacecontroller.go`. */
const ROOTS = { apiVersion: "v1", kind: "ConfigMap", namespace: ISTIO_NAMESPACE, name: "istio-ca-root-cert" };

/**
 * The same of every namespace that istiod has published it in: one list over the whole cluster. What cannot be parsed is
 * published without any root.
 */
export async function publishedRoots(
  api: Pick<MemberApi, "reader">,
  signal: AbortSignal,
): Promise<PublishedRoots[]> {
  const { apiVersion, kind, name } = ROOTS;
  const found = await api.reader.list({ apiVersion, kind, fieldSelector: `metadata.name=${name}` }, signal);
  return found.map((object) => ({
    namespace: object.metadata.namespace ?? "",
    fingerprints: certificatesOf(object).map(({ fingerprint }) => fingerprint),
  }));
}

function certificatesOf(object: KubernetesObject): Certificate[] {
  return readBundle(secretData(object)["root-cert.pem"] ?? "") ?? [];
}

/** What the workloads of Istio's own namespace trust; nothing where istiod has not published it, or it cannot be read. */
export async function rootCertificates(
  api: Pick<MemberApi, "reader">,
  signal: AbortSignal,
): Promise<Certificate[]> {
  const found = await api.reader.get(ROOTS, signal);
  return found === undefined ? [] : certificatesOf(found);
}

import { ISTIO_NAMESPACE } from "../core/names.ts";
import { type Certificate, parseBundle } from "../pki/certificate.ts";
import type { MemberApi } from "../ports.ts";

/** istiod writes it into every namespace: the roots that workloads trust; Istio `pilot/pkg/bootstrap/namespacecontroller.go`. */
const ROOTS = { apiVersion: "v1", kind: "ConfigMap", namespace: ISTIO_NAMESPACE, name: "istio-ca-root-cert" };

/** What the workloads of Istio's own namespace trust; nothing where istiod has not published it, or it cannot be read. */
export async function rootCertificates(api: MemberApi, signal: AbortSignal): Promise<Certificate[]> {
  const found = await api.reader.get(ROOTS, signal);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 ConfigMap
  const data = found?.["data"] as Readonly<Record<string, string>> | undefined;
  return parseBundle(data?.["root-cert.pem"] ?? "");
}

import { annotation, CACERTS, ISTIO_NAMESPACE } from "../core/names.ts";
import type { MemberApi } from "../ports.ts";

/** Notes that every istiod was seen serving the intermediate; conditional on the Secret that was looked at. */
export async function annotateLoaded(
  api: MemberApi,
  resourceVersion: string,
  now: Date,
  signal: AbortSignal,
): Promise<void> {
  await api.writer.apply(
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: CACERTS,
        namespace: ISTIO_NAMESPACE,
        resourceVersion,
        annotations: { [annotation("loaded-at")]: now.toISOString() },
      },
    },
    { signal },
  );
}

import type { OwnCacerts } from "../core/member/observation.ts";
import { annotation, CACERTS, ISTIO_NAMESPACE } from "../core/names.ts";
import type { MemberApi } from "../ports/member-api.ts";

/**
 * Notes that every istiod serves the intermediate, if the Secret is still the one that was read. The UID
 * keeps the apply from creating a Secret of this one annotation if `cacerts` was deleted meanwhile.
 */
export async function annotateLoaded(
  api: MemberApi,
  {
    uid,
    resourceVersion,
    versionsLoadedAt,
  }: Pick<OwnCacerts, "uid" | "resourceVersion" | "versionsLoadedAt">,
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
        uid,
        resourceVersion,
        annotations: {
          [annotation("loaded-at")]: now.toISOString(),
          // An apply removes a field that the apply before it has set and that it leaves out.
          [annotation("versions-loaded-at")]: (versionsLoadedAt ?? now).toISOString(),
        },
      },
    },
    { signal },
  );
}

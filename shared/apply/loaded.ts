import type { OwnCacerts } from "../core/member/observation.ts";
import { annotation, CACERTS, ISTIO_NAMESPACE } from "../core/names.ts";
import type { MemberApi } from "../ports/member-api.ts";

/**
 * Notes that every istiod was seen serving the intermediate; conditional on the Secret that was looked at. The UID
 * keeps the apply from creating a Secret of this one annotation where `cacerts` was deleted meanwhile.
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
          // Left out, it would go: an apply takes back what the one before has set.
          [annotation("versions-loaded-at")]: (versionsLoadedAt ?? now).toISOString(),
        },
      },
    },
    { signal },
  );
}

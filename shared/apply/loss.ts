import { annotation } from "../core/names.ts";
import { secretRef } from "../istio/secrets.ts";
import type { NoteLoss } from "../plan/action.ts";
import type { MemberApi } from "../ports/member-api.ts";

/**
 * Notes a loss on the Secret that was read, or takes the note off: an apply removes what the apply before it
 * has set. The data stays as it is, so istiod skips the change, and a server-side apply has an entry of its
 * own in `managedFields`, so it is no edit of what Meshjoin wrote.
 */
export async function applyLossNote(
  api: MemberApi,
  { secret: { name, uid, resourceVersion }, lostSince }: Pick<NoteLoss, "secret" | "lostSince">,
  signal: AbortSignal,
): Promise<void> {
  const annotations =
    lostSince === undefined ? {} : { annotations: { [annotation("lost-since")]: lostSince.toISOString() } };
  const { apiVersion, kind, namespace = "" } = secretRef(name);
  await api.writer.apply(
    { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion, ...annotations } },
    { signal, force: true },
  );
}

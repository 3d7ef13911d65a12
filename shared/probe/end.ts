import { applyOwned } from "../apply/owned.ts";
import { withRights } from "../apply/rights.ts";
import { isOver } from "../core/probe/mark.ts";
import { ownerOf } from "../istio/ownership.ts";
import { markObject, markRef, probeMarks } from "../istio/probe/mark.ts";
import { PROBE_NAMESPACE_REF } from "../istio/probe/objects.ts";
import { SECRETS } from "../look/member.ts";
import type { MemberApi } from "../ports/member-api.ts";
import type { Want } from "./put.ts";

/**
 * A check needs the probe no more. Its mark says so first, and goes only after the probe: of two checks that
 * end at once, the later one to say so sees no mark that is not over; and a full run ends what one that dies
 * has left. Answers whether the probe is gone.
 */
export async function endProbe(
  api: MemberApi,
  { meshId, user, now }: { readonly meshId: string; readonly user: Want["user"]; readonly now: Date },
  signal: AbortSignal,
): Promise<boolean> {
  await applyOwned(api, markObject(meshId, { user, until: now }), meshId, signal);
  return await removeUnwanted(api, meshId, now, signal);
}

/**
 * Removes a probe that nobody wants any more, by the marks as they are now; while one still wants it, only
 * the marks that are over. Answers whether the probe is gone.
 */
export async function removeUnwanted(
  api: MemberApi,
  meshId: string,
  now: Date,
  signal: AbortSignal,
): Promise<boolean> {
  const marks = probeMarks(await api.reader.list(SECRETS, signal), meshId);
  const over = marks.filter((mark) => isOver(mark, now));
  const isUnwanted = over.length > 0 && over.length === marks.length;
  if (isUnwanted) {
    const namespace = await api.reader.get(PROBE_NAMESPACE_REF, signal);
    if (namespace !== undefined && ownerOf(namespace.metadata, meshId) === "ours") {
      const { uid = "" } = namespace.metadata;
      await withRights(api, meshId, signal, () => api.writer.delete(PROBE_NAMESPACE_REF, uid, signal));
    }
  }
  await Promise.all(over.map(({ name, uid }) => api.writer.delete(markRef(name), uid, signal)));
  return isUnwanted;
}

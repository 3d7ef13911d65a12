import { applyOwned, refOf } from "../apply/owned.ts";
import { type Finding, finding } from "../core/answers/finding.ts";
import type { Outcome } from "../core/answers/outcome.ts";
import { annotation } from "../core/names.ts";
import { newlyOwned, restartsPods } from "../istio/drift.ts";
import { ownerOf } from "../istio/ownership.ts";
import type { KubernetesObject, ObjectMeta } from "../ports/kubernetes-object.ts";
import type { MemberApi } from "../ports/member-api.ts";

/**
 * The manager from which Meshjoin last took a field of the object back. If the same manager sets a field
 * again it will not stop, and Meshjoin does not fight it (design rule 5).
 */
const TAKEN_BACK_FROM = annotation("taken-back-from");

export interface Repaired {
  readonly outcome: Outcome;
  readonly found: Finding;
}

export interface RepairSite {
  readonly api: MemberApi;
  readonly id: string;
  readonly signal: AbortSignal;
  /** Why pods must not restart now; undefined where they may. Without it they may always. */
  readonly whyNoRestart?: () => Promise<Finding | undefined>;
}

/** Takes the fields of one object back; undefined where another manager has changed none. */
export async function repairObject(
  { api, id, signal, whyNoRestart }: RepairSite,
  object: KubernetesObject,
  now: ObjectMeta,
): Promise<Repaired | undefined> {
  const before = now.annotations?.[TAKEN_BACK_FROM];
  const dry = await api.writer.apply(marked(object, before), { force: true, dryRun: true, signal });
  const from = newlyOwned(now, dry.metadata).join(", ");
  if (from === "") {
    if (before !== undefined) await api.writer.apply(object, { force: true, signal });
    return undefined;
  }
  const what = `${object.kind} ${object.metadata.name}`;
  if (from === before) {
    const found = finding(
      "FieldConflict",
      `${what} was changed by ${from} again, after Meshjoin took it back; Meshjoin leaves it as it is`,
      "make that manager leave the object alone, or set its values in shared/istio/values.yaml",
      id,
    );
    return { outcome: "failed", found };
  }
  const held =
    object.kind === "Deployment" && restartsPods(now, dry.metadata) ? await whyNoRestart?.() : undefined;
  if (held !== undefined) return { outcome: "waiting", found: held };
  await api.writer.apply(marked(object, from), { force: true, signal });
  const found = finding(
    "ControlPlaneEdited",
    `${what} was changed by ${from}`,
    "nothing: Meshjoin took it back",
    id,
  );
  return { outcome: "updated", found };
}

/** Takes back what others have changed of Meshjoin's objects, and makes those anew that are gone. */
export async function repairOwned(
  { api, id, signal }: RepairSite,
  objects: readonly KubernetesObject[],
  meshId: string,
): Promise<Repaired[]> {
  const repairs: Repaired[] = [];
  for (const object of objects) {
    // oxlint-disable-next-line no-await-in-loop -- what others use goes first
    const found = await api.reader.get(refOf(object), signal);
    if (found === undefined || ownerOf(found.metadata, meshId) !== "ours")
      // oxlint-disable-next-line no-await-in-loop
      await applyOwned(api, object, meshId, signal);
    // oxlint-disable-next-line no-await-in-loop
    else repairs.push(...[(await repairObject({ api, id, signal }, object, found.metadata)) ?? []].flat());
  }
  return repairs;
}

function marked(object: KubernetesObject, from: string | undefined): KubernetesObject {
  if (from === undefined) return object;
  const { metadata } = object;
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [TAKEN_BACK_FROM]: from } },
  };
}

import { settleAll } from "../async/settle-all.ts";
import {
  type ControlPlane,
  type InstallationStage,
  isDefinition,
  onceThere,
} from "../istio/control-plane.ts";
import { CRDS, definitionState, dueCrds } from "../istio/crds.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { awaitEstablished, onceServed } from "./crds.ts";
import { applyOwned, createOwned } from "./owned.ts";

interface ApplyOptions {
  /** Objects that are left out; never a CRD that is absent or older. */
  readonly isThere?: (object: KubernetesObject) => boolean;
  /** For custom resources that are to be there before anything that reads them. */
  readonly onceDefined?: () => Promise<unknown>;
}

/**
 * Applies an installation stage by stage. The caller waits for the last stage, istiod's rollout. Answers the
 * number of objects applied.
 */
export async function applyControlPlane(
  api: MemberApi,
  desired: ControlPlane,
  meshId: string,
  signal: AbortSignal,
  { isThere = () => false, onceDefined }: ApplyOptions = {},
): Promise<number> {
  let applied = 0;
  for (const stage of desired.stages) {
    // oxlint-disable-next-line no-await-in-loop -- one stage after the other
    applied += await applyStage(api, desired, stage, { meshId, signal, isThere });
    // oxlint-disable-next-line no-await-in-loop
    if (stage.readyWhen === "served" && onceDefined !== undefined) await onceServed(onceDefined, signal);
  }
  return applied;
}

interface How {
  readonly meshId: string;
  readonly signal: AbortSignal;
  readonly isThere: (object: KubernetesObject) => boolean;
}

async function applyStage(
  api: MemberApi,
  { istioVersion }: ControlPlane,
  { objects, readyWhen }: InstallationStage,
  { meshId, signal, isThere }: How,
): Promise<number> {
  const due =
    readyWhen === "served"
      ? dueCrds(await definitionsOf(api, meshId, signal), objects, istioVersion)
      : objects.filter((object) => !isThere(object));
  await settleAll(due.map((object) => applyObject(api, object, meshId, signal)));
  if (readyWhen === "served" && due.length > 0) {
    const query = { ...CRDS, metadataOnly: false, labelSelector: `meshjoin.dev/mesh=${meshId}` };
    await awaitEstablished(api, due, query, signal);
  }
  return due.length;
}

async function definitionsOf(api: MemberApi, meshId: string, signal: AbortSignal) {
  const crds = await api.reader.list(CRDS, signal);
  return crds.map((crd) => definitionState(crd, meshId));
}

async function applyObject(
  api: MemberApi,
  object: KubernetesObject,
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  const again = onceThere(object);
  if (isDefinition(object)) await api.writer.apply(object, { force: true, signal });
  // An object that sets no field that could conflict, such as a ServiceAccount, an apply would adopt from any
  // owner.
  else if (hasMetadataOnly(object) || again !== object) await createOwned(api, object, meshId, signal, again);
  else await applyOwned(api, object, meshId, signal);
}

function hasMetadataOnly(object: KubernetesObject): boolean {
  return Object.keys(object).every((field) => ["apiVersion", "kind", "metadata"].includes(field));
}

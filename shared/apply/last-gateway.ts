import { lastGatewayName, REMOTE_SECRET_LABEL, remoteSecretName } from "../core/names.ts";
import { formatLastGateway, type LastGateway } from "../core/network/last-gateway.ts";
import { gatewayRef } from "../istio/gateway.ts";
import { lastGatewayObject } from "../istio/last-gateway.ts";
import { dateAnnotation } from "../istio/member-state.ts";
import { ownerOf } from "../istio/ownership.ts";
import { secretRef } from "../istio/secrets.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { applyOwned } from "./owned.ts";
import { applySecretNotes } from "./secret-notes.ts";

/**
 * Gives the reader the Gateway, and then notes on the remote secret what it names; undefined: takes it away,
 * and then the note. If the run dies in between, the next one does both again. Answers whether there is a
 * remote secret: without one there is nothing to do, because the Gateway goes with it.
 */
export async function writeLastGateway(
  api: MemberApi,
  target: string,
  last: LastGateway | undefined,
  meshId: string,
  signal: AbortSignal,
): Promise<boolean> {
  const secret = await api.reader.get(secretRef(remoteSecretName(target)), signal);
  if (secret === undefined || !isRead(secret, meshId)) return false;
  const { name, uid = "", resourceVersion = "" } = secret.metadata;
  if (last === undefined) await removeLastGateway(api, target, meshId, signal);
  else await applyOwned(api, lastGatewayObject(meshId, target, { name, uid }, last), meshId, signal);
  const notes = {
    lostSince: dateAnnotation(secret.metadata, "lost-since"),
    silentSince: dateAnnotation(secret.metadata, "silent-since"),
    lastGateway: last === undefined ? undefined : formatLastGateway(last, uid),
  };
  await applySecretNotes(api, { name, uid, resourceVersion }, notes, signal);
  return true;
}

/** Answers whether it was there. */
export async function removeLastGateway(
  api: MemberApi,
  target: string,
  meshId: string,
  signal: AbortSignal,
): Promise<boolean> {
  const ref = gatewayRef(lastGatewayName(target));
  const present = await api.reader.get(ref, signal);
  if (present === undefined || ownerOf(present.metadata, meshId) !== "ours") return false;
  await api.writer.delete(ref, present.metadata.uid ?? "", signal);
  return true;
}

function isRead({ metadata }: KubernetesObject, meshId: string): boolean {
  return ownerOf(metadata, meshId) === "ours" && metadata.labels?.[REMOTE_SECRET_LABEL] === "true";
}

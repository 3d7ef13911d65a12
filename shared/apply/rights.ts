import { again } from "../async/again.ts";
import { within } from "../async/within.ts";
import { RefusedError } from "../errors.ts";
import { rightsBinding, rightsRole } from "../istio/rights.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { applyOwned } from "./owned.ts";

/** kube-apiserver hears of a role that is written by a watch, within moments. */
export const TAKES_EFFECT_MS = 10_000;
const PAUSE_MS = 100;

/**
 * Writes custom resources with the rights of the ClusterRole. The account gets them first, and `write` comes
 * again while the API server has not heard of them yet. It must be idempotent.
 */
export async function withRights<T>(
  api: MemberApi,
  meshId: string,
  signal: AbortSignal,
  write: () => Promise<T>,
): Promise<T> {
  const user = await api.access.userName(signal);
  await applyOwned(api, rightsRole(meshId), meshId, signal);
  await applyOwned(api, rightsBinding(meshId, user), meshId, signal);
  return await again(write, isForbidden, PAUSE_MS, within(signal, TAKES_EFFECT_MS));
}

function isForbidden(error: unknown): boolean {
  return error instanceof RefusedError && error.code === "Forbidden";
}

import type { Reachable, ReaderSecretState, RemoteSecretState } from "../core/member/observation.ts";
import { readerSecretState, remoteSecretState } from "../istio/member-state.ts";
import type { Share } from "../istio/same-text.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";

/** The Secrets by which a member and its peers reach each other. */
export type SecretStates = Pick<Reachable, "remoteSecrets" | "readerSecrets">;

/**
 * Each of n members names all others twice, so a look holds more of these states than of anything else: 125
 * 000 with 250 members. A state that has not changed since the look `before` is not made again, and a text
 * that many states share is held once.
 */
export function secretStates(
  secrets: readonly KubernetesObject[],
  meshId: string,
  share: Share,
  before: SecretStates | undefined,
): SecretStates {
  const remotes = byUid(before?.remoteSecrets ?? []);
  const readers = byUid(before?.readerSecrets ?? []);
  const remoteSecrets: RemoteSecretState[] = [];
  const readerSecrets: ReaderSecretState[] = [];
  for (const secret of secrets) {
    const remote = unchanged(remotes, secret) ?? remoteSecretState(secret, meshId, share);
    if (remote !== undefined) remoteSecrets.push(remote);
    const reader = unchanged(readers, secret) ?? readerSecretState(secret, meshId, share);
    if (reader !== undefined) readerSecrets.push(reader);
  }
  return { remoteSecrets, readerSecrets };
}

interface Versioned {
  readonly uid: string;
  readonly resourceVersion: string;
}

function byUid<T extends Versioned>(states: readonly T[]): ReadonlyMap<string, T> {
  return new Map(states.map((state) => [state.uid, state]));
}

/** The state of the same version: Kubernetes changes the version with every change of the object. */
function unchanged<T extends Versioned>(
  states: ReadonlyMap<string, T>,
  { metadata: { uid, resourceVersion } }: KubernetesObject,
): T | undefined {
  const state = uid === undefined ? undefined : states.get(uid);
  return state !== undefined && state.resourceVersion === resourceVersion ? state : undefined;
}

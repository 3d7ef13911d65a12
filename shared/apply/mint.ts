import { ConflictError } from "../errors.ts";
import { ownerOf } from "../istio/ownership.ts";
import { secretRef } from "../istio/secrets.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi } from "../ports/member-api.ts";

export interface Minting {
  readonly meshId: string;
  /** The resourceVersion of the only Secret that may be replaced; undefined if there was none. */
  readonly replaces?: string | undefined;
  /** Whether another run's Secret serves as well: another key or token for the same purpose. */
  readonly accepts: (found: KubernetesObject) => boolean;
}

/** The Secret as it is now. */
export interface Minted {
  readonly secret: KubernetesObject;
  /** False if another run was first, and its Secret was accepted. */
  readonly wrote: boolean;
}

/**
 * The only way in which Meshjoin makes a Secret of keys or tokens (design rule 4): created by POST, or put in
 * place of the one that was read. The second of two runs accepts the Secret of the first, or fails with
 * ConflictError `Conflict` and comes again. No run overwrites a Secret that another one minted.
 */
export async function mint(
  api: MemberApi,
  secret: KubernetesObject,
  { meshId, replaces, accepts }: Minting,
  signal: AbortSignal,
): Promise<Minted> {
  if (replaces !== undefined) {
    const metadata = { ...secret.metadata, resourceVersion: replaces };
    return { secret: await api.writer.replace({ ...secret, metadata }, signal), wrote: true };
  }
  try {
    return { secret: await api.writer.create(secret, signal), wrote: true };
  } catch (error) {
    if (!(error instanceof ConflictError) || error.code !== "AlreadyExists") throw error;
    const { name } = secret.metadata;
    const existing = await api.reader.get(secretRef(name), signal);
    if (existing !== undefined && ownerOf(existing.metadata, meshId) === "ours" && accepts(existing)) {
      return { secret: existing, wrote: false };
    }
    throw new ConflictError(`Secret ${name} was created by another run`, {
      code: "Conflict",
      cause: error,
    });
  }
}

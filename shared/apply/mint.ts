import { ConflictError } from "../errors.ts";
import { ownerOf } from "../istio/ownership.ts";
import { secretRef } from "../istio/secrets.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi } from "../ports/member-api.ts";

export interface Minting {
  readonly meshId: string;
  /** The resourceVersion of the one that was seen, and nothing else, is replaced; undefined where there was none. */
  readonly replaces?: string | undefined;
  /** Whether one of ours that another run has made meanwhile is as good: another key or token, for the same purpose. */
  readonly accepts: (found: KubernetesObject) => boolean;
}

/** What is there now. */
export interface Minted {
  readonly secret: KubernetesObject;
  /** Of two runs at once, one writes. */
  readonly wrote: boolean;
}

/**
 * The one way in which a Secret of keys or tokens comes to be (design rule 4): created by POST, or put in the place of the very one
 * that was seen. The run that comes second accepts what it finds, or fails with ConflictError `Conflict`, which is worth coming again
 * for. Never does one run overwrite what another has minted.
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
    const found = await api.reader.get(secretRef(name), signal);
    if (found !== undefined && ownerOf(found.metadata, meshId) === "ours" && accepts(found)) {
      return { secret: found, wrote: false };
    }
    throw new ConflictError(`Secret ${name} was created by another run`, {
      code: "Conflict",
      cause: error,
    });
  }
}

import { annotation } from "../core/names.ts";
import { secretRef } from "../istio/secrets.ts";
import type { MemberApi } from "../ports/member-api.ts";

/** Notes on a Secret of a pair; what is undefined, the Secret is not to have. */
export interface SecretNotes {
  readonly lostSince: Date | undefined;
  readonly lastGateway: string | undefined;
}

/**
 * Writes all notes on the Secret that was read: an apply removes what the apply before it has set. The data
 * stays as it is, so istiod skips the change, and a server-side apply has an entry of its own in
 * `managedFields`, so it is no edit of what Meshjoin wrote.
 */
export async function applySecretNotes(
  api: MemberApi,
  secret: { readonly name: string; readonly uid: string; readonly resourceVersion: string },
  { lostSince, lastGateway }: SecretNotes,
  signal: AbortSignal,
): Promise<void> {
  const { name, uid, resourceVersion } = secret;
  const annotations = {
    ...(lostSince === undefined ? {} : { [annotation("lost-since")]: lostSince.toISOString() }),
    ...(lastGateway === undefined ? {} : { [annotation("last-gateway")]: lastGateway }),
  };
  const noted = Object.keys(annotations).length === 0 ? {} : { annotations };
  const { apiVersion, kind, namespace = "" } = secretRef(name);
  await api.writer.apply(
    { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion, ...noted } },
    { signal, force: true },
  );
}

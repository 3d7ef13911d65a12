import { annotation } from "../core/names.ts";
import { secretRef } from "../istio/secrets.ts";
import type { MemberApi } from "../ports/member-api.ts";

/** Notes on a Secret of a pair; what is undefined, the Secret is not to have. */
export interface SecretNotes {
  readonly lostSince: Date | undefined;
  /** Of a remote secret alone. */
  readonly silentSince: Date | undefined;
  readonly lastGateway: string | undefined;
}

interface NotedSecret {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/**
 * Writes all notes on the Secret that was read: an apply removes what the apply before it has set. The data
 * stays as it is, so istiod skips the change, and a server-side apply has an entry of its own in
 * `managedFields`, so it is no edit of what Meshjoin wrote.
 */
export async function applySecretNotes(
  api: MemberApi,
  secret: NotedSecret,
  { lostSince, silentSince, lastGateway }: SecretNotes,
  signal: AbortSignal,
): Promise<void> {
  const notes = {
    "lost-since": lostSince?.toISOString(),
    "silent-since": silentSince?.toISOString(),
    "last-gateway": lastGateway,
  };
  await applyNotes(api, secret, notes, signal);
}

/** On a copy of the note of a drain, since when the member answers again; undefined: it does not. */
export async function applyAnswersSince(
  api: MemberApi,
  secret: NotedSecret,
  answersSince: Date | undefined,
  signal: AbortSignal,
): Promise<void> {
  await applyNotes(api, secret, { "answers-since": answersSince?.toISOString() }, signal);
}

async function applyNotes(
  api: MemberApi,
  { name, uid, resourceVersion }: NotedSecret,
  notes: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<void> {
  const annotations = Object.fromEntries(
    Object.entries(notes).flatMap(([key, value]) => (value === undefined ? [] : [[annotation(key), value]])),
  );
  const noted = Object.keys(annotations).length === 0 ? {} : { annotations };
  const { apiVersion, kind, namespace = "" } = secretRef(name);
  await api.writer.apply(
    { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion, ...noted } },
    { signal, force: true },
  );
}

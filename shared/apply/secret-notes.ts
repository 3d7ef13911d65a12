import { annotation } from "../core/names.ts";
import { secretRef } from "../istio/secrets.ts";
import type { SecretNotes } from "../plan/action.ts";
import type { MemberApi } from "../ports/member-api.ts";

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
  const { apiVersion, kind, namespace = "" } = secretRef(name);
  const write = async (wanted: Readonly<Record<string, string>>, seen = resourceVersion) => {
    const noted = Object.keys(wanted).length === 0 ? {} : { annotations: wanted };
    const metadata = { name, namespace, uid, resourceVersion: seen, ...noted };
    return (await api.writer.apply({ apiVersion, kind, metadata }, { signal, force: true })).metadata;
  };
  const kept: Record<string, string> = {};
  for (const [key, value] of Object.entries(notes)) if (value !== undefined) kept[annotation(key)] = value;
  const { annotations = {}, resourceVersion: written } = await write(kept);
  const left = Object.keys(notes)
    .map(annotation)
    .filter((key) => !(key in kept) && annotations[key]);
  if (left.length === 0) return;
  // Somebody else has written these, so an apply without them leaves them. With another value they are
  // Meshjoin's alone.
  const taken = await write({ ...kept, ...Object.fromEntries(left.map((key) => [key, ""])) }, written);
  await write(kept, taken.resourceVersion);
}

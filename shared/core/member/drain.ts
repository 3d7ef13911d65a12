/** The GKE resource label by which a member is drained without a command. */
export const MESH_STATE_LABEL = "mesh_state";
export const DRAINED_LABEL = "drained";

/** `by` of a note that follows the label. */
export const BY_LABEL = "label";

/** `by` of a drain that Meshjoin has decided on, because the member is dead. */
export const BY_MESHJOIN = "meshjoin";

/** `serving`: a drain is over; the note stays until no older one can come back. */
export const DRAIN_STATES = ["drained", "serving"] as const;
export type DrainState = (typeof DRAIN_STATES)[number];

/** What a note says of the member that it is about. */
export interface DrainNote {
  readonly state: DrainState;
  readonly since: Date;
  readonly by: string;
  /** Empty where nobody gave one. */
  readonly reason: string;
}

/** The newer note; of two at one moment the same one everywhere, and rather the drain. */
export function newerNote(a: DrainNote, b: DrainNote): DrainNote {
  return rankOf(a) >= rankOf(b) ? a : b;
}

function rankOf({ state, since, by, reason }: DrainNote): string {
  const at = since.toISOString();
  return [at, state === "drained" ? "1" : "0", by, reason].join("\n");
}

export function isSameNote(a: DrainNote, b: DrainNote): boolean {
  return rankOf(a) === rankOf(b);
}

/** The newest of all notes on the cluster; `isUnread`: some copy says nothing that can be read. */
export interface Newest {
  readonly note: DrainNote | undefined;
  readonly isUnread: boolean;
}

/** The register: every member may hold a copy, and the newest that was seen holds for all. */
export function newestOf(copies: readonly { readonly note: DrainNote | undefined }[]): Newest {
  const notes = copies.flatMap(({ note }) => note ?? []);
  const [first, ...others] = notes;
  return {
    note: first === undefined ? undefined : others.reduce(newerNote, first),
    isUnread: notes.length < copies.length,
  };
}

/** A new note counts as newer than all that were seen, whatever the clocks of those who wrote them. */
export function sinceAfter(seen: DrainNote | undefined, now: Date): Date {
  return seen === undefined || seen.since < now ? now : new Date(seen.since.getTime() + 1);
}

const REASON_MAX = 200;

/** Why a text cannot be the reason of a drain; undefined where it can. It stands in tables and on pages. */
export function reasonFault(reason: string): string | undefined {
  if (/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/u.test(reason)) return "it must be one line without control characters";
  return reason.length > REASON_MAX ? `it must have at most ${REASON_MAX} characters` : undefined;
}

import type { RootNotes } from "./notes.ts";
import type { Roots } from "./stages.ts";
import { bundleVersions, type RootState } from "./state.ts";

/**
 * On record before a root is added and until it is claimed. It says which versions a run that died in between may have left
 * behind: those above `after` that have no role. No other version is ever taken for Meshjoin's own, and none is claimed on
 * the strength of this: a run claims the one version that it has added itself.
 */
export interface RootClaim {
  /** Of one attempt: an attempt whose claim is no longer on record has been overtaken and may not go on. */
  readonly id: string;
  /** The newest version when the oldest attempt began that nobody has cleaned up after. */
  readonly after: number;
}

export function withClaim(notes: RootNotes, id: string, newest: number): RootNotes {
  return { ...notes, claim: { id, after: Math.min(newest, notes.claim?.after ?? newest) } };
}

export function withoutClaim({ claim: _, ...notes }: RootNotes): RootNotes {
  return notes;
}

/** Enabled versions that an attempt may have added and not claimed. */
export function leftBehind(
  listed: readonly { readonly version: number; readonly enabled: boolean }[],
  { versions, notes }: Roots,
  { otherAliases }: Pick<RootState, "otherAliases">,
): number[] {
  const { claim } = notes;
  if (claim === undefined) return [];
  const known = [...bundleVersions(versions), ...notes.retired, ...Object.values(otherAliases)];
  return listed
    .filter(({ version, enabled }) => enabled && version > claim.after && !known.includes(version))
    .map(({ version }) => version);
}

/** In an annotation. */
export function formatClaim({ id, after }: RootClaim): string {
  return `${after} ${id}`;
}

/** The inverse; undefined for any other text. */
export function parseClaim(text: string): RootClaim | undefined {
  const { after, id } = /^(?<after>\d{1,9}) (?<id>\S+)$/.exec(text)?.groups ?? {};
  return after === undefined || id === undefined ? undefined : { id, after: Number(after) };
}

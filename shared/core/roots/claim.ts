import type { RootNotes } from "./notes.ts";
import type { Roots } from "./stages.ts";
import { bundleVersions, type RootState } from "./state.ts";

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

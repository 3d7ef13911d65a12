import type { RootNotes } from "./notes.ts";
import type { Roots } from "./stages.ts";
import { bundleVersions, type RootState } from "./state.ts";

export function withClaim(notes: RootNotes, id: string, newest: number): RootNotes {
  return { ...notes, claim: { id, after: Math.min(newest, notes.claim?.after ?? newest) } };
}

export function withoutClaim({ claim: _, ...notes }: RootNotes): RootNotes {
  return notes;
}

/** Enabled versions that a failed attempt may have added. */
export function leftBehind(
  secretVersions: readonly { readonly version: number; readonly enabled: boolean }[],
  { versions, notes }: Roots,
  { otherAliases }: Pick<RootState, "otherAliases">,
): number[] {
  const { claim } = notes;
  if (claim === undefined) return [];
  const accounted = [...bundleVersions(versions), ...notes.retired, ...Object.values(otherAliases)];
  return secretVersions
    .filter(({ version, enabled }) => enabled && version > claim.after && !accounted.includes(version))
    .map(({ version }) => version);
}

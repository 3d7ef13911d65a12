/** What a version of the root secret is for; its alias in Secret Manager says so, and nothing else does. */
export const ROOT_ROLES = ["next", "previous", "signing"] as const;
export type RootRole = (typeof ROOT_ROLES)[number];

/** Role → version number of the secret. The whole state of the roots (docs/design.md, Root CAs). */
export type RootVersions = Readonly<Partial<Record<RootRole, number>>>;

/** What is known of the roots without reading a key. */
export interface RootState {
  readonly versions: RootVersions;
  /** Somebody else's, whom a change of the map must not lose. */
  readonly otherAliases: Readonly<Record<string, number>>;
  /** Of the secret; a change of the alias map is conditional on it. */
  readonly etag: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Compact JSON with sorted keys, so that two equal states are equal text: the annotation `root-versions`. */
export function formatRootVersions(versions: RootVersions): string {
  return JSON.stringify(
    Object.fromEntries(
      ROOT_ROLES.flatMap((role) => (versions[role] === undefined ? [] : [[role, versions[role]]])),
    ),
  );
}

/** The inverse; what is no such text names no version. */
export function parseRootVersions(text: string): RootVersions {
  const entries = [...text.matchAll(/"(?<role>[a-z]+)":(?<version>\d+)/g)].map(({ groups = {} }) => [
    groups["role"],
    Number(groups["version"]),
  ]);
  return Object.fromEntries(entries.filter(([role]) => ROOT_ROLES.some((known) => known === role)));
}

/** The versions that make up the trust bundle, in the order in which they stand in it. */
export function bundleVersions(versions: RootVersions): number[] {
  return [...new Set(ROOT_ROLES.flatMap((role) => versions[role] ?? []))].toSorted((a, b) => a - b);
}

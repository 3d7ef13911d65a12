/** The role of a version of the root secret; its alias in Secret Manager gives it, and nothing else. */
export const ROOT_ROLES = ["next", "previous", "signing"] as const;
export type RootRole = (typeof ROOT_ROLES)[number];

/** Role → version number of the secret. The whole state of the roots (docs/design.md, Root CAs). */
export type RootVersions = Readonly<Partial<Record<RootRole, number>>>;

/** The roots without their payloads. */
export interface RootState {
  readonly versions: RootVersions;
  /** Aliases of other tools; a change of the map must keep them. */
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

/** The inverse; any other text names no version. */
export function parseRootVersions(text: string): RootVersions {
  const entries = [...text.matchAll(/"(?<role>[a-z]+)":(?<version>\d+)/g)].map(({ groups = {} }) => [
    groups["role"],
    Number(groups["version"]),
  ]);
  return Object.fromEntries(entries.filter(([role]) => ROOT_ROLES.some((each) => each === role)));
}

/** The versions of the trust bundle, in its order. */
export function bundleVersions(versions: RootVersions): number[] {
  return [...new Set(ROOT_ROLES.flatMap((role) => versions[role] ?? []))].toSorted((a, b) => a - b);
}

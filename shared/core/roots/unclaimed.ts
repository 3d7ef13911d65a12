import { type Finding, finding } from "../answers/finding.ts";
import { rootSecretName } from "../names.ts";
import type { MeshSpec } from "../spec.ts";
import type { Roots } from "./stages.ts";
import { bundleVersions } from "./state.ts";

/**
 * Enabled versions without a role: added and never claimed. Meshjoin ignores them; a person should look at
 * them. Empty while no version signs: any of them may be the one that did.
 */
export function unclaimedRoots(
  versions: readonly { readonly version: number; readonly enabled: boolean }[],
  roots: Roots,
  { meshId, rootProject }: Pick<MeshSpec, "meshId" | "rootProject">,
): Finding[] {
  if (roots.versions.signing === undefined) return [];
  const secret = rootSecretName(meshId);
  const accounted = [...bundleVersions(roots.versions), ...roots.notes.retired];
  return versions
    .filter(({ version, enabled }) => enabled && !accounted.includes(version))
    .map(({ version }) =>
      finding(
        "UnclaimedRootVersion",
        `version ${version} of secret ${secret} has no role, so Meshjoin ignores it`,
        `if it is not needed: gcloud secrets versions disable ${version} --secret=${secret} --project=${rootProject}`,
      ),
    );
}

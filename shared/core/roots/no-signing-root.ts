import { type Finding, finding } from "../answers/finding.ts";
import { rootSecretName } from "../names.ts";
import type { MeshSpec } from "../spec.ts";
import { ROOT_ROLES, type RootVersions } from "./state.ts";

/** Meshjoin issues nothing then. Undefined where a version signs. */
export function noSigningRoot(
  { meshId, rootProject }: Pick<MeshSpec, "meshId" | "rootProject">,
  versions: RootVersions,
): Finding | undefined {
  if (versions.signing !== undefined) return undefined;
  const secret = rootSecretName(meshId);
  return finding(
    "NoSigningRoot",
    `no version of secret ${secret} has the alias "signing", so Meshjoin issues nothing`,
    `set it: gcloud secrets update ${secret} --project=${rootProject} --update-version-aliases=${signingAlias(versions)}`,
  );
}

/** Names the other aliases, too: gcloud replaces the whole map. */
function signingAlias(versions: RootVersions): string {
  const others = ROOT_ROLES.flatMap((role) =>
    role === "signing" || versions[role] === undefined ? [] : [`${role}=${versions[role]}`],
  );
  return ["signing=VERSION", ...others].join(",");
}

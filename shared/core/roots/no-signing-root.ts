import type { Fault } from "../answers/error-finding.ts";
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

/** Undefined where Meshjoin has seen that the version that signs is enabled. */
export function unusableRoot(
  { meshId, rootProject }: Pick<MeshSpec, "meshId" | "rootProject">,
  { signing }: RootVersions,
  isEnabled: boolean | Pick<Fault, "message" | "cure">,
): Finding | undefined {
  if (signing === undefined || isEnabled === true) return undefined;
  const secret = rootSecretName(meshId);
  if (isEnabled !== false) {
    return finding(
      "SigningRootUnknown",
      `Meshjoin cannot tell whether version ${signing} of secret ${secret}, which signs, is enabled: ${isEnabled.message}`,
      isEnabled.cure ?? "nothing, if it passes: the next full run asks again",
    );
  }
  return finding(
    "SigningRootUnusable",
    `version ${signing} of secret ${secret} signs for the mesh, and is disabled or destroyed; Meshjoin can issue no certificate`,
    `gcloud secrets versions enable ${signing} --secret=${secret} --project=${rootProject}`,
  );
}

/** Why the authority could not sign when it was asked to open the root's key. */
export function unsignableRoot(
  { meshId }: Pick<MeshSpec, "meshId">,
  { signing }: RootVersions,
  fault: Pick<Fault, "message" | "cure"> & { readonly retryable: boolean },
): Finding {
  const root = `version ${signing} of secret ${rootSecretName(meshId)}`;
  return fault.retryable
    ? finding(
        "SigningRootUnknown",
        `Meshjoin cannot tell whether ${root} can sign: ${fault.message}`,
        fault.cure ?? "nothing, if it passes: the next full run asks again",
      )
    : finding(
        "SigningRootUnusable",
        `${root} cannot sign for the mesh: ${fault.message}`,
        fault.cure ?? "see which part fails: meshjoin doctor",
      );
}

/** Names the other aliases, too: gcloud replaces the whole map. */
function signingAlias(versions: RootVersions): string {
  const others = ROOT_ROLES.flatMap((role) =>
    role === "signing" || versions[role] === undefined ? [] : [`${role}=${versions[role]}`],
  );
  return ["signing=VERSION", ...others].join(",");
}

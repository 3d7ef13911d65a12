import type { Fault } from "../answers/error-finding.ts";
import { type Finding, finding } from "../answers/finding.ts";
import { rootSecretName } from "../names.ts";
import type { MeshSpec } from "../spec.ts";
import { bundleVersions, ROOT_ROLES, type RootRole, type RootVersions } from "./state.ts";

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
    `set it: ${aliasCommand({ meshId, rootProject }, { ...versions, signing: "VERSION" })}`,
  );
}

/** Whether a version is enabled, or why nobody could tell. */
export type Enabled = boolean | Pick<Fault, "message" | "cure">;

/**
 * Why the roots cannot be used; undefined where each version of the trust bundle is enabled. One that does
 * not sign counts, too: a certificate goes out with the whole bundle, or not at all.
 */
export function unusableRoot(
  spec: Pick<MeshSpec, "meshId" | "rootProject">,
  versions: RootVersions,
  enabled: ReadonlyMap<number, Enabled>,
): Finding | undefined {
  const claimed = bundleVersions(versions);
  const off = claimed.filter((version) => enabled.get(version) === false);
  const [first] = off.toSorted((a, b) => Number(b === versions.signing) - Number(a === versions.signing));
  if (first !== undefined) return switchedOff(spec, versions, first);
  const secret = rootSecretName(spec.meshId);
  for (const version of claimed) {
    const state = enabled.get(version);
    if (typeof state !== "object") continue;
    return finding(
      "SigningRootUnknown",
      `Meshjoin cannot tell whether version ${version} of secret ${secret}, ${ROLE_WORDS[roleOf(versions, version)]}, is enabled: ${state.message}`,
      state.cure ?? "nothing, if it passes: the next full run asks again",
    );
  }
  return undefined;
}

function switchedOff(
  { meshId, rootProject }: Pick<MeshSpec, "meshId" | "rootProject">,
  versions: RootVersions,
  version: number,
): Finding {
  const secret = rootSecretName(meshId);
  const role = roleOf(versions, version);
  const enable = `gcloud secrets versions enable ${version} --secret=${secret} --project=${rootProject}`;
  const what =
    role === "signing"
      ? `version ${version} of secret ${secret} signs for the mesh, and`
      : `version ${version} of secret ${secret}, ${ROLE_WORDS[role]},`;
  return finding(
    "SigningRootUnusable",
    `${what} is disabled or destroyed; Meshjoin can issue no certificate`,
    role === "next" ? `${enable}; if it is destroyed: meshjoin root abort` : enable,
  );
}

const ROLE_WORDS: Readonly<Record<RootRole, string>> = {
  signing: "which signs",
  next: "which is to sign next",
  previous: "which the members still trust",
};

function roleOf(versions: RootVersions, version: number): RootRole {
  return ROOT_ROLES.find((role) => versions[role] === version) ?? "signing";
}

/**
 * What this look has `seen` of the roots, and what the last run `noted`. A look that cannot tell ends no
 * fault on record.
 */
export function rootFaults(seen: Finding | undefined, noted: Finding | undefined): Finding[] {
  if (seen === undefined) return [noted ?? []].flat();
  const isOpen = seen.reason === "SigningRootUnknown" && noted?.reason === "SigningRootUnusable";
  return isOpen ? [noted, seen] : [seen];
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

const SIGNING_FIRST: readonly RootRole[] = ["signing", "next", "previous"];

/** Names all aliases: gcloud replaces the whole map. */
export function aliasCommand(
  { meshId, rootProject }: Pick<MeshSpec, "meshId" | "rootProject">,
  versions: Readonly<Partial<Record<RootRole, number | "VERSION">>>,
): string {
  const aliases = SIGNING_FIRST.flatMap((role) =>
    versions[role] === undefined ? [] : [`${role}=${versions[role]}`],
  );
  return `gcloud secrets update ${rootSecretName(meshId)} --project=${rootProject} --update-version-aliases=${aliases.join(",")}`;
}

import type { Run } from "../apply.ts";
import { type Finding, finding } from "../core/finding.ts";
import { rootSecretName } from "../core/names.ts";
import { type Roots, rootsOf } from "../core/roots/stages.ts";
import { signingAliasCommand } from "../core/roots/state.ts";
import { RootError } from "../errors.ts";

/** The state of the roots, of which one signs. Fails with RootError `NoSigningRoot`: nothing is issued then, or changed. */
export async function signingRoots({ ports, spec, signal }: Run): Promise<Roots> {
  const state = rootsOf(await ports.roots.state(signal));
  const fault = noSigningRoot(spec.meshId, state);
  if (fault === undefined) return state;
  throw new RootError(`${fault.message}; ${fault.cure}`, { code: fault.reason });
}

export function noSigningRoot(meshId: string, { versions }: Pick<Roots, "versions">): Finding | undefined {
  if (versions.signing !== undefined) return undefined;
  const secret = rootSecretName(meshId);
  return finding(
    "NoSigningRoot",
    `no version of secret ${secret} has the alias "signing", so nothing is issued`,
    `set it: ${signingAliasCommand(secret, versions)}`,
  );
}

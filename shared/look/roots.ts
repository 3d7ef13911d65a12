import type { Run } from "../apply.ts";
import { noSigningRoot } from "../core/roots/signing.ts";
import { type Roots, rootsOf } from "../core/roots/stages.ts";
import { RootError } from "../errors.ts";

/** The state of the roots, of which one signs. Fails with RootError `NoSigningRoot`: nothing is issued then, or changed. */
export async function signingRoots({ ports, spec, signal }: Run): Promise<Roots> {
  const state = rootsOf(await ports.roots.state(signal));
  const fault = noSigningRoot(spec, state.versions);
  if (fault === undefined) return state;
  throw new RootError(`${fault.message}; ${fault.cure}`, { code: fault.reason });
}

import { within } from "../async/within.ts";
import type { Finding } from "../core/answers/finding.ts";
import { unusableRoot } from "../core/roots/no-signing-root.ts";
import type { Roots } from "../core/roots/stages.ts";
import { MeshjoinError } from "../errors.ts";
import type { Run } from "../run.ts";

/** An answer that takes longer tells nothing, and holds the run up no further. */
const TIMEOUT_MS = 10_000;

/** Why the root that signs cannot be used; one request, and no payload: an access to the key is an alarm. */
export async function lookAtSigningRoot(
  { ports, spec, signal }: Run,
  { versions }: Pick<Roots, "versions">,
): Promise<Finding | undefined> {
  if (versions.signing === undefined) return undefined;
  try {
    const isEnabled = await ports.roots.isEnabled(versions.signing, within(signal, TIMEOUT_MS));
    return unusableRoot(spec, versions, isEnabled);
  } catch (error) {
    if (error instanceof MeshjoinError) return unusableRoot(spec, versions, error);
    throw error;
  }
}

import { within } from "../async/within.ts";
import type { Finding } from "../core/answers/finding.ts";
import { type Enabled, unusableRoot } from "../core/roots/no-signing-root.ts";
import type { Roots } from "../core/roots/stages.ts";
import { bundleVersions } from "../core/roots/state.ts";
import { MeshjoinError } from "../errors.ts";
import type { Run } from "../run.ts";

/** An answer that takes longer tells nothing, and holds the run up no further. */
const TIMEOUT_MS = 10_000;

/**
 * Why the roots cannot be used; one request for each that has a role, and no payload: an access to the key
 * is an alarm.
 */
export async function lookAtSigningRoot(
  run: Run,
  { versions }: Pick<Roots, "versions">,
): Promise<Finding | undefined> {
  if (versions.signing === undefined) return undefined;
  const states = bundleVersions(versions).map(
    async (version) => [version, await isEnabled(run, version)] as const,
  );
  return unusableRoot(run.spec, versions, new Map(await Promise.all(states)));
}

async function isEnabled({ ports, signal }: Run, version: number): Promise<Enabled> {
  try {
    return await ports.roots.isEnabled(version, within(signal, TIMEOUT_MS));
  } catch (error) {
    if (error instanceof MeshjoinError) return error;
    throw error;
  }
}

import { claimSigning, isRefusal } from "../core/roots/stages.ts";
import type { MeshSpec } from "../core/spec.ts";
import { type Changed, type ChangingRun, readRoots } from "./change-roots.ts";
import { claimRoot, UNKNOWN_VERSION } from "./claim-root.ts";
import type { NextRoot } from "./root-payload.ts";

/**
 * Gives a mesh its first root, and creates the secret if there is none. Refuses if any version has a role
 * already. Of two at once, one root signs and the other is disabled.
 */
export async function makeFirstRoot(
  run: ChangingRun & { readonly spec: MeshSpec },
  bring: () => Promise<NextRoot>,
): Promise<Changed> {
  const { keeper } = run.ports;
  await keeper.create(run.signal);
  const before = await readRoots(run);
  const mayClaim = claimSigning(before, UNKNOWN_VERSION, "generated");
  if (isRefusal(mayClaim)) return { before, after: mayClaim };
  const { payload, origin } = await bring();
  return await claimRoot(run, payload, "signing", (roots, _, version) =>
    claimSigning(roots, version, origin),
  );
}

import { isRefusal } from "../core/roots/stages.ts";
import type { RootRole } from "../core/roots/state.ts";
import { type Changed, type ChangingRun, changeRoots, type Decide } from "./change-roots.ts";

/**
 * Adds a root to the secret, wiping it here, and claims it for a role. Of two that come at once, one is claimed and the other is
 * disabled: it never was anybody's. Dying in between leaves a version without an alias, which is ignored.
 */
export async function claimRoot(
  run: ChangingRun,
  payload: Buffer,
  role: RootRole,
  claim: (...given: [...Parameters<Decide>, version: number]) => ReturnType<Decide>,
): Promise<Changed> {
  const { keeper } = run.ports;
  let version: number;
  try {
    version = await keeper.add(payload, run.signal);
  } finally {
    payload.fill(0);
  }
  const changed = await changeRoots(run, (roots, state) =>
    roots.versions[role] === version ? undefined : claim(roots, state, version),
  );
  const isClaimed =
    changed.before.versions[role] === version || (changed.after !== undefined && !isRefusal(changed.after));
  if (!isClaimed) await keeper.disable(version, run.signal);
  return changed;
}

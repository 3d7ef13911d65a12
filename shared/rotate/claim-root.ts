import { leftBehind, withClaim, withoutClaim } from "../core/roots/claim.ts";
import type { RootNotes } from "../core/roots/notes.ts";
import { isRefusal, type Refusal, type Roots, rootsOf } from "../core/roots/stages.ts";
import type { RootRole } from "../core/roots/state.ts";
import { isRetryable } from "../errors.ts";
import { type Changed, type ChangingRun, changeRoots, type Decide, readRoots } from "./change-roots.ts";

/** A version that nobody has added. */
export const UNKNOWN_VERSION = Number.MAX_SAFE_INTEGER;

type ClaimOf = (...given: [...Parameters<Decide>, version: number]) => ReturnType<Decide>;

/** One attempt to add a root and claim it. */
interface Attempt {
  readonly id: string;
  readonly role: RootRole;
  readonly claim: ClaimOf;
}

/**
 * Adds a root to the secret, wiping it here, and claims it for a role: announced, added, claimed. An account that may not
 * change the secret fails before it has added a key. Dying in between leaves the announcement, and the next attempt disables
 * what was added under it before it adds its own. Of two that come at once the later announcement counts. An attempt that does
 * not end in a claim disables what it has added.
 */
export async function claimRoot(
  run: ChangingRun,
  payload: Buffer,
  role: RootRole,
  claim: ClaimOf,
): Promise<Changed> {
  const attempt: Attempt = { id: crypto.randomUUID(), role, claim };
  let announced: Changed;
  let version: number;
  try {
    announced = await announce(run, attempt);
    if (announced.after === undefined || isRefusal(announced.after)) return announced;
    if (announced.before.notes.claim !== undefined) await disableLeftBehind(run);
    version = await run.ports.keeper.add(payload, run.signal);
  } finally {
    payload.fill(0);
  }
  try {
    const changed = await claimVersion(run, attempt, version);
    if (changed.after === undefined || isRefusal(changed.after)) await takeBack(run, attempt, version);
    return changed;
  } catch (error) {
    const claimed = await takeBack(run, attempt, version).catch(() => undefined);
    if (claimed === undefined) throw error;
    return { before: announced.before, after: claimed };
  }
}

/** Puts the attempt on record, if a root may be claimed at all. */
async function announce(run: ChangingRun, { id, claim }: Attempt): Promise<Changed> {
  const listed = await run.ports.keeper.list(run.signal);
  const newest = Math.max(0, ...listed.map(({ version }) => version));
  return await changeRoots(run, (roots, state) => {
    const mayClaim = claim(roots, state, UNKNOWN_VERSION);
    if (mayClaim === undefined || isRefusal(mayClaim)) return mayClaim;
    return { ...roots, notes: withClaim(roots.notes, id, newest), disable: [] };
  });
}

/** Whoever added these under an earlier announcement cannot claim them any more. */
async function disableLeftBehind({ ports, signal }: ChangingRun): Promise<void> {
  const [listed, state] = await Promise.all([ports.keeper.list(signal), ports.roots.state(signal)]);
  for (const version of leftBehind(listed, rootsOf(state), state))
    await ports.keeper.disable(version, signal);
}

async function claimVersion(run: ChangingRun, { id, claim }: Attempt, version: number): Promise<Changed> {
  return await changeRoots(run, (roots, state) => {
    const claimed = claim(roots, state, version);
    if (claimed === undefined || isRefusal(claimed)) return claimed;
    if (roots.notes.claim?.id !== id) return OVERTAKEN;
    return { ...claimed, notes: withoutClaim(claimed.notes) };
  });
}

const OVERTAKEN: Refusal = {
  refused: "RotationInProgress",
  message: "another run is adding a root to the secret at this moment",
  cure: "see what it comes to: meshjoin root status",
};

/**
 * Answers the roots if the version is claimed after all: the answer to the change was lost. Otherwise the version is disabled, but
 * only once the secret has changed again, so that a change of ours that is still on its way can no longer claim it. If that cannot
 * be had for the moment, the announcement stays, and the next attempt disables the version.
 */
async function takeBack(
  run: ChangingRun,
  { id, role }: Attempt,
  version: number,
): Promise<(Roots & { readonly disable: readonly [] }) | undefined> {
  const ended = crypto.randomUUID();
  const now = await changeClaim(run, id, (roots) =>
    roots.versions[role] === version ? undefined : withClaim(roots.notes, ended, version),
  ).catch(async (error: unknown) => {
    // Refused is not lost: no change of ours is on its way.
    if (isRetryable(error)) throw error;
    return await readRoots(run);
  });
  if (now.versions[role] === version) return { ...now, disable: [] };
  await run.ports.keeper.disable(version, run.signal);
  await changeClaim(run, ended, ({ notes }) => withoutClaim(notes));
  return undefined;
}

/** Of the attempt of this ID, if it is still on record; answers the roots as they were found. */
async function changeClaim(
  run: ChangingRun,
  id: string,
  decide: (roots: Roots) => RootNotes | undefined,
): Promise<Roots> {
  const { before } = await changeRoots(run, (roots) => {
    const notes = roots.notes.claim?.id === id ? decide(roots) : undefined;
    return notes && { ...roots, notes, disable: [] };
  });
  return before;
}

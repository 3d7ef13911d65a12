import { leftBehind, withClaim, withoutClaim } from "../core/roots/claim.ts";
import type { RootNotes } from "../core/roots/notes.ts";
import { isRefusal, type Refusal, type Roots, rootsOf } from "../core/roots/stages.ts";
import type { RootRole } from "../core/roots/state.ts";
import { isRetryable } from "../errors.ts";
import { type Changed, type ChangingRun, changeRoots, type Decide, readRoots } from "./change-roots.ts";

/** Stands for the version that a run is about to add. */
export const UNKNOWN_VERSION = Number.MAX_SAFE_INTEGER;

type ClaimOf = (...args: [...Parameters<Decide>, version: number]) => ReturnType<Decide>;

/** One attempt to add a root and claim it. */
interface Attempt {
  readonly id: string;
  readonly role: RootRole;
  readonly claim: ClaimOf;
}

/**
 * Announces a root on the secret, adds it, and claims it for a role; wipes the payload. An account that may
 * not change the secret fails before it has added a key. After a run that died in between, the announcement
 * stays, and the next attempt disables the versions added under it. Of two at once the later announcement
 * counts. An attempt without a claim disables its own version.
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

/** Puts the attempt on record, if the roots allow a claim at all. */
async function announce(run: ChangingRun, { id, claim }: Attempt): Promise<Changed> {
  const existing = await run.ports.keeper.list(run.signal);
  const newest = Math.max(0, ...existing.map(({ version }) => version));
  return await changeRoots(run, (roots, state) => {
    const mayClaim = claim(roots, state, UNKNOWN_VERSION);
    if (mayClaim === undefined || isRefusal(mayClaim)) return mayClaim;
    return { ...roots, notes: withClaim(roots.notes, id, newest), disable: [] };
  });
}

/** Runs with an earlier announcement cannot claim their versions any more. */
async function disableLeftBehind({ ports, signal }: ChangingRun): Promise<void> {
  const [existing, state] = await Promise.all([ports.keeper.list(signal), ports.roots.state(signal)]);
  for (const version of leftBehind(existing, rootsOf(state), state))
    await ports.keeper.disable(version, signal);
}

async function claimVersion(run: ChangingRun, { id, claim }: Attempt, version: number): Promise<Changed> {
  return await changeRoots(run, (roots, state) => {
    const transition = claim(roots, state, version);
    if (transition === undefined || isRefusal(transition)) return transition;
    if (roots.notes.claim?.id !== id) return OVERTAKEN;
    return { ...transition, notes: withoutClaim(transition.notes) };
  });
}

const OVERTAKEN: Refusal = {
  refused: "RotationInProgress",
  message: "another run is adding a root to the secret at this moment",
  cure: "see what it comes to: meshjoin root status",
};

/**
 * Answers the roots if the version is claimed after all, because the answer to the change was lost. Else
 * disables the version, but changes the secret first, so that a change of ours still on its way can no longer
 * claim it. If that fails for the moment, the announcement stays, and the next attempt disables the version.
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
    // After a refusal no change of ours is on its way.
    if (isRetryable(error)) throw error;
    return await readRoots(run);
  });
  if (now.versions[role] === version) return { ...now, disable: [] };
  await run.ports.keeper.disable(version, run.signal);
  await changeClaim(run, ended, ({ notes }) => withoutClaim(notes));
  return undefined;
}

/** Changes the attempt of this ID, if it is still on record. Answers the roots from before. */
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

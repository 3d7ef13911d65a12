import { formatRootNotes } from "../core/roots/notes.ts";
import { isRefusal, type Refusal, type Roots, rootsOf, type Transition } from "../core/roots/stages.ts";
import type { RootState } from "../core/roots/state.ts";
import { ConflictError } from "../errors.ts";
import type { RotatorPorts } from "../ports/ports.ts";
import type { Run } from "../run.ts";

/** A run that may change the root secret. */
export type RotatorRun = Run<RotatorPorts>;

/** All that a change of the root secret takes. */
export type ChangingRun = Pick<RotatorRun, "signal"> & {
  readonly ports: Pick<RotatorPorts, "roots" | "keeper" | "clock">;
};

/** What is to become of the roots as they are now; undefined: nothing. */
export type Decide = (roots: Roots, state: RootState) => Transition | Refusal | undefined;

/** `before` is what was decided on; `after` what was written, or why nothing was; undefined where nothing was to be done. */
export interface Changed {
  readonly before: Roots;
  readonly after: Roots | Refusal | undefined;
}

/** Somebody else is always faster only if something is wrong. */
const ATTEMPTS = 5;

/** The roots as they are; nothing is changed. */
export async function readRoots({ ports, signal }: ChangingRun): Promise<Roots> {
  return rootsOf(await ports.roots.state(signal));
}

/**
 * One compare-and-set of aliases and annotations together. Whoever loses the race looks again and decides anew, so a decision
 * must follow from what it is given. What a transition disables is disabled before the state forgets it: dying in between leaves
 * it to be done again.
 */
export async function changeRoots({ ports, signal }: ChangingRun, decide: Decide): Promise<Changed> {
  for (let attempt = 1; ; attempt += 1) {
    const state = await ports.roots.state(signal);
    const before = rootsOf(state);
    const after = decide(before, state);
    if (after === undefined || isRefusal(after)) return { before, after };
    for (const version of after.disable) await ports.keeper.disable(version, signal);
    const annotations = formatRootNotes(after.notes, state.annotations);
    try {
      await ports.keeper.update(state, { versions: after.versions, annotations }, signal);
      return { before, after };
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt >= ATTEMPTS) throw error;
    }
  }
}

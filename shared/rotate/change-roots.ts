import { formatRootNotes } from "../core/roots/notes.ts";
import { isRefusal, type Refusal, type Roots, rootsOf, type Transition } from "../core/roots/stages.ts";
import type { RootState } from "../core/roots/state.ts";
import { sentenceTime } from "../core/time.ts";
import { ConflictError, NotReadyError } from "../errors.ts";
import type { RotatorPorts } from "../ports/ports.ts";
import type { Run } from "../run.ts";

/** A run that may change the root secret. */
export type RotatorRun = Run<RotatorPorts>;

/** The parts of a run that a change of the root secret needs. */
export type ChangingRun = Pick<RotatorRun, "signal"> & {
  readonly heedsPause?: boolean;
  readonly ports: Pick<RotatorPorts, "roots" | "keeper" | "clock">;
};

/** Decides on the present roots; undefined: no change. */
export type Decide = (roots: Roots, state: RootState) => Transition | Refusal | undefined;

/** `before`: the roots decided on. `after`: the roots written, or the refusal; undefined for no change. */
export interface Changed {
  readonly before: Roots;
  readonly after: Roots | Refusal | undefined;
}

/** Losing more races than this means a fault. */
const ATTEMPTS = 5;

export async function readRoots({ ports, signal }: ChangingRun): Promise<Roots> {
  return rootsOf(await ports.roots.state(signal));
}

/**
 * One compare-and-set of aliases and annotations together. A run that loses the race reads again and decides
 * anew, so `decide` must be pure. Disables versions before the state drops them: a run that dies in between
 * leaves that for the next. Fails with NotReadyError `WritesPaused` while a person has paused the functions.
 */
export async function changeRoots(
  { ports, signal, heedsPause = false }: ChangingRun,
  decide: Decide,
): Promise<Changed> {
  for (let attempt = 1; ; attempt += 1) {
    const state = await ports.roots.state(signal);
    const before = rootsOf(state);
    if (heedsPause && before.notes.writesPaused !== undefined)
      throw writesArePaused(before.notes.writesPaused);
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

/** The order comes again until a person resumes. */
export function writesArePaused(since: Date): NotReadyError {
  return new NotReadyError(`a person paused the functions' writes at ${sentenceTime(since)}`, {
    code: "WritesPaused",
    cure: "meshjoin resume",
  });
}

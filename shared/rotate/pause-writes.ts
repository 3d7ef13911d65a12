import { type Changed, type ChangingRun, changeRoots } from "./change-roots.ts";

/**
 * Records on the root secret that the functions write nothing to the mesh from now on. A second pause keeps
 * the time of the first.
 */
export async function pauseWrites(run: ChangingRun): Promise<Changed> {
  return await changeRoots(run, ({ versions, notes }) =>
    notes.writesPaused === undefined
      ? { versions, notes: { ...notes, writesPaused: run.ports.clock.now() }, disable: [] }
      : undefined,
  );
}

/** Takes that record away. */
export async function resumeWrites(run: ChangingRun): Promise<Changed> {
  return await changeRoots(run, ({ versions, notes: { writesPaused, ...notes } }) =>
    writesPaused === undefined ? undefined : { versions, notes, disable: [] },
  );
}

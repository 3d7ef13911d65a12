/** Steps that take back what was started. */
export interface Undo {
  /** Once everything is being undone, a step that comes late is run at once. */
  add(step: () => Promise<unknown>): void;
  /**
   * In reverse, each step even if another one failed; a second run does nothing. Rejects with all failures.
   */
  run(): Promise<void>;
}

export function createUndo(): Undo {
  const steps: (() => Promise<unknown>)[] = [];
  let undone = false;
  return {
    add(step) {
      if (undone) step().catch(() => undefined);
      else steps.push(step);
    },
    async run() {
      undone = true;
      const failures: unknown[] = [];
      for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
        await step().catch((error: unknown) => failures.push(error));
      }
      if (failures.length > 0) {
        throw new AggregateError(failures, "parts of the sandbox did not stop; end their processes by hand");
      }
    },
  };
}

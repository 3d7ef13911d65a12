import { UnavailableError } from "../../../../shared/errors.ts";

/** The process is no more. Not an error that Meshjoin knows, so that nothing handles it. */
export class ProcessDeath extends Error {
  constructor() {
    super("the process died; start it again");
    this.name = "ProcessDeath";
  }
}

/** What happens to the k-th write of the whole process, over all API servers. */
export type WriteFault = "dieBefore" | "dieAfter" | "loseAnswer";

/** Faults of one process; another process has its own. */
export interface ProcessFaults {
  /** 1 is the next write. */
  onWrite(k: number, fault: WriteFault): void;
  /** Writes so far: everything but reads, refused ones too. */
  readonly writes: number;
  /** Throws once the process is dead. */
  assertAlive(): void;
  around<T>(write: () => T): T;
}

export function processFaults(): ProcessFaults {
  let writes = 0;
  let dead = false;
  let planned: { readonly at: number; readonly fault: WriteFault } | undefined;

  const die = (): never => {
    dead = true;
    throw new ProcessDeath();
  };
  return {
    onWrite(k, fault) {
      planned = { at: writes + k, fault };
    },
    get writes() {
      return writes;
    },
    assertAlive() {
      if (dead) throw new ProcessDeath();
    },
    around(write) {
      if (dead) throw new ProcessDeath();
      writes += 1;
      const fault = planned?.at === writes ? planned.fault : undefined;
      if (fault === "dieBefore") die();
      const done = write();
      if (fault === "dieAfter") die();
      if (fault === "loseAnswer") {
        throw new UnavailableError("the connection broke", {
          code: "ApiServerUnreachable",
        });
      }
      return done;
    },
  };
}

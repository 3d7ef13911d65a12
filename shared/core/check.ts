/** Whose rights and reach a check is about: the person at the command line, or a function. */
export const ACCOUNTS = ["caller", "reconciler", "rotator", "signer"] as const;
export type Account = (typeof ACCOUNTS)[number];

/** `unknown`: it could not be looked at. That is never `ok`. */
export const CHECK_STATES = ["ok", "fault", "unknown"] as const;
export type CheckState = (typeof CHECK_STATES)[number];

/** One thing that the doctor looked at, or could not. */
export interface Check {
  /** What was looked at: `member`, `root`, `clusters`, …; several checks may have one name. */
  readonly name: string;
  readonly state: CheckState;
  readonly clusterId?: string;
  readonly account: Account;
  readonly message: string;
  /** The command, or failing that the words, that mend it. */
  readonly cure?: string;
}

export interface Diagnosis {
  readonly checks: readonly Check[];
}

export type Subject = Pick<Check, "name" | "account" | "clusterId">;

export function fine(subject: Subject, message: string): Check {
  return { ...subject, state: "ok", message };
}

export function fault(subject: Subject, message: string, cure?: string): Check {
  return { ...subject, state: "fault", message, ...(cure === undefined ? {} : { cure }) };
}

export function unknown(subject: Subject, message: string, cure?: string): Check {
  return { ...subject, state: "unknown", message, ...(cure === undefined ? {} : { cure }) };
}

/** A fault outweighs what is not known. */
export function worstState(checks: readonly Check[]): CheckState {
  const has = (state: CheckState) => checks.some((check) => check.state === state);
  return has("fault") ? "fault" : has("unknown") ? "unknown" : "ok";
}

/** Whose rights and reach a check is about: the person at the command line, or a function. */
export const ACCOUNTS = ["caller", "reconciler", "rotator", "signer"] as const;
export type Account = (typeof ACCOUNTS)[number];

/** `unknown`: the doctor could not look. That is never `ok`. */
export const CHECK_STATES = ["ok", "fault", "unknown"] as const;
export type CheckState = (typeof CHECK_STATES)[number];

/** One thing that the doctor looked at, or could not. */
export interface Check {
  /** The subject: `member`, `root`, `clusters`, …; several checks may share one. */
  readonly name: string;
  readonly state: CheckState;
  readonly clusterId?: string;
  readonly account: Account;
  readonly message: string;
  /** A command that mends it, or else words. */
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

/** Reads the answer of `GET /doctor`. Undefined for any other shape, and for a diagnosis without checks. */
export function parseDiagnosis(body: unknown): Diagnosis | undefined {
  const checks = typeof body === "object" && body !== null ? Reflect.get(body, "checks") : undefined;
  return Array.isArray(checks) && checks.length > 0 && checks.every(isCheck) ? { checks } : undefined;
}

function isCheck(value: unknown): value is Check {
  if (typeof value !== "object" || value === null) return false;
  const field = (name: string): unknown => Reflect.get(value, name);
  const optional = (name: string) => ["string", "undefined"].includes(typeof field(name));
  return (
    typeof field("name") === "string" &&
    typeof field("message") === "string" &&
    CHECK_STATES.some((state) => state === field("state")) &&
    ACCOUNTS.some((account) => account === field("account")) &&
    optional("cure") &&
    optional("clusterId")
  );
}

/** A fault outweighs an unknown. */
export function worstState(checks: readonly Check[]): CheckState {
  const has = (state: CheckState) => checks.some((check) => check.state === state);
  return has("fault") ? "fault" : has("unknown") ? "unknown" : "ok";
}

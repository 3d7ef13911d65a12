import type { Account, Check } from "../core/answers/check.ts";

/** A function under another account, which reports the checks of its own account. */
export interface Examiner {
  readonly account: Exclude<Account, "caller" | "reconciler">;
  /** About one member or all. Never fails: an account that cannot be asked is a check, and not an `ok`. */
  examine(member: string | undefined, signal: AbortSignal): Promise<readonly Check[]>;
}

import type { Account, Check } from "../core/answers/check.ts";

/** A function under another account, which says what it finds of itself. */
export interface Examiner {
  readonly account: Exclude<Account, "caller" | "reconciler">;
  /** Of one member, or of all. Never fails: an account that cannot be asked is a check, too, and never a good one. */
  examine(member: string | undefined, signal: AbortSignal): Promise<readonly Check[]>;
}

import { type Reconciled, reconcile } from "../../shared/reconcile.ts";
import { scopeOf } from "../cluster.ts";
import type { ExitCode } from "../exit-code.ts";
import type { Confirmable } from "../order.ts";
import type { Session } from "../session.ts";
import { CONFIRMED_BY_YES, exitCodeOfRun, showReconciled, unconfirmed } from "./reconciled.ts";

export interface SyncOrder {
  readonly cluster?: string;
  readonly deep: boolean;
  /** Whatever may be confirmed without its name is. */
  readonly yes: boolean;
  readonly confirm: readonly Confirmable[];
}

export async function sync(session: Session, { cluster, deep, yes, ...order }: SyncOrder): Promise<ExitCode> {
  return await session.withRun(async (run) => {
    const scope = await scopeOf(run, cluster, session.say);
    const reconcileNow = async (confirmed: boolean): Promise<Reconciled> => {
      const confirm = [...order.confirm, ...(confirmed ? CONFIRMED_BY_YES : [])];
      const request = { scope, reason: "sync", confirm, deep, rollOut: true };
      const reconciled = await reconcile(run, request);
      showReconciled(session, reconciled);
      return reconciled;
    };
    const first = await reconcileNow(yes);
    const open = unconfirmed(first.summary, CONFIRMED_BY_YES);
    if (open.length === 0) return exitCodeOfRun(first);
    return exitCodeOfRun((await isMeant(session, open)) ? await reconcileNow(true) : first);
  });
}

/** JSON is for programs, which are not asked. */
async function isMeant(session: Session, leavers: readonly string[]): Promise<boolean> {
  const names = `${leavers.length} clusters that seem to have left (${leavers.join(", ")})`;
  const { confirm } = session.host;
  if (confirm === undefined || session.format === "json") {
    session.say(
      `left as it is: what the members hold of ${names}; if they have left, run meshjoin sync --yes`,
    );
    return false;
  }
  return await confirm(`Remove what the members hold of ${names}?`);
}

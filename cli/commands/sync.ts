import { Option } from "commander";
import { type Reconciled, reconcile } from "../../shared/reconcile.ts";
import { scopeOf } from "../cluster.ts";
import { type ClusterOption, clusterOption, command } from "../command.ts";
import {
  CONFIRMABLE,
  CONFIRMED_BY_YES,
  type Confirmable,
  exitCodeOfRun,
  showReconciled,
  unconfirmed,
} from "../reconciled.ts";
import type { Session } from "../session.ts";

interface SyncOptions extends ClusterOption {
  readonly deep?: boolean;
  /** Confirms all that needs no confirmation by name. */
  readonly yes?: boolean;
  readonly confirm?: readonly Confirmable[];
}

export const sync = command<SyncOptions>({
  name: "sync",
  description: "make the mesh what it should be; run again, it changes nothing",
  declare: (bare) =>
    bare
      .addOption(clusterOption())
      .option("--deep", "look at every field of Istio's objects, too, and take edits back")
      .option("--yes", "do also what asks for confirmation (MassLeave)")
      .addOption(
        new Option(
          "--confirm <REASON...>",
          "act on findings of this reason, which alone it confirms",
        ).choices(CONFIRMABLE),
      ),
  notes:
    "Without --yes it asks on a terminal; elsewhere it leaves undone what it would have to ask, and exits with 1.",
  examples: [
    "meshjoin sync",
    "meshjoin sync --cluster cn-shop-europe-west1-checkout",
    "meshjoin sync --yes",
    "meshjoin sync --confirm NotConfigured",
  ],
  async run(session, { cluster, deep = false, yes = false, confirm: named = [] }) {
    return await session.withRun(async (run) => {
      const scope = await scopeOf(run, cluster, session.say);
      const reconcileNow = async (confirmed: boolean): Promise<Reconciled> => {
        const confirm = [...named, ...(confirmed ? CONFIRMED_BY_YES : [])];
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
  },
});

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

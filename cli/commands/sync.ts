import { Option } from "commander";
import { massLeavers } from "../../shared/core/answers/mass-leave.ts";
import type { ReconcileRequest } from "../../shared/core/request.ts";
import { type Reconciled, reconcile } from "../../shared/reconcile.ts";
import { scopeOf } from "../cluster.ts";
import { type ClusterOption, clusterOption, command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { meantByName } from "../meant-by-name.ts";
import {
  CONFIRMABLE,
  CONFIRMED_BY_YES,
  type Confirmable,
  exitCodeOfRun,
  showReconciled,
} from "../reconciled.ts";
import type { Session } from "../session.ts";

interface SyncOptions extends ClusterOption {
  readonly deep?: boolean;
  /** Confirms the findings that need no confirmation by name. */
  readonly yes?: boolean;
  readonly confirm?: readonly Confirmable[];
}

export const sync = command<SyncOptions>({
  name: "sync",
  description: "reconcile the mesh; a second run changes nothing",
  declare: (bare) =>
    bare
      .addOption(clusterOption())
      .option("--deep", "also check every field of Istio's objects, and take edits back")
      .option("--yes", "confirm departures (MassLeave), and ask nothing")
      .addOption(
        new Option(
          "--confirm <REASON...>",
          "act on the findings of this reason, and on no others that wait for a confirmation",
        ).choices(CONFIRMABLE),
      ),
  notes:
    "Without --yes it asks on a terminal. Elsewhere it acts on what --confirm names, and exits with 1 where another such\n" +
    "finding is left. meshjoin plan --confirm shows what a confirmation would do.",
  examples: [
    "meshjoin sync",
    "meshjoin sync --cluster cn-shop-europe-west1-checkout",
    "meshjoin sync --yes",
    "meshjoin sync --confirm NotConfigured",
  ],
  async run(session, { cluster, deep = false, yes = false, confirm: named = [] }) {
    return await session.withRun(async (run) => {
      const scope = await scopeOf(run, cluster, session.say);
      const meant = yes ? { confirm: named } : await meantByName(session, run, { scope, deep, named });
      if (meant === undefined) return EXIT.failed;
      const reconcileNow = async (order: Partial<ReconcileRequest> = {}): Promise<Reconciled> => {
        const confirm = [...meant.confirm, ...(yes ? CONFIRMED_BY_YES : [])];
        const request = { scope, reason: "sync", deep, rollOut: true, ...meant, confirm, ...order };
        const reconciled = await reconcile(run, request);
        showReconciled(session, reconciled);
        return reconciled;
      };
      const first = await reconcileNow();
      const leaving = massLeavers(first.summary.findings);
      if (leaving.length === 0 || !(await isMeant(session, leaving))) return exitCodeOfRun(first);
      // The yes is about these. Others may have lost the label while the person was thinking.
      return exitCodeOfRun(await reconcileNow({ leaving }));
    });
  },
});

async function isMeant({ ask, say }: Session, leavers: readonly string[]): Promise<boolean> {
  const names = `${leavers.length} clusters that seem to have left (${leavers.join(", ")})`;
  if (ask === undefined) {
    say(`the members keep their credentials of ${names}; if they have left, run meshjoin sync --yes`);
    return false;
  }
  return await ask(`Remove the members' credentials of ${names}?`);
}

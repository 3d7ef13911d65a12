import { Option } from "commander";
import { massLeavers } from "../../shared/core/answers/mass-leave.ts";
import type { Plan, PlannedAction } from "../../shared/core/answers/plan.ts";
import { count } from "../../shared/core/count.ts";
import type { ReconcileRequest, Scope } from "../../shared/core/request.ts";
import { lookAtMesh } from "../../shared/look/mesh.ts";
import type { OperatorRun } from "../../shared/operator.ts";
import { preview } from "../../shared/preview.ts";
import { type Reconciled, reconcile } from "../../shared/reconcile.ts";
import { scopeOf } from "../cluster.ts";
import { type ClusterOption, clusterOption, command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { isForPrograms } from "../format.ts";
import { namesIn } from "../mesh-names.ts";
import {
  CONFIRMABLE,
  CONFIRMED_BY_YES,
  type Confirmable,
  exitCodeOfRun,
  showReconciled,
} from "../reconciled.ts";
import type { Names } from "../screen.ts";
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

interface Named {
  readonly scope: Scope;
  readonly deep: boolean;
  readonly named: readonly Confirmable[];
}

/** A person's yes is about the clusters that were shown, and about no others that have left since. */
interface Meant {
  readonly confirm: readonly Confirmable[];
  readonly leaving?: readonly string[];
}

/**
 * A confirmation is about the whole mesh, and a person may have pasted it for one member: it says for which,
 * and asks. Undefined after a no.
 */
async function meantByName(session: Session, run: OperatorRun, wish: Named): Promise<Meant | undefined> {
  const { confirm } = session.host;
  const { named, ...rest } = wish;
  if (named.length === 0 || confirm === undefined || isForPrograms(session.format)) return { confirm: named };
  const mesh = await lookAtMesh(run, "mesh");
  const planned = async (reasons: readonly Confirmable[]) =>
    await preview(run, { ...rest, reason: "plan", confirm: reasons }, mesh);
  const [without, then] = [await planned([]), await planned(named)];
  const waiting = without.findings.filter(({ reason }) => named.some((each) => each === reason));
  if (waiting.length === 0) {
    session.say(`no finding waits for ${named.join(", ")} now`);
    return { confirm: named };
  }
  for (const { reason, message } of waiting) session.say(`${reason} waits: ${message}`);
  session.say(addedBy(then, without, namesIn(mesh.members)));
  if (!(await confirm("Continue?"))) return undefined;
  const leaving = named.includes("MassLeave") ? massLeavers(without.findings) : [];
  return leaving.length === 0
    ? { confirm: named }
    : { confirm: named.filter((each) => each !== "MassLeave"), leaving };
}

const VERBS = { delete: "deletes", update: "updates", create: "creates" } as const;

/** Some begin with the look of the run alone, as a roll-out does. */
function addedBy({ actions }: Plan, without: Plan, names: Names): string {
  const keyOf = ({ verb, clusterId, object }: PlannedAction) => JSON.stringify([verb, clusterId, object]);
  const known = new Set(without.actions.map(keyOf));
  const added = actions.filter((action) => !known.has(keyOf(action)));
  if (added.length === 0) return "What it does with the confirmation, the run shows as it goes.";
  const parts = Object.entries(VERBS).flatMap(([verb, does]) => {
    const number = added.filter((action) => action.verb === verb).length;
    return number === 0 ? [] : [`${does} ${count(number, "object")}`];
  });
  const where = [...new Set(added.map(({ clusterId }) => names(clusterId)))];
  return `With the confirmation it ${parts.join(", ")}, in ${where.join(", ")}.`;
}

/** Asks a person; a program that reads the result is not asked. */
async function isMeant(session: Session, leavers: readonly string[]): Promise<boolean> {
  const names = `${leavers.length} clusters that seem to have left (${leavers.join(", ")})`;
  const { confirm } = session.host;
  if (confirm === undefined || isForPrograms(session.format)) {
    session.say(`the members keep their credentials of ${names}; if they have left, run meshjoin sync --yes`);
    return false;
  }
  return await confirm(`Remove the members' credentials of ${names}?`);
}

import type { Finding } from "../shared/core/answers/finding.ts";
import { massLeavers } from "../shared/core/answers/mass-leave.ts";
import type { Plan, PlannedAction } from "../shared/core/answers/plan.ts";
import { count } from "../shared/core/count.ts";
import { isReachable } from "../shared/core/member/observation.ts";
import type { Scope } from "../shared/core/request.ts";
import { lookAtMesh, type Mesh } from "../shared/look/mesh.ts";
import type { OperatorRun } from "../shared/operator.ts";
import { preview } from "../shared/preview.ts";
import { namesIn } from "./mesh-names.ts";
import type { Confirmable } from "./reconciled.ts";
import type { Names } from "./screen.ts";
import type { Session } from "./session.ts";
import { inScope, unseenOf } from "./unseen.ts";

interface Wish {
  readonly scope: Scope;
  readonly deep: boolean;
  readonly named: readonly Confirmable[];
}

/** A person's yes is about what was shown, and about nothing that has come since. */
interface Meant {
  readonly confirm: readonly Confirmable[];
  readonly leaving?: readonly string[];
}

/**
 * A confirmation is about the whole mesh, and a person may have pasted it for one member: it says for which,
 * and asks. Undefined after a no. A reason that nothing waits for is not confirmed.
 */
export async function meantByName(
  session: Session,
  run: OperatorRun,
  { named, ...how }: Wish,
): Promise<Meant | undefined> {
  if (named.length === 0 || session.ask === undefined) return { confirm: named };
  const mesh = await lookAtMesh(run, "mesh");
  const planned = async (reasons: readonly Confirmable[], deep: boolean) =>
    await preview(run, { ...how, deep, reason: "plan", confirm: reasons }, mesh);
  // Only a deep look, or the confirmation itself, asks for an ingress that nobody wants any more.
  const [without, then] = [await planned([], true), await planned(named, how.deep)];
  const names = namesIn(mesh.members);
  const shown = named.flatMap((reason) => waitingFor(reason, without.findings, mesh, names));
  for (const { reason, words } of shown) session.say(`${reason} waits: ${words}`);
  const meant = named.filter((reason) => shown.some((each) => each.reason === reason));
  const rest = named.filter((reason) => !meant.includes(reason));
  if (rest.length > 0) session.say(`nothing waits for ${rest.join(", ")}: that confirms nothing`);
  if (meant.length === 0) return { confirm: [] };
  for (const line of [addedBy(then, without, names), ...unseenOf(inScope(mesh.members, how.scope), names)])
    session.say(line);
  if (!(await session.ask("Continue?"))) return undefined;
  const leaving = meant.includes("MassLeave") ? massLeavers(without.findings) : [];
  return leaving.length === 0
    ? { confirm: meant }
    : { confirm: meant.filter((reason) => reason !== "MassLeave"), leaving };
}

interface Waiting {
  readonly reason: Confirmable;
  readonly words: string;
}

/** A roll-out finds what it waits for when it comes to a member, so the silent ones are named instead. */
function waitingFor(
  reason: Confirmable,
  findings: readonly Finding[],
  { members, leavers }: Mesh,
  names: Names,
): Waiting[] {
  const found = findings.filter((each) => each.reason === reason).map(({ message }) => message);
  if (found.length > 0 || reason !== "RollOutWaits") return found.map((words) => ({ reason, words }));
  const silent = [...members, ...leavers].filter((each) => !isReachable(each));
  if (silent.length === 0) return [];
  const list = silent.map(({ clusterId }) => names(clusterId)).join(", ");
  const words = `each istiod that restarts in this run loses the pods of ${list}, whose API server is silent, until that answers`;
  return [{ reason, words }];
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

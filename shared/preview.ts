import { distinct, type Finding, inOrder } from "./core/answers/finding.ts";
import type { Plan, PlannedAction } from "./core/answers/plan.ts";
import type { Member } from "./core/member/observation.ts";
import { rememberedTroubles } from "./core/member/remembered.ts";
import type { ReconcileRequest } from "./core/request.ts";
import { rootFindings } from "./core/roots/findings.ts";
import { lookAtDefinitions } from "./look/definitions.ts";
import { isAboutIngresses, lookAtIngress } from "./look/ingress.ts";
import { lookAtMesh, type Mesh } from "./look/mesh.ts";
import type { Action } from "./plan/action.ts";
import { actionsOf, planFirst, planMesh } from "./plan/mesh.ts";
import { findingsByReader } from "./plan/pair.ts";
import { planContext } from "./plan-context.ts";
import type { Run } from "./run.ts";

/**
 * The plan of this request, from one look at the whole mesh (or `latest`, a look that the caller has just
 * had). The run itself looks again between its rounds, so it may find more to do, or less. Throws as
 * `lookAtMesh` does.
 */
export async function preview(run: Run, request: ReconcileRequest, latest?: Mesh): Promise<Plan> {
  const { scope } = request;
  const observed = await withUnwantedIngresses(run, request, latest ?? (await lookAtMesh(run, "mesh")));
  const context = planContext(run, request);
  const mesh = await lookAtDefinitions(run, observed, planFirst(observed, context));
  const plan = planMesh(mesh, context, "afterwards");
  const concerns = (...ids: readonly string[]) => scope === "mesh" || ids.includes(scope.clusterId);
  const actions = actionsOf(plan).filter((action) => isOfMesh(action) || concerns(...sidesOf(action)));
  const now = run.ports.clock.now();
  const remembered = (member: Member | undefined, live: readonly Finding[]) =>
    member === undefined ? [] : rememberedTroubles(member, live, now);
  const ofPairs = findingsByReader(plan.pairs);
  const findings = [
    ...rootFindings(mesh, run.spec, now),
    ...mesh.listing.findings,
    ...plan.members.flatMap(({ clusterId, findings: notes }, index) =>
      concerns(clusterId)
        ? [...notes, ...remembered(mesh.members[index], [...notes, ...(ofPairs.get(clusterId) ?? [])])]
        : [],
    ),
    ...[
      ...plan.drains.findings,
      ...plan.gateways.findings,
      ...plan.changes.findings,
      ...plan.trafficDefaults.findings,
      ...plan.ingress.findings,
    ].filter(({ clusterId = "" }) => concerns(clusterId)),
    ...plan.pairs.flatMap(({ reader, target, action, expiring, findings: notes }) =>
      concerns(reader, target) ? [...notes, ...(action === undefined ? [expiring ?? []].flat() : [])] : [],
    ),
    ...plan.departures.findings.filter(({ clusterId = "" }) => concerns(clusterId)),
  ];
  const planned = actions.flatMap(({ writes, findings: causes }) =>
    writes.map((write): PlannedAction => ({ ...write, findings: causes })),
  );
  return {
    actions: planned.toSorted(byObject),
    findings: distinct(findings).toSorted(inOrder),
  };
}

/** A look finds only those that the configuration wants. */
async function withUnwantedIngresses(run: Run, request: ReconcileRequest, mesh: Mesh): Promise<Mesh> {
  if (run.spec.ingress === "on" || !isAboutIngresses(request)) return mesh;
  return { ...mesh, members: await lookAtIngress(run, mesh.members, true) };
}

/** A run about one cluster gives its peers the gateways that it needs, too. */
function isOfMesh({ kind }: Action): boolean {
  return kind === "applyGateway" || kind === "hideGateway" || kind === "removeGateway";
}

/** The clusters that an action is about. */
function sidesOf(action: Action): string[] {
  if ("target" in action) return [action.clusterId, action.target];
  if ("of" in action) return [action.clusterId, action.of];
  return action.kind === "revoke" ? [action.clusterId, action.reader] : [action.clusterId];
}

function byObject(a: PlannedAction, b: PlannedAction): number {
  const key = ({ clusterId, object, verb }: PlannedAction) =>
    [clusterId, object.kind, object.namespace ?? "", object.name, verb].join("\n");
  return key(a) < key(b) ? -1 : 1;
}

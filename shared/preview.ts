import { distinct, inOrder } from "./core/finding.ts";
import { CACERTS, ISTIO_NAMESPACE, readerSecretName, remoteSecretName } from "./core/names.ts";
import type { Member } from "./core/observation.ts";
import type { Plan, PlannedAction } from "./core/plan.ts";
import type { ReconcileRequest } from "./core/request.ts";
import { noSigningRoot } from "./core/roots/signing.ts";
import { MeshjoinError } from "./errors.ts";
import { controlPlane, isDefinition } from "./istio/control-plane.ts";
import { CRDS, dueCrds } from "./istio/crds.ts";
import { manifestValues } from "./istio/template.ts";
import { lookAtMesh, type Mesh } from "./look/mesh.ts";
import type { Action, ApplyControlPlane } from "./plan/action.ts";
import { actionsOf, planMesh } from "./plan/mesh.ts";
import { planContext } from "./plan-context.ts";
import type { KubernetesObject, Ports } from "./ports.ts";
import type { Run } from "./run.ts";

/**
 * What a run of this request would do now, planned from one look at everything, `known` if somebody has just had it. The
 * real run looks again between its rounds, so it may find more to do, or less. Throws as `lookAtMesh` does.
 */
export async function preview(run: Run, request: ReconcileRequest, known?: Mesh): Promise<Plan> {
  const { scope } = request;
  const seen = known ?? (await lookAtMesh(run, "mesh"));
  const plan = planMesh(seen, planContext(run, request), "afterwards");
  const concerns = (...ids: readonly string[]) => scope === "mesh" || ids.includes(scope.clusterId);
  const actions = actionsOf(plan).filter((action) => concerns(...sidesOf(action)));
  const findings = [
    ...[noSigningRoot(run.spec, seen.roots.versions) ?? []].flat(),
    ...seen.listing.findings,
    ...plan.members.flatMap(({ clusterId, findings: found }) => (concerns(clusterId) ? found : [])),
    ...plan.pairs.flatMap(({ reader, target, action, expiring, findings: found }) =>
      concerns(reader, target) ? [...found, ...(action === undefined ? [expiring ?? []].flat() : [])] : [],
    ),
    ...plan.departures.findings.filter(({ clusterId = "" }) => concerns(clusterId)),
  ];
  const planned = await Promise.all(actions.map((action) => plannedActions(run, seen.members, action)));
  return {
    actions: planned.flat().toSorted(byObject),
    findings: distinct(findings).toSorted(inOrder),
  };
}

/** The clusters that an action is about. */
function sidesOf(action: Action): string[] {
  if (action.kind === "connect" || action.kind === "disconnect") return [action.clusterId, action.target];
  return action.kind === "revoke" ? [action.clusterId, action.reader] : [action.clusterId];
}

async function plannedActions(
  run: Run,
  members: readonly Member[],
  action: Action,
): Promise<PlannedAction[]> {
  const { verb, clusterId, findings } = action;
  const secret = (
    name: string,
    on: string = clusterId,
    how: PlannedAction["verb"] = verb,
  ): PlannedAction => ({
    verb: how,
    clusterId: on,
    object: { kind: "Secret", namespace: ISTIO_NAMESPACE, name },
    findings,
  });
  switch (action.kind) {
    case "labelNamespace":
      return [{ verb, clusterId, object: { kind: "Namespace", name: ISTIO_NAMESPACE }, findings }];
    case "issueIntermediate":
      return [secret(CACERTS)];
    case "applyControlPlane":
      return (await objectsOf(run, members, action)).map(({ kind, metadata: { name, namespace } }) => ({
        verb,
        clusterId,
        object: { kind, name, ...(namespace === undefined ? {} : { namespace }) },
        findings,
      }));
    case "connect": {
      const standIn = readerSecretName(clusterId);
      const target = members.find((member) => member.clusterId === action.target)?.state;
      const known = target?.reachable === true && target.readerSecrets.some(({ name }) => name === standIn);
      return [
        ...(known ? [] : [secret(standIn, action.target, "create")]),
        secret(remoteSecretName(action.target)),
      ];
    }
    case "disconnect":
    case "revoke":
      return [secret(action.secret.name)];
  }
}

/** A CRD that is there and not older stays as it is. Where the member cannot be asked, all may be due. */
async function objectsOf(
  { ports, spec, template, signal }: Run,
  members: readonly Member[],
  { clusterId }: ApplyControlPlane,
): Promise<KubernetesObject[]> {
  const member = members.find((each) => each.clusterId === clusterId);
  const { meshId } = spec;
  const of = { clusterId, network: member?.network ?? "" };
  const desired = controlPlane(template, manifestValues(template, spec, of));
  const existing = member === undefined ? [] : await crdsOf(ports, member, signal);
  return desired.stages.flatMap(({ objects }) =>
    objects.some(isDefinition) ? dueCrds(existing, objects, desired.istioVersion, meshId) : objects,
  );
}

async function crdsOf(
  { fleet }: Ports,
  { cluster }: Member,
  signal: AbortSignal,
): Promise<readonly KubernetesObject[]> {
  try {
    return await fleet.member(cluster).reader.list(CRDS, signal);
  } catch (error) {
    if (!(error instanceof MeshjoinError)) throw error;
    return [];
  }
}

function byObject(a: PlannedAction, b: PlannedAction): number {
  const key = ({ clusterId, object, verb }: PlannedAction) =>
    [clusterId, object.kind, object.namespace ?? "", object.name, verb].join("\n");
  return key(a) < key(b) ? -1 : 1;
}

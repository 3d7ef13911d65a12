import type { Run } from "./apply.ts";
import { distinct, inOrder } from "./core/finding.ts";
import { CACERTS, ISTIO_NAMESPACE, readerSecretName, remoteSecretName } from "./core/names.ts";
import type { Member } from "./core/observation.ts";
import type { Plan, PlannedAction } from "./core/plan.ts";
import type { ReconcileRequest } from "./core/request.ts";
import { noSigningRoot } from "./core/roots/signing.ts";
import { MeshjoinError } from "./errors.ts";
import { controlPlane } from "./istio/control-plane.ts";
import { CRDS, dueCrds } from "./istio/crds.ts";
import { manifestValues } from "./istio/template.ts";
import { type Plans, plansOf, type Survey, survey } from "./look/survey.ts";
import type { Action, ApplyControlPlane } from "./plan/action.ts";
import type { KubernetesObject, Ports } from "./ports.ts";

/**
 * What a run of this request would do now, planned from one look at everything, `known` if somebody has just had it. The
 * real run looks again between its rounds, so it may find more to do, or less. Throws as `survey` does.
 */
export async function preview(
  run: Run,
  { scope, confirm = [] }: ReconcileRequest,
  known?: Survey,
): Promise<Plan> {
  const seen = known ?? (await survey(run));
  const plans = plansOf(run, seen, { pairs: "afterwards", confirm });
  const concerns = (...ids: readonly string[]) => scope === "mesh" || ids.includes(scope.clusterId);
  const actions = actionsOf(plans).filter((action) => concerns(...sidesOf(action)));
  const findings = [
    ...[noSigningRoot(run.spec, seen.roots.versions) ?? []].flat(),
    ...seen.listing.findings,
    ...plans.memberPlans.flatMap((plan) => (concerns(plan.clusterId) ? plan.findings : [])),
    ...plans.pairPlans.flatMap(({ reader, target, action, expiring, findings: found }) =>
      concerns(reader, target) ? [...found, ...(action === undefined ? [expiring ?? []].flat() : [])] : [],
    ),
    ...plans.departurePlan.findings.filter(({ clusterId = "" }) => concerns(clusterId)),
  ];
  const planned = await Promise.all(actions.map((action) => plannedActions(run, seen.members, action)));
  return {
    actions: planned.flat().toSorted(byObject),
    findings: distinct(findings).toSorted(inOrder),
  };
}

function actionsOf({ memberPlans, pairPlans, departurePlan }: Plans): Action[] {
  return [
    ...memberPlans.flatMap(({ actions, renewal, rollOut }): readonly Action[] => [
      ...actions,
      ...[renewal ?? []].flat(),
      ...[rollOut ?? []].flat(),
    ]),
    ...pairPlans.flatMap(({ action }) => action ?? []),
    ...departurePlan.actions,
  ];
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
  return [
    ...dueCrds(existing, desired, meshId),
    ...desired.others,
    ...desired.mutatingWebhooks,
    ...desired.validatingWebhooks,
    desired.deployment,
  ];
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

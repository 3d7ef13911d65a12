import { outcomeOf } from "../core/answers/outcome.ts";
import type { Member } from "../core/member/observation.ts";
import { ISTIO_NAMESPACE, ISTIOD } from "../core/names.ts";
import { controlPlane } from "../istio/control-plane.ts";
import type { CacertsMaterial } from "../istio/secrets.ts";
import { isRolledOut } from "../istio/workload.ts";
import type { MemberAction } from "../plan/action.ts";
import type { Run } from "../run.ts";
import { applyControlPlane } from "./control-plane.ts";
import { prepareIntermediate, writeIntermediate } from "./intermediate.ts";
import { applyNamespace } from "./namespace.ts";
import { writeFirstTrafficDefaults } from "./traffic-defaults.ts";

/**
 * Writes one member's own half in the order of design rule 3. The certificate is made before anything but the
 * namespace is written: a root that cannot sign leaves that alone, and in it the record says why. Answers
 * whether anything was written.
 */
export async function applyMember(
  run: Run,
  member: Member,
  actions: readonly MemberAction[],
): Promise<boolean> {
  const { ports, spec, signal } = run;
  const issues = actions.some(({ kind }) => kind === "issueIntermediate");
  let material: CacertsMaterial | undefined;
  let wrote = false;
  for (const action of actions) {
    if (issues && action.kind !== "labelNamespace")
      material ??= await prepareIntermediate(ports, spec, member.cluster, signal);
    const hasWritten = await applyAction(run, member, action, material);
    run.progress({
      step: action.kind,
      clusterId: member.clusterId,
      outcome: hasWritten ? outcomeOf(action) : "unchanged",
    });
    wrote ||= hasWritten;
  }
  return wrote;
}

async function applyAction(
  { ports, spec, template, signal }: Run,
  member: Member,
  action: MemberAction,
  material: CacertsMaterial | undefined,
): Promise<boolean> {
  const api = ports.fleet.member(member.cluster);
  const { meshId } = spec;
  switch (action.kind) {
    case "labelNamespace":
      await applyNamespace(api, action, meshId, signal);
      return true;
    case "issueIntermediate":
      return (
        material !== undefined &&
        (await writeIntermediate(api, action, material, meshId, ports.clock.now(), signal))
      );
    case "applyControlPlane":
      await applyControlPlane(api, controlPlane(template, spec, member), meshId, signal, {
        ...(action.isFirst && { onceDefined: () => writeFirstTrafficDefaults(api, spec, signal) }),
      });
      return true;
  }
}

/** Waits until only the newest istiods remain and one serves, or the signal aborts. */
export async function awaitIstiod(
  { ports }: Run,
  { cluster, state }: Member,
  signal: AbortSignal,
): Promise<boolean> {
  const name = (state.reachable ? state.controlPlane?.name : undefined) ?? ISTIOD;
  const query = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    namespace: ISTIO_NAMESPACE,
    fieldSelector: `metadata.name=${name}`,
  };
  const { reader } = ports.fleet.member(cluster);
  const deployments = await reader.until(query, (now) => now.some((each) => isRolledOut(each)), signal);
  return deployments.some((deployment) => isRolledOut(deployment));
}

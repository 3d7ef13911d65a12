import { faultFinding } from "../core/answers/error-finding.ts";
import { type Finding, finding } from "../core/answers/finding.ts";
import type { Write } from "../core/answers/plan.ts";
import { kubectlOn, typedName } from "../core/cluster/gcloud.ts";
import { isReachable, type ReachableMember } from "../core/member/observation.ts";
import { gatewayOptionsName, INGRESS, INGRESS_NAMESPACE } from "../core/names.ts";
import { isUp } from "../core/network/gateway.ts";
import type { IngressState } from "../core/network/ingress.ts";
import type { IngressAction } from "./action.ts";
import type { PairContext } from "./context.ts";
import { isComplete, isInstalled } from "./standing.ts";

export interface IngressPlan {
  readonly actions: readonly IngressAction[];
  /** Of ingresses that do not serve as they should, and of those that users may need and nobody wants. */
  readonly findings: readonly Finding[];
}

export interface IngressContext extends PairContext {
  /** What the Service of an ingress that is as it should be has for its settings. */
  readonly ingressSettings: string;
}

/**
 * What is due for the ingresses of members whose istiod is Meshjoin's. Of a member that nobody has asked,
 * nothing is planned.
 */
export function planIngress(context: IngressContext): IngressPlan {
  const own = context.members
    .filter(isReachable)
    .filter((member) => isInstalled(member.state) || context.view === "afterwards")
    .filter((member) => isComplete(member, context));
  const plans = own.map((member) =>
    context.spec.ingress === "on" ? planWanted(member, context) : planUnwanted(member, context),
  );
  return {
    actions: plans.flatMap(({ actions }) => actions),
    findings: plans.flatMap(({ findings }) => findings),
  };
}

const NOTHING: IngressPlan = { actions: [], findings: [] };

function planWanted(member: ReachableMember, context: IngressContext): IngressPlan {
  const { spec, ingressSettings } = context;
  const { clusterId, state } = member;
  const { ingress } = state;
  if (ingress === undefined) return isInstalled(state) ? NOTHING : applied(clusterId, "create");
  switch (ingress.state) {
    case "unknown":
      return { actions: [], findings: [faultFinding(ingress.unread, clusterId)] };
    case "none":
      return applied(clusterId, "create");
    case "present":
      if (ingress.settings === undefined) return { actions: [], findings: [foreignIngress(member)] };
      if (ingress.settings !== ingressSettings) {
        const kept = httpsKept(member, ingress, context);
        return kept === undefined ? applied(clusterId, "update") : { actions: [], findings: [kept] };
      }
      return { actions: [], findings: faultsOf(member, ingress, spec.ingressTlsSecret) };
  }
}

/** Why a port 443 stays as it is; undefined where nobody loses it. One that is not served has no users. */
function httpsKept(
  member: ReachableMember,
  { tls, hasNextSecret }: IngressState,
  { spec, confirm }: IngressContext,
): Finding | undefined {
  const { ingressTlsSecret } = spec;
  if (!("secret" in tls) || confirm.includes("IngressInUse")) return undefined;
  if (ingressTlsSecret === undefined) return httpsInUse(member.clusterId);
  const isServed = tls.secret === ingressTlsSecret || hasNextSecret === true;
  return isServed ? undefined : nextSecretMissing(member, tls.secret, ingressTlsSecret);
}

function nextSecretMissing(
  { clusterId, cluster }: ReachableMember,
  present: string | undefined,
  next: string,
): Finding {
  const now = present === undefined ? "another Secret" : `Secret ${present}`;
  const create = createTlsSecret(`${kubectlOn(cluster.ref)} -n ${INGRESS_NAMESPACE}`, next);
  return finding(
    "IngressInUse",
    `port 443 of the ingress of ${clusterId} serves with ${now}; ${INGRESS_NAMESPACE} there has no Secret ${next} of type kubernetes.io/tls, which the configuration names, so Meshjoin keeps the ingress as it is`,
    `put certificate and key there: ${create}; to take ${next} as it is, which may end port 443: meshjoin sync --confirm IngressInUse`,
    clusterId,
  );
}

function createTlsSecret(kubectl: string, name: string): string {
  return `${kubectl} create secret tls ${typedName(name)} --cert=FILE --key=FILE`;
}

function httpsInUse(clusterId: string): Finding {
  return finding(
    "IngressInUse",
    `the ingress of ${clusterId} has a port 443, and the configuration names no Secret for it; users may send requests there, so Meshjoin keeps the ingress as it is`,
    "to keep it, set MESHJOIN_INGRESS_TLS_SECRET as it was; to end it: meshjoin sync --confirm IngressInUse",
    clusterId,
  );
}

function applied(clusterId: string, verb: "create" | "update"): IngressPlan {
  const why =
    verb === "create"
      ? "the cluster has no ingress"
      : "the ingress of the cluster is not as the configuration has it";
  const cause = finding("IngressMissing", why, "nothing: Meshjoin installs it", clusterId);
  const writes = writesOf(verb, clusterId);
  return { actions: [{ kind: "applyIngress", verb, clusterId, writes, findings: [cause] }], findings: [] };
}

function foreignIngress({ clusterId, cluster }: ReachableMember): Finding {
  return finding(
    "IngressForeign",
    `Gateway ${INGRESS} in ${INGRESS_NAMESPACE} of ${clusterId} is not Meshjoin's; Meshjoin leaves it alone, and the cluster gets no ingress of Meshjoin's`,
    `give that Gateway another name, which is an outage of what comes in through it: ${kubectlOn(cluster.ref)} -n ${INGRESS_NAMESPACE} get gateways.gateway.networking.k8s.io ${INGRESS} -o yaml; or set MESHJOIN_INGRESS=off`,
    clusterId,
  );
}

function faultsOf(member: ReachableMember, ingress: IngressState, tlsSecret = ""): Finding[] {
  const { clusterId, cluster } = member;
  const { service, addresses, tls } = ingress;
  const kubectl = `${kubectlOn(cluster.ref)} -n ${INGRESS_NAMESPACE}`;
  const findings: Finding[] = [];
  if (!isUp(ingress)) {
    const why = addresses.length === 0 ? "its load balancer has no address" : "none of its pods is ready";
    findings.push(
      finding(
        "IngressPending",
        `the ingress of ${clusterId} takes no requests: ${why}`,
        `nothing, if it is new; otherwise see why: ${kubectl} describe service ${typedName(service)}`,
        clusterId,
      ),
    );
  }
  if (tls.state === "refused") {
    findings.push(
      finding(
        "IngressTlsMissing",
        `the ingress of ${clusterId} does not serve port 443, port 80 goes on: ${tls.because}`,
        `put certificate and key there: ${createTlsSecret(kubectl, tlsSecret)}; or for none, unset MESHJOIN_INGRESS_TLS_SECRET`,
        clusterId,
      ),
    );
  }
  return findings;
}

/**
 * That nobody sends requests to it cannot be proved, so one that has an address waits for a person. So does
 * one with pods that serve: a Service of the users' may lead to them (terraform/examples/global-ingress).
 */
function planUnwanted({ clusterId, state }: ReachableMember, { confirm }: IngressContext): IngressPlan {
  const { ingress } = state;
  if (ingress?.state === "unknown")
    return { actions: [], findings: [faultFinding(ingress.unread, clusterId)] };
  if (ingress?.state !== "present" || ingress.settings === undefined) return NOTHING;
  const [address] = ingress.addresses;
  if ((address !== undefined || ingress.isServing) && !confirm.includes("IngressInUse")) {
    const where = address === undefined ? "through another load balancer" : `at ${address}`;
    const inUse = finding(
      "IngressInUse",
      `${clusterId} should have no ingress, and users may send requests to the one that it has, ${where}; Meshjoin keeps it`,
      "to keep it, set MESHJOIN_INGRESS=on; to end it, which ends every request from outside and gives its address back: meshjoin sync --confirm IngressInUse",
      clusterId,
    );
    return { actions: [], findings: [inUse] };
  }
  const cause = finding(
    "IngressNotNeeded",
    "the configuration wants no ingress",
    "nothing: Meshjoin removes it",
    clusterId,
  );
  const writes = writesOf("delete", clusterId);
  return {
    actions: [{ kind: "removeIngress", verb: "delete", clusterId, writes, findings: [cause] }],
    findings: [],
  };
}

/** The namespace stays: what users have put into it is theirs. */
function writesOf(verb: Write["verb"], clusterId: string): Write[] {
  const inside = [
    { kind: "ConfigMap", name: gatewayOptionsName(INGRESS) },
    { kind: "Gateway", name: INGRESS },
    { kind: "Role", name: INGRESS },
    { kind: "RoleBinding", name: INGRESS },
  ].map((object) => ({ ...object, namespace: INGRESS_NAMESPACE }));
  const namespace = verb === "create" ? [{ kind: "Namespace", name: INGRESS_NAMESPACE }] : [];
  return [...namespace, ...inside].map((object) => ({ verb, clusterId, object }));
}

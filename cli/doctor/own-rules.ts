import { ISTIO_NAMESPACE } from "../../shared/core/names.ts";
import { isRecord } from "../../shared/is-record.ts";
import { coversAll } from "../../shared/istio/traffic-defaults.ts";
import type { KubernetesObject } from "../../shared/ports/kubernetes-object.ts";

/** A Service of one cluster, as far as rules about it go. */
export interface RuledService {
  readonly namespace: string;
  readonly name: string;
  readonly ports: readonly number[];
}

/** `namespace/name` of DestinationRules that share a host, one after the other. */
export type RuleNames = readonly string[];

interface Rule {
  readonly id: string;
  readonly namespace: string;
  readonly host: string;
  readonly createdAt: string;
  readonly policy: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The DestinationRules that take failover away from a Service. Of each namespace istiod takes the rules with
 * the most specific host, and of those the first policy; it inherits nothing of a rule in Istio's namespace.
 * A rule that says itself that it wants none is not among them: one that turns `localityLbSetting` off, or
 * distributes by weight. Istio `pilot/pkg/model/push_context.go`, `destination_rule.go`.
 */
export function rulesWithoutFailover(
  { namespace, name, ports }: RuledService,
  rules: readonly KubernetesObject[],
): RuleNames[] {
  const host = `${name}.${namespace}.svc.cluster.local`;
  const matching = rules.map(ruleOf).filter((rule) => matches(rule.host, host));
  return [...Map.groupBy(matching, (rule) => rule.namespace).values()].flatMap((all) => {
    const best = all.map((rule) => rule.host).reduce((one, other) => (isCloser(other, one) ? other : one));
    const chosen = all
      .filter((rule) => rule.host === best)
      .toSorted((one, other) => (one.createdAt < other.createdAt ? -1 : 1));
    const policy = chosen.find((rule) => rule.policy !== undefined)?.policy;
    // One for all Services is another finding: TrafficDefaultsForeign.
    const isOfMesh = chosen[0]?.namespace === ISTIO_NAMESPACE && coversAll(best);
    return isOfMesh || keepsFailover(policy, ports) ? [] : [chosen.map(({ id }) => id)];
  });
}

function ruleOf({ metadata, spec }: KubernetesObject): Rule {
  const { name, namespace = "", creationTimestamp = "" } = metadata;
  const { host, trafficPolicy } = isRecord(spec) ? spec : {};
  const text = typeof host === "string" ? host : "";
  return {
    id: `${namespace}/${name}`,
    namespace,
    host: /[.*]/.test(text) ? text : `${text}.${namespace}.svc.cluster.local`,
    createdAt: creationTimestamp,
    policy: isRecord(trafficPolicy) ? trafficPolicy : undefined,
  };
}

function matches(host: string, name: string): boolean {
  return host.startsWith("*") ? name.endsWith(host.slice(1)) : host === name;
}

/** Whether the host is more specific than the other. */
function isCloser(host: string, other: string): boolean {
  const isExact = (text: string) => !text.startsWith("*");
  return isExact(host) === isExact(other) ? host.length > other.length : isExact(host);
}

function keepsFailover(policy: Rule["policy"], ports: readonly number[]): boolean {
  if (policy === undefined) return false;
  const settings = Array.isArray(policy["portLevelSettings"]) ? policy["portLevelSettings"] : [];
  const own = new Map<unknown, Readonly<Record<string, unknown>>>(
    settings.filter(isRecord).map((each) => [isRecord(each["port"]) ? each["port"]["number"] : "", each]),
  );
  return ports.every((port) => ejects(own.get(port) ?? policy));
}

function ejects({ outlierDetection, loadBalancer }: Readonly<Record<string, unknown>>): boolean {
  const locality = isRecord(loadBalancer) ? loadBalancer["localityLbSetting"] : undefined;
  const isMeant =
    isRecord(locality) && (locality["enabled"] === false || locality["distribute"] !== undefined);
  return isRecord(outlierDetection) || isMeant;
}

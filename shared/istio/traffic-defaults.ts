import { fnv1a } from "../core/hash.ts";
import { ISTIO_NETWORKING } from "../core/kubernetes-requests.ts";
import type { TrafficRule } from "../core/member/observation.ts";
import { annotation, FAILOVER_RULE, ISTIO_NAMESPACE } from "../core/names.ts";
import type { MeshSpec } from "../core/spec.ts";
import { isRecord } from "../is-record.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { ObjectQuery, ObjectRef } from "../ports/member-api.ts";
import { ownerOf, ownershipLabels } from "./ownership.ts";

/** Every DestinationRule in Istio's namespace, the root namespace of the mesh. */
export const ROOT_RULES: ObjectQuery = {
  apiVersion: ISTIO_NETWORKING,
  kind: "DestinationRule",
  namespace: ISTIO_NAMESPACE,
};

export const FAILOVER_REF: ObjectRef = {
  apiVersion: ISTIO_NETWORKING,
  kind: "DestinationRule",
  namespace: ISTIO_NAMESPACE,
  name: FAILOVER_RULE,
};

/** Every Service of Kubernetes, and no host outside of the mesh that a ServiceEntry names. */
const HOST = "*.svc.cluster.local";
const REGION = "topology.kubernetes.io/region";
const ZONE = "topology.kubernetes.io/zone";
/** istiod sets it on each endpoint of a cluster's registry, and on each proxy. */
const CLUSTER = "topology.istio.io/cluster";
const SETTINGS = annotation("failover-settings");

/**
 * Labels count from the first on, and the first that differs ends the count; Istio
 * `pilot/pkg/networking/core/loadbalancer/loadbalancer.go`, `applyFailoverPriorityPerLocality`. So the region
 * comes first: with the cluster before it, no region of another cluster would be better than any other. A
 * cluster lies in one region, so the own cluster is the best match all the same.
 */
const PRIORITIES = {
  on: [REGION, CLUSTER],
  zone: [REGION, CLUSTER, ZONE],
} as const;

/**
 * Counts what the network and proxies fail at. An application's own 500 is an answer, also where it is the
 * only one. The numbers were measured (ADR 17).
 */
const OUTLIERS = {
  consecutive5xxErrors: 0,
  consecutiveGatewayErrors: 5,
  splitExternalLocalOriginErrors: true,
  consecutiveLocalOriginFailures: 5,
  interval: "5s",
  baseEjectionTime: "30s",
  maxEjectionPercent: 100,
  // Where every endpoint is ejected, requests go to all of them: one that answers 503 is better than none.
  minHealthPercent: 1,
};

type Wanted = Pick<MeshSpec, "meshId" | "failover">;

/** The rule for the whole mesh, in one member; undefined where the configuration wants none. */
export function failoverRule({ meshId, failover }: Wanted): KubernetesObject | undefined {
  if (failover === "off") return undefined;
  const { apiVersion, kind, namespace = "", name } = FAILOVER_REF;
  const spec = {
    host: HOST,
    trafficPolicy: {
      loadBalancer: { localityLbSetting: { failoverPriority: PRIORITIES[failover] } },
      outlierDetection: OUTLIERS,
    },
  };
  const annotations = { [SETTINGS]: fnv1a(JSON.stringify(spec)) };
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, labels: ownershipLabels(meshId), annotations },
    spec,
  };
}

/** What a rule that is as it should be notes of itself; undefined where there should be none. */
export function failoverSettings(wanted: Wanted): string | undefined {
  return failoverRule(wanted)?.metadata.annotations?.[SETTINGS];
}

/**
 * Meshjoin's own rule, one that has its name, and those whose host covers its host: of the rules in the root
 * namespace that match a Service, istiod takes the most specific one alone (`MostSpecificHostMatch`), so
 * Meshjoin's would take the place of such a rule. One that is exported to no other namespace is for the
 * gateways in Istio's namespace alone.
 */
export function trafficRules(rules: readonly KubernetesObject[], meshId: string): TrafficRule[] {
  return rules.flatMap(({ metadata, spec }) => {
    const { name, annotations } = metadata;
    const { host, exportTo } = isRecord(spec) ? spec : {};
    const text = typeof host === "string" ? host : "";
    const isPrivate = Array.isArray(exportTo) && exportTo.length > 0 && exportTo.every(isOwnNamespace);
    if (name !== FAILOVER_RULE && (isPrivate || !coversAll(text))) return [];
    return [{ name, owner: ownerOf(metadata, meshId), host: text, settings: annotations?.[SETTINGS] }];
  });
}

const isOwnNamespace = (to: unknown) => to === "." || to === ISTIO_NAMESPACE;

/** Whether a rule for this host holds for every Service. */
export function coversAll(host: string): boolean {
  return host.startsWith("*") && HOST.slice(1).endsWith(host.slice(1));
}

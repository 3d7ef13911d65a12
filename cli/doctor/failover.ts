import { type Check, fault, fine } from "../../shared/core/answers/check.ts";
import { finding } from "../../shared/core/answers/finding.ts";
import type { Cluster } from "../../shared/core/cluster/cluster.ts";
import { kubectlOn, typedName } from "../../shared/core/cluster/gcloud.ts";
import { ISTIO_NETWORKING } from "../../shared/core/kubernetes-requests.ts";
import { clusterId, FAILOVER_RULE } from "../../shared/core/names.ts";
import type { MeshSpec } from "../../shared/core/spec.ts";
import { isRecord } from "../../shared/is-record.ts";
import type { Fleet } from "../../shared/ports/fleet.ts";
import type { KubernetesObject } from "../../shared/ports/kubernetes-object.ts";
import { askMembers, ofThoseRead } from "./ask-members.ts";
import { mergedServices } from "./merged-services.ts";
import { type RuledService, rulesWithoutFailover } from "./own-rules.ts";

const SUBJECT = { name: "failover", account: "caller" } as const;
const NAMED_MAX = 5;
const REGION = "topology.kubernetes.io/region";

/** What failover goes by in one member. */
interface Seen {
  readonly cluster: Cluster;
  readonly services: readonly KubernetesObject[];
  readonly rules: readonly KubernetesObject[];
  readonly nodes: readonly KubernetesObject[];
}

/**
 * Whether requests fail over as the configuration wants: Services whose own rules take it away, nodes that no
 * region is known of, and Services of one name that differ. Members that cannot be reached are another
 * check's.
 */
export async function checkFailover(
  fleet: Fleet,
  members: readonly Cluster[],
  { failover }: Pick<MeshSpec, "failover">,
): Promise<Check[]> {
  if (failover === "off" || members.length < 2) return [];
  const asked = await askMembers(members, SUBJECT, (cluster, signal) => look(fleet, cluster, signal));
  const { seen, refused } = asked;
  if (seen.length < 2) return [...refused];
  const faults = [...failoverOff(seen), ...seen.flatMap(withoutRegion), ...differing(seen)];
  if (faults.length > 0 || refused.length > 0) return [...faults, ...refused];
  const some = ofThoseRead(asked, members);
  return [
    fine(SUBJECT, `no rule, node or port keeps a Service that several members have from failing over${some}`),
  ];
}

async function look(fleet: Fleet, cluster: Cluster, signal: AbortSignal): Promise<Seen> {
  const { reader } = fleet.member(cluster);
  const [services, nodes, definitions] = await Promise.all([
    reader.list({ apiVersion: "v1", kind: "Service" }, signal),
    reader.list({ apiVersion: "v1", kind: "Node", metadataOnly: true }, signal),
    reader.list(
      { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadataOnly: true },
      signal,
    ),
  ]);
  const isDefined = definitions.some(
    ({ metadata }) => metadata.name === "destinationrules.networking.istio.io",
  );
  const query = { apiVersion: ISTIO_NETWORKING, kind: "DestinationRule" };
  const rules = isDefined ? await reader.list(query, signal) : [];
  return { cluster, services, nodes, rules };
}

function failoverOff(seen: readonly Seen[]): Check[] {
  const rulesOf = new Map<string, Set<string>>();
  for (const { service, clusterIds } of mergedServices(namesOf(seen))) {
    const all = seen
      .filter(({ cluster }) => clusterIds.includes(clusterId(cluster.ref)))
      .flatMap(({ services, rules }) =>
        services
          .filter((object) => nameOf(object) === service)
          .flatMap((object) => rulesWithoutFailover(ruledService(object), rules.filter(isNotOurs))),
      );
    if (all.length > 0) rulesOf.set(service, new Set(all.flat()));
  }
  if (rulesOf.size === 0) return [];
  const named = [...rulesOf]
    .slice(0, NAMED_MAX)
    .map(([service, rules]) => `${service} (${[...rules].toSorted().join(", ")})`);
  const rest = rulesOf.size - named.length;
  const { reason, message, cure } = finding(
    "FailoverOff",
    `Services whose own DestinationRules take failover away: ${named.join(", ")}${rest > 0 ? `, and ${rest} more` : ""}`,
    "give each rule an outlierDetection, as docs/failover.md shows; or say in it that it is meant: trafficPolicy.loadBalancer.localityLbSetting.enabled: false",
  );
  return [fault(SUBJECT, `${reason}: ${message}`, cure)];
}

/** Meshjoin's own, and those of its probe. */
function isNotOurs({ metadata: { name, namespace } }: KubernetesObject): boolean {
  return name !== FAILOVER_RULE && namespace !== "meshjoin-probe";
}

function withoutRegion({ cluster, nodes }: Seen): Check[] {
  const without = nodes.filter(({ metadata }) => (metadata.labels?.[REGION] ?? "") === "");
  const [first] = without;
  if (first === undefined) return [];
  const id = clusterId(cluster.ref);
  return [
    fault(
      { ...SUBJECT, clusterId: id },
      `${without.length} of ${nodes.length} nodes of ${id} have no label ${REGION}, ${first.metadata.name} for one: endpoints on them count as far from everywhere else`,
      `label them, and restart what runs on them: ${kubectlOn(cluster.ref)} label node ${typedName(first.metadata.name)} ${REGION}=REGION topology.kubernetes.io/zone=ZONE`,
    ),
  ];
}

/** As Istio's own IST0170. Where ports go to in a pod may differ: each cluster's endpoints say it. */
function differing(seen: readonly Seen[]): Check[] {
  const differ = mergedServices(namesOf(seen)).filter(({ service }) => {
    const forms = seen.flatMap(({ services }) =>
      services.filter((object) => nameOf(object) === service).map((object) => JSON.stringify(formOf(object))),
    );
    return new Set(forms).size > 1;
  });
  if (differ.length === 0) return [];
  const named = differ
    .slice(0, NAMED_MAX)
    .map(({ service, clusterIds }) => `${service} (${clusterIds.join(", ")})`);
  const rest = differ.length - named.length;
  return [
    fault(
      SUBJECT,
      `Services of one name with other ports, or headless in one member alone (Istio's IST0170): ${named.join(", ")}${rest > 0 ? `, and ${rest} more` : ""}: requests to a port find endpoints in some members only`,
      "give them the same ports; or keep one apart: docs/joined-and-now.md",
    ),
  ];
}

function namesOf(seen: readonly Seen[]): ReadonlyMap<string, readonly string[]> {
  return new Map(seen.map(({ cluster, services }) => [clusterId(cluster.ref), services.map(nameOf)]));
}

function nameOf({ metadata }: KubernetesObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

interface Port {
  readonly name?: unknown;
  readonly port?: unknown;
  readonly protocol?: unknown;
  readonly appProtocol?: unknown;
}

function portsOf({ spec }: KubernetesObject): readonly Port[] {
  const ports = isRecord(spec) ? spec["ports"] : undefined;
  return Array.isArray(ports) ? ports.filter(isRecord) : [];
}

function formOf(object: KubernetesObject): unknown {
  const { spec } = object;
  const isHeadless = isRecord(spec) && spec["clusterIP"] === "None";
  const ports = portsOf(object)
    .map(({ name = "", port, protocol = "TCP", appProtocol = "" }) => [name, port, protocol, appProtocol])
    .map((each) => JSON.stringify(each));
  return [isHeadless, ports.toSorted()];
}

function ruledService(object: KubernetesObject): RuledService {
  const { name, namespace = "" } = object.metadata;
  const ports = portsOf(object).flatMap(({ port }) => (typeof port === "number" ? [port] : []));
  return { namespace, name, ports };
}

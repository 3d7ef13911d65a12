import { type Check, fault, fine } from "../../shared/core/answers/check.ts";
import { finding } from "../../shared/core/answers/finding.ts";
import type { Cluster } from "../../shared/core/cluster/cluster.ts";
import { ISTIO_NETWORKING } from "../../shared/core/kubernetes-requests.ts";
import { clusterId, INGRESS_NAMESPACE } from "../../shared/core/names.ts";
import type { MeshSpec } from "../../shared/core/spec.ts";
import { isRecord } from "../../shared/is-record.ts";
import { INGRESS_SELECTED } from "../../shared/istio/ingress.ts";
import type { Fleet } from "../../shared/ports/fleet.ts";
import type { KubernetesObject } from "../../shared/ports/kubernetes-object.ts";
import { askMembers, ofThoseRead } from "./ask-members.ts";

const SUBJECT = { name: "ingress", account: "caller" } as const;
const SELECTED = Object.entries(INGRESS_SELECTED);

/**
 * Whether every Istio Gateway for the ingress is in its namespace: istiod passes over others in silence.
 * Members that cannot be reached are another check's.
 */
export async function checkIngress(
  fleet: Fleet,
  members: readonly Cluster[],
  { ingress }: Pick<MeshSpec, "ingress">,
): Promise<Check[]> {
  if (ingress === "off" || members.length === 0) return [];
  const asked = await askMembers(members, SUBJECT, (cluster, signal) => look(fleet, cluster, signal));
  const { seen, refused } = asked;
  const checks = [...seen.flat(), ...refused];
  if (checks.length > 0 || seen.length === 0) return checks;
  const some = ofThoseRead(asked, members);
  return [fine(SUBJECT, `every Istio Gateway for the ingress is in namespace ${INGRESS_NAMESPACE}${some}`)];
}

async function look(fleet: Fleet, cluster: Cluster, signal: AbortSignal): Promise<Check[]> {
  const { reader } = fleet.member(cluster);
  const id = clusterId(cluster.ref);
  const [gateways, pods] = await Promise.all([
    reader.list({ apiVersion: ISTIO_NETWORKING, kind: "Gateway" }, signal),
    reader.list(
      {
        apiVersion: "v1",
        kind: "Pod",
        labelSelector: SELECTED.map(([key, value]) => `${key}=${value}`).join(","),
        metadataOnly: true,
      },
      signal,
    ),
  ]);
  const isElsewhere = ({ metadata }: KubernetesObject) => metadata.namespace !== INGRESS_NAMESPACE;
  // Another ingress gateway with the label may serve them.
  if (pods.some(isElsewhere)) return [];
  const ignored = gateways.filter((gateway) => isElsewhere(gateway) && isForIngress(gateway));
  if (ignored.length === 0) return [];
  const names = ignored.map(({ metadata: { namespace = "", name } }) => `${namespace}/${name}`);
  const { reason, message, cure } = finding(
    "IngressGatewayIgnored",
    `istiod of ${id} ignores Istio Gateways for the ingress that are not in ${INGRESS_NAMESPACE}: ${names.toSorted().join(", ")}`,
    `move them to ${INGRESS_NAMESPACE}, and name them so in their VirtualServices (docs/ingress.md)`,
  );
  return [fault({ ...SUBJECT, clusterId: id }, `${reason}: ${message}`, cure)];
}

/** Its selector is met by the labels that the ingress' pods have. */
function isForIngress(gateway: KubernetesObject): boolean {
  const spec = gateway["spec"];
  const selector = isRecord(spec) ? spec["selector"] : undefined;
  const wanted = Object.entries(isRecord(selector) ? selector : {});
  return (
    wanted.length > 0 &&
    wanted.every(([key, value]) => SELECTED.some(([name, set]) => name === key && set === value))
  );
}

import { type Check, fault, fine, unknown } from "../../shared/core/answers/check.ts";
import { overlap, parseRange } from "../../shared/core/cluster/address-ranges.ts";
import type { Cluster } from "../../shared/core/cluster/cluster.ts";
import { kubectlOn } from "../../shared/core/cluster/gcloud.ts";
import { ISTIO_NETWORKING } from "../../shared/core/kubernetes-requests.ts";
import { clusterId } from "../../shared/core/names.ts";
import type { MeshSpec } from "../../shared/core/spec.ts";
import { isRecord } from "../../shared/is-record.ts";
import type { Fleet } from "../../shared/ports/fleet.ts";
import type { KubernetesObject } from "../../shared/ports/kubernetes-object.ts";
import { askMembers, ofThoseRead } from "./ask-members.ts";
import { isKeptApart } from "./merged-services.ts";

const SUBJECT = { name: "dns", account: "caller" } as const;
const NAMED_MAX = 5;

interface Seen {
  readonly cluster: Cluster;
  /** `namespace/name` → address. */
  readonly services: ReadonlyMap<string, string>;
  /** Hosts of ServiceEntries that sidecars answer for with an address of Istio's own. */
  readonly allocated: readonly string[];
}

/**
 * What answering DNS queries in sidecars gets wrong, where the configuration wants it: a name that only other
 * members have is answered with its address there. Where that is the address of a Service here, the
 * connection goes to that one, unless its protocol is known to be HTTP.
 */
export async function checkDnsCapture(
  fleet: Fleet,
  members: readonly Cluster[],
  { dnsCapture }: Pick<MeshSpec, "dnsCapture">,
): Promise<Check[]> {
  if (dnsCapture === "off" || members.length === 0) return [];
  const asked = await askMembers(members, SUBJECT, (cluster, signal) => look(fleet, cluster, signal));
  const { seen, refused } = asked;
  const wrong = seen.flatMap((here) => confused(here, seen));
  const shared = sharing(members);
  const ranges =
    shared.length > 0 && wrong.length === 0
      ? [
          unknown(
            SUBJECT,
            `${shared.join(", ")} take addresses of Services from one range: no Service of one has the address of one that another lacks now; it is not known which will`,
            "give new clusters ranges of their own: --services-ipv4-cidr (docs/deploy.md); or MESHJOIN_DNS_CAPTURE=off",
          ),
        ]
      : [];
  const checks = [...wrong, ...ranges, ...refused, ...entries(seen)];
  if (checks.length > 0 || seen.length === 0) return checks;
  const some = ofThoseRead(asked, members);
  return [fine(SUBJECT, `sidecars answer DNS queries, and no name leads to another Service${some}`)];
}

async function look(fleet: Fleet, cluster: Cluster, signal: AbortSignal): Promise<Seen> {
  const { reader } = fleet.member(cluster);
  const [services, definitions] = await Promise.all([
    reader.list({ apiVersion: "v1", kind: "Service" }, signal),
    reader.list(
      { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadataOnly: true },
      signal,
    ),
  ]);
  const names = new Set(definitions.map(({ metadata }) => metadata.name));
  const found = names.has("serviceentries.networking.istio.io")
    ? await reader.list({ apiVersion: ISTIO_NETWORKING, kind: "ServiceEntry" }, signal)
    : [];
  return {
    cluster,
    services: new Map(services.flatMap((service) => addressOf(service))),
    allocated: found.flatMap((entry) => allocatedHosts(entry)),
  };
}

function addressOf({ metadata, spec }: KubernetesObject): [string, string][] {
  const name = `${metadata.namespace}/${metadata.name}`;
  const address = isRecord(spec) ? spec["clusterIP"] : undefined;
  const isOne = typeof address === "string" && address !== "" && address !== "None";
  return isOne ? [[name, address]] : [];
}

/**
 * istiod gives these an address of 240.240.0.0/16, and sidecars that capture DNS answer with it; Istio
 * `pilot/pkg/networking/serviceentry/ip_autoallocation.go`.
 */
function allocatedHosts({ metadata, spec }: KubernetesObject): string[] {
  if (metadata.labels?.["networking.istio.io/enable-autoallocate-ip"]?.toLowerCase() === "false") return [];
  const { hosts, addresses, resolution } = isRecord(spec) ? spec : {};
  const hasOwn = Array.isArray(addresses) && addresses.length > 0;
  if (!Array.isArray(hosts) || hasOwn || resolution === undefined || resolution === "NONE") return [];
  return hosts.filter((host): host is string => typeof host === "string" && !host.startsWith("*"));
}

/**
 * Names of Services elsewhere whose address there is that of another Service here. Of a Service that is kept
 * apart the mesh knows no name, and its address leads to it all the same.
 */
function confused(here: Seen, all: readonly Seen[]): Check[] {
  const id = clusterId(here.cluster.ref);
  const holders = new Map([...here.services].map(([service, address]) => [address, service]));
  const found = all
    .filter((there) => there !== here)
    .flatMap((there) =>
      [...there.services].flatMap(([service, address]) => {
        const holder = holders.get(address);
        return holder === undefined || here.services.has(service) || isKeptApart(service)
          ? []
          : [`${service} of ${clusterId(there.cluster.ref)} (${address}, here ${holder})`];
      }),
    );
  if (found.length === 0) return [];
  const rest = found.length - NAMED_MAX;
  return [
    fault(
      { ...SUBJECT, clusterId: id },
      `in ${id} TCP connections to Services that only other members have go to Services of its own: ${found.slice(0, NAMED_MAX).join(", ")}${rest > 0 ? `, and ${rest} more` : ""}`,
      `create each of them here, too, without pods: ${kubectlOn(here.cluster.ref)} create service clusterip NAME --namespace=NAMESPACE --tcp=PORT:PORT; or set MESHJOIN_DNS_CAPTURE=off`,
    ),
  ];
}

/** IDs of members whose range of Services is that of another one, too. */
function sharing(members: readonly Cluster[]): string[] {
  const rangeOf = ({ serviceRange }: Cluster) => [parseRange(serviceRange)].flatMap((range) => range ?? []);
  return members
    .filter((one) => members.some((other) => one !== other && overlap(rangeOf(one), rangeOf(other))))
    .map(({ ref }) => clusterId(ref));
}

function entries(seen: readonly Seen[]): Check[] {
  const hosts = [...new Set(seen.flatMap(({ allocated }) => allocated))].toSorted();
  if (hosts.length === 0) return [];
  const rest = hosts.length - NAMED_MAX;
  return [
    fine(
      SUBJECT,
      `sidecars answer with addresses of 240.240.0.0/16 for hosts of ServiceEntries without addresses: ${hosts.slice(0, NAMED_MAX).join(", ")}${rest > 0 ? `, and ${rest} more` : ""}`,
    ),
  ];
}

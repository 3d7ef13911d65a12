import { within } from "../shared/async/within.ts";
import { isReachable } from "../shared/core/member/observation.ts";
import { ISTIO_NAMESPACE } from "../shared/core/names.ts";
import { MeshjoinError } from "../shared/errors.ts";
import type { Mesh } from "../shared/look/mesh.ts";
import type { OperatorRun } from "../shared/operator.ts";
import type { KubernetesObject } from "../shared/ports/kubernetes-object.ts";
import { isKeptApart, servicesOf } from "./doctor/merged-services.ts";
import type { Names } from "./screen.ts";

/** A cluster that takes longer has not answered; a person waits. */
export const ANSWER_MS = 5000;
const NAMED_MAX = 5;

/**
 * What goes on after a drain, or ends with it, a sentence each: the peers' remote secrets decide neither
 * about what enters the member itself nor about a Service that no other member has. Of a member that does not
 * answer this is not known.
 */
export async function uncovered(run: OperatorRun, mesh: Mesh, id: string, names: Names): Promise<string[]> {
  const name = names(id);
  const streams = "Not covered: streams and requests on their way stay on their connections until they end.";
  const services = await servicesIn(run, mesh, id);
  if (services === undefined) {
    return [
      `Not known, because ${name} does not answer: what enters it from outside, and which services only it has.`,
      streams,
    ];
  }
  const peers = mesh.members.filter(isReachable).filter((member) => member.clusterId !== id);
  const read = await servicesOf(
    run.ports.fleet,
    peers.map(({ cluster }) => cluster),
  );
  const elsewhere = new Set([...read.values()].flat());
  const own = services.map(nameOf).filter((service) => !isKeptApart(service) && !elsewhere.has(service));
  const entries = services.filter(isEntry).map(nameOf);
  return [
    entries.length === 0
      ? `Not covered: what enters ${name} from outside; it has no Service of type LoadBalancer for that.`
      : `Not covered: what enters ${name} from outside, by ${listed(entries)}.`,
    ...(own.length === 0 ? [] : [`Its peers lose services that no other member has: ${listed(own)}.`]),
    streams,
  ];
}

async function servicesIn(
  { ports, signal }: OperatorRun,
  { members }: Mesh,
  id: string,
): Promise<readonly KubernetesObject[] | undefined> {
  const member = members.find(({ clusterId }) => clusterId === id);
  if (member === undefined || !isReachable(member)) return undefined;
  const query = { apiVersion: "v1", kind: "Service" };
  try {
    return await ports.fleet.member(member.cluster).reader.list(query, within(signal, ANSWER_MS));
  } catch (error) {
    if (error instanceof MeshjoinError) return undefined;
    throw error;
  }
}

function nameOf({ metadata }: KubernetesObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** The east-west gateway is no way in for anybody outside the mesh. */
function isEntry(service: KubernetesObject): boolean {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 Service
  const spec = service["spec"] as { readonly type?: string } | undefined;
  return spec?.type === "LoadBalancer" && service.metadata.namespace !== ISTIO_NAMESPACE;
}

function listed(names: readonly string[]): string {
  const rest = names.length - NAMED_MAX;
  return names.toSorted().slice(0, NAMED_MAX).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

import { within } from "../../shared/async/within.ts";
import { kubectlOn } from "../../shared/core/cluster/gcloud.ts";
import { count } from "../../shared/core/count.ts";
import type { ReachableMember } from "../../shared/core/member/observation.ts";
import { restartOf } from "../../shared/core/member/workloads.ts";
import { ISTIO_NAMESPACE } from "../../shared/core/names.ts";
import { isRecord } from "../../shared/is-record.ts";
import { byWorkload } from "../../shared/look/by-workload.ts";
import type { KubernetesObject } from "../../shared/ports/kubernetes-object.ts";
import type { ObjectQuery } from "../../shared/ports/member-api.ts";
import type { Run } from "../../shared/run.ts";

const ASKING_MS = 60_000;
const PROXY = "istio-proxy";
/** A person has chosen the image for this pod. */
const OWN_IMAGE = "sidecar.istio.io/proxyImage";
const HUBS_MAX = 3;

/** istiod's injector, and its templates of gateways, put this label on every pod with a proxy. */
const WITH_PROXY: ObjectQuery = {
  apiVersion: "v1",
  kind: "Pod",
  labelSelector: "service.istio.io/canonical-name",
  fieldSelector: "status.phase!=Succeeded,status.phase!=Failed",
};

/**
 * The proxies of a member whose image is from another registry than that of its istiod, because their pods
 * started before that changed: a node that has not got the image pulls it from there again. Whole pods alone
 * tell it, some 10 kB each, so that no run asks. Undefined where there are none, and for an istiod of
 * somebody else, whose proxies may be from elsewhere on purpose.
 */
export async function proxiesOfAnotherHub(
  run: Pick<Run, "ports" | "signal">,
  { cluster, clusterId, state }: ReachableMember,
): Promise<{ readonly message: string; readonly cure: string } | undefined> {
  const { controlPlane } = state;
  if (controlPlane?.owner !== "ours") return undefined;
  const { reader } = run.ports.fleet.member(cluster);
  const signal = within(run.signal, ASKING_MS);
  const { name } = controlPlane;
  const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: ISTIO_NAMESPACE, name };
  const [deployment, pods] = await Promise.all([reader.get(ref, signal), reader.list(WITH_PROXY, signal)]);
  const template = isRecord(deployment?.["spec"]) ? deployment["spec"]["template"] : undefined;
  const [wanted] = isRecord(template) ? containersOf(template["spec"]).flatMap(hubOf) : [];
  if (wanted === undefined) return undefined;
  const others = pods.flatMap((pod) => {
    const [hub] = hubsOf(pod);
    return hub === undefined || hub === wanted ? [] : [{ pod, hub }];
  });
  if (others.length === 0) return undefined;
  const hubs = [...new Set(others.map(({ hub }) => hub))].toSorted();
  const more = hubs.length > HUBS_MAX ? `, and ${hubs.length - HUBS_MAX} more` : "";
  const have = others.length === 1 ? "has its image" : "have their images";
  return {
    message: `${count(others.length, "proxy", "proxies")} of ${clusterId} still ${have} from ${hubs.slice(0, HUBS_MAX).join(", ")}${more}, and istiod from ${wanted}`,
    cure: restartOf(byWorkload(others.map(({ pod }) => pod)), kubectlOn(cluster.ref)),
  };
}

function hubsOf({ metadata, spec }: KubernetesObject): readonly string[] {
  if (metadata.annotations?.[OWN_IMAGE] !== undefined) return [];
  return containersOf(spec).flatMap((container) => (container["name"] === PROXY ? hubOf(container) : []));
}

/** A sidecar of Kubernetes' own kind stands among the init containers. */
function containersOf(spec: unknown): readonly Readonly<Record<string, unknown>>[] {
  const { containers, initContainers } = isRecord(spec) ? spec : {};
  return [containers, initContainers].flatMap((all) => (Array.isArray(all) ? all.filter(isRecord) : []));
}

/** Registry and path of the image. Container runtimes take a name without a host for one of Docker Hub. */
function hubOf({ image }: Readonly<Record<string, unknown>>): string[] {
  const text = typeof image === "string" ? image : "";
  const [host = "", ...rest] = text.split("/").slice(0, -1);
  if (host === "") return [];
  const isHost = /[.:]/.test(host) || host === "localhost";
  return [[...(isHost ? [] : ["docker.io"]), host, ...rest].join("/")];
}

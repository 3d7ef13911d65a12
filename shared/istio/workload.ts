import { parseGoDuration } from "../core/duration.ts";
import type { UnpulledImage } from "../core/member/observation.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";

/** The parts of apps/v1 Deployment that say how istiod is doing. */
export interface DeploymentObject extends KubernetesObject {
  readonly spec?: {
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly {
          readonly image?: string;
          readonly env?: readonly { readonly name: string; readonly value?: string }[];
        }[];
      };
    };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly availableReplicas?: number;
    readonly updatedReplicas?: number;
  };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface ContainerStatus {
  readonly image?: string;
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
}

/** The parts of core/v1 Pod that say whether, and why not, it serves. */
export interface PodObject extends KubernetesObject {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

/** A pod is there to be asked and to answer proxies, though it may be of an earlier template. */
export function serves({ status }: DeploymentObject): boolean {
  return (status?.availableReplicas ?? 0) > 0;
}

/** Only pods of the newest template are left, and at least one serves; how many there are is the autoscaler's business. */
export function isRolledOut(deployment: DeploymentObject): boolean {
  const { metadata, status } = deployment;
  const observed = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  return observed && serves(deployment) && status?.updatedReplicas === status?.replicas;
}

/** The tag of the first container's image; empty where there is none, as with a digest alone. */
export function imageTag(deployment: DeploymentObject): string {
  const image = deployment.spec?.template?.spec?.containers?.[0]?.image ?? "";
  const [named = ""] = image.split("@");
  return /:(?<tag>[^/:]+)$/.exec(named)?.groups?.["tag"] ?? "";
}

/** What istiod takes where nothing is set, 90 days; `pilot/pkg/bootstrap/istio_ca.go`. */
const DEFAULT_WORKLOAD_TTL = 90 * 86_400;

/**
 * istiod's `MAX_WORKLOAD_CERT_TTL` in seconds: the longest life that a workload's certificate may have. A value that Go cannot read
 * counts as none, for istiod too (Istio `pkg/env`).
 */
export function workloadTtl(deployment: DeploymentObject): number {
  const env = deployment.spec?.template?.spec?.containers?.flatMap((container) => container.env ?? []) ?? [];
  const value = env.find(({ name }) => name === "MAX_WORKLOAD_CERT_TTL")?.value;
  return (value === undefined ? undefined : parseGoDuration(value)) ?? DEFAULT_WORKLOAD_TTL;
}

export function isReady({ metadata, status }: PodObject): boolean {
  return (
    metadata.deletionTimestamp === undefined &&
    (status?.conditions ?? []).some(({ type, status: is }) => type === "Ready" && is === "True")
  );
}

/** The first unmet condition of a pod, in the words of whoever set it: scheduler, kubelet or image puller. */
export function whyNotReady(pods: readonly PodObject[]): string | undefined {
  for (const { metadata, status } of pods) {
    const waiting = status?.containerStatuses?.find(({ state }) => state?.waiting !== undefined)?.state
      ?.waiting;
    const unmet = status?.conditions?.find(({ status: is }) => is === "False");
    const reason = waiting ?? unmet;
    if (reason !== undefined) {
      return `pod ${metadata.name}: ${[reason.reason, reason.message].filter(Boolean).join(": ")}`;
    }
  }
  return undefined;
}

/** What the kubelet calls it when an image cannot be had; `pkg/kubelet/images/types.go` and `pkg/kubelet/kuberuntime`. */
const PULL_FAILURES: readonly (string | undefined)[] = [
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "ImageInspectError",
  "InvalidImageName",
  "RegistryUnavailable",
];

/** The first image that a node could not get for one of the pods that are to stay. */
export function unpulledImage(pods: readonly PodObject[]): UnpulledImage | undefined {
  for (const { metadata, spec, status } of pods) {
    if (metadata.deletionTimestamp !== undefined) continue;
    const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
    const refused = statuses.find(({ state }) => PULL_FAILURES.includes(state?.waiting?.reason));
    const waiting = refused?.state?.waiting;
    if (waiting === undefined) continue;
    const node = spec?.nodeName ?? "a node";
    const said = [waiting.reason, waiting.message].filter(Boolean).join(": ");
    return { image: refused?.image ?? "", pod: metadata.name, node, said };
  }
  return undefined;
}

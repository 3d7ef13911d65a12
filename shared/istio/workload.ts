import { parseGoDuration } from "../core/duration.ts";
import type { IstiodAway } from "../core/member/istiod-away.ts";
import type { UnpulledImage } from "../core/member/observation.ts";
import { dateOf } from "../core/time.ts";
import { isRecord } from "../is-record.ts";
import type { KubernetesObject, ObjectMeta } from "../ports/kubernetes-object.ts";
import { readYaml } from "./read-yaml.ts";

/** The parts of apps/v1 Deployment that tell the state of istiod. */
export interface DeploymentObject extends KubernetesObject {
  readonly spec?: {
    readonly replicas?: number;
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
    readonly conditions?: readonly Condition[];
  };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

interface ContainerStatus {
  readonly image?: string;
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
}

/** The parts of core/v1 Pod that tell whether it serves, and why not. */
export interface PodObject extends KubernetesObject {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

/** Some pod answers Meshjoin and proxies, perhaps one of an earlier template. */
export function serves({ status }: DeploymentObject): boolean {
  return (status?.availableReplicas ?? 0) > 0;
}

/** All pods are of the newest template, and at least one serves. The autoscaler decides their number. */
export function isRolledOut(deployment: DeploymentObject): boolean {
  const { metadata, status } = deployment;
  const observed = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  return observed && serves(deployment) && status?.updatedReplicas === status?.replicas;
}

/** A person or a controller set the number of pods to 0; no autoscaler acts on that. */
export function isScaledToZero({ spec }: DeploymentObject): boolean {
  return spec?.replicas === 0;
}

/** An istiod renews its lock at least every 15 seconds, and a controller acts within seconds. */
const NEAR_MS = 60_000;

/**
 * Undefined while a pod is ready. `renewedAt`: when an istiod last renewed its lock, so one ran then.
 *
 * A Deployment that has fewer pods available than it must have says since when. That is when istiod went, if
 * one ran until then; else it was scaled up from 0, or made, and istiod had been away before. Of several pods
 * the last may have gone later. A Deployment that is scaled to 0 counts as available, and nobody notes when
 * that was done; one that had been available for long was so until its last istiod went.
 */
export function istiodAway(
  deployment: DeploymentObject,
  pods: readonly PodObject[],
  renewedAt: Date | undefined,
): IstiodAway | undefined {
  if (pods.some(isReady)) return undefined;
  const { metadata, spec, status } = deployment;
  const available = status?.conditions?.find(({ type }) => type === "Available");
  const since = dateOf(available?.lastTransitionTime);
  const isBefore = (a: Date | undefined, b: Date | undefined, byMs: number) =>
    a !== undefined && b !== undefined && b.getTime() - a.getTime() > byMs;
  if (available?.status === "False" && since !== undefined) {
    const created = dateOf(metadata.creationTimestamp);
    const isNew = created !== undefined && !isBefore(created, since, NEAR_MS);
    const ranUntilThen = renewedAt !== undefined && !isBefore(renewedAt, since, NEAR_MS);
    return {
      changedAt: since,
      ...(ranUntilThen && !isNew ? { earliest: since } : {}),
      ...((spec?.replicas ?? 1) === 1 ? { latest: since } : {}),
    };
  }
  const told = isScaledToZero(deployment) ? statusWrittenAt(metadata) : undefined;
  return {
    ...(isBefore(since, renewedAt, NEAR_MS) && renewedAt !== undefined ? { earliest: renewedAt } : {}),
    ...(told === undefined ? {} : { latest: told, changedAt: told }),
  };
}

/** From then on the status is as it is now: without a pod, where the Deployment is scaled to 0. */
function statusWrittenAt({ managedFields = [] }: ObjectMeta): Date | undefined {
  const times = managedFields.flatMap(({ fieldsV1 = {}, time }) =>
    "f:status" in fieldsV1 ? (dateOf(time) ?? []) : [],
  );
  return times.length === 0 ? undefined : new Date(Math.max(...times.map((each) => each.getTime())));
}

/**
 * The ConfigMap by which istiods agree which of them writes the roots into namespaces: the one that does
 * renews it all the time; `pilot/pkg/leaderelection`.
 */
export const ISTIOD_LOCK = "istio-namespace-controller-election";

/** When an istiod last renewed its lock; undefined where that cannot be read. */
export function lockRenewedAt(lock: KubernetesObject | undefined): Date | undefined {
  const text = lock?.metadata.annotations?.["control-plane.alpha.kubernetes.io/leader"];
  const renewed = text === undefined ? undefined : readYaml(text);
  const time = isRecord(renewed) ? renewed["renewTime"] : undefined;
  return typeof time === "string" ? dateOf(time) : undefined;
}

/** The tag of the first container's image; empty for a digest alone. */
export function imageTag(deployment: DeploymentObject): string {
  return tagOf(deployment.spec?.template?.spec?.containers?.[0]?.image);
}

/** Empty for a digest alone. */
export function tagOf(image = ""): string {
  const [named = ""] = image.split("@");
  return /:(?<tag>[^/:]+)$/.exec(named)?.groups?.["tag"] ?? "";
}

/** istiod's default, 90 days; `pilot/pkg/bootstrap/istio_ca.go`. */
const DEFAULT_WORKLOAD_TTL = 90 * 86_400;

/**
 * istiod's `MAX_WORKLOAD_CERT_TTL` in seconds: the longest life of a workload's certificate. A value that Go
 * cannot read counts as absent, as in istiod (Istio `pkg/env`).
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

/** The first unmet condition of a pod, in the words of the scheduler, the kubelet or the image puller. */
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

/** The kubelet's reasons for a failed pull; `pkg/kubelet/images/types.go` and `pkg/kubelet/kuberuntime`. */
const PULL_FAILURES: readonly (string | undefined)[] = [
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "ImageInspectError",
  "InvalidImageName",
  "RegistryUnavailable",
];

/** The first image that a node could not get, for a pod that is not being deleted. */
export function unpulledImage(pods: readonly PodObject[]): UnpulledImage | undefined {
  for (const { metadata, spec, status } of pods) {
    if (metadata.deletionTimestamp !== undefined) continue;
    const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
    const failed = statuses.find(({ state }) => PULL_FAILURES.includes(state?.waiting?.reason));
    const waiting = failed?.state?.waiting;
    if (waiting === undefined) continue;
    const node = spec?.nodeName ?? "a node";
    const said = [waiting.reason, waiting.message].filter(Boolean).join(": ");
    return { image: failed?.image ?? "", pod: metadata.name, node, said };
  }
  return undefined;
}

import { parseQuantity } from "../../../shared/core/quantity.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";

/** Requests of pods or capacity of nodes: cores, bytes, number of pods. */
export interface Resources {
  readonly cpu: number;
  readonly memory: number;
  readonly pods: number;
}

type Quantities = Readonly<Record<string, string | undefined>>;

interface Container {
  readonly restartPolicy?: string;
  readonly resources?: { readonly requests?: Quantities };
}

interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
}

/** The parts of core/v1 PodSpec that decide which nodes have room for it. */
export interface PodSpec {
  readonly nodeName?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly Toleration[];
  readonly initContainers?: readonly Container[];
  readonly containers?: readonly Container[];
  readonly overhead?: Quantities;
  readonly resources?: { readonly requests?: Quantities };
}

export interface ScheduledPod extends KubernetesObject {
  readonly spec?: PodSpec;
  readonly status?: { readonly phase?: string };
}

/** The parts of core/v1 Node that decide which pods have room on it. */
export interface NodeObject extends KubernetesObject {
  readonly spec?: {
    readonly unschedulable?: boolean;
    readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  };
  readonly status?: {
    readonly allocatable?: Quantities;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

const NOTHING: Resources = { cpu: 0, memory: 0, pods: 0 };

/**
 * Counts as the scheduler does;
 * https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
 */
export function requestsOf({
  initContainers = [],
  containers = [],
  overhead,
  resources,
}: PodSpec): Resources {
  const stated = toResources(resources?.requests);
  let sidecars = NOTHING;
  let most = NOTHING;
  for (const container of initContainers) {
    const own = toResources(container.resources?.requests);
    if (container.restartPolicy === "Always") sidecars = add(sidecars, own);
    else most = max(most, add(sidecars, own));
  }
  const running = containers.map((each) => toResources(each.resources?.requests)).reduce(add, sidecars);
  const whole = max(most, running);
  const requested = {
    cpu: resources?.requests?.["cpu"] === undefined ? whole.cpu : stated.cpu,
    memory: resources?.requests?.["memory"] === undefined ? whole.memory : stated.memory,
    pods: 1,
  };
  return add(requested, toResources(overhead));
}

/** The number of such pods that fit on the present nodes beside the present pods. */
export function roomFor(pod: PodSpec, nodes: readonly NodeObject[], pods: readonly ScheduledPod[]): number {
  const need = requestsOf(pod);
  return nodes
    .filter((node) => takes(node, pod))
    .map((node) => timesIn(need, freeOn(node, pods)))
    .reduce((sum, times) => sum + times, 0);
}

/** The number of such pods that would fit on one more node like this one, beside its DaemonSets. */
export function roomOnAnother(pod: PodSpec, node: NodeObject, pods: readonly ScheduledPod[]): number {
  return takes(node, pod) ? timesIn(requestsOf(pod), freeOn(node, pods.filter(isOfDaemonSet))) : 0;
}

function freeOn({ metadata, status }: NodeObject, pods: readonly ScheduledPod[]): Resources {
  const used = pods
    .filter(({ spec }) => spec?.nodeName === metadata.name)
    .filter((pod) => pod.status?.phase !== "Succeeded" && pod.status?.phase !== "Failed")
    .map(({ spec = {} }) => requestsOf(spec))
    .reduce(add, NOTHING);
  const { cpu, memory, pods: count } = toResources(status?.allocatable);
  return { cpu: cpu - used.cpu, memory: memory - used.memory, pods: count - used.pods };
}

/** Corrects for floating-point errors. */
const ROUNDING = 1e-9;

function timesIn(need: Resources, free: Resources): number {
  const keys = (["cpu", "memory", "pods"] as const).filter((key) => need[key] > 0);
  return Math.max(0, Math.min(...keys.map((key) => Math.floor(free[key] / need[key] + ROUNDING))));
}

function takes({ metadata, spec, status }: NodeObject, pod: PodSpec): boolean {
  const isReady = (status?.conditions ?? []).some(
    ({ type, status: is }) => type === "Ready" && is === "True",
  );
  const selected = Object.entries(pod.nodeSelector ?? {}).every(
    ([key, value]) => metadata.labels?.[key] === value,
  );
  const repelled = (spec?.taints ?? [])
    .filter(({ effect }) => effect !== "PreferNoSchedule")
    .some((taint) => !(pod.tolerations ?? []).some((toleration) => tolerates(toleration, taint)));
  return isReady && selected && !repelled && spec?.unschedulable !== true;
}

function tolerates(
  { key, operator = "Equal", value = "", effect }: Toleration,
  taint: { readonly key: string; readonly value?: string; readonly effect: string },
): boolean {
  if (effect !== undefined && effect !== "" && effect !== taint.effect) return false;
  if (key === undefined || key === "") return operator === "Exists";
  return key === taint.key && (operator === "Exists" || value === (taint.value ?? ""));
}

function isOfDaemonSet({ metadata }: ScheduledPod): boolean {
  return (metadata.ownerReferences ?? []).some(({ kind }) => kind === "DaemonSet");
}

function toResources(quantities: Quantities = {}): Resources {
  const amount = (name: string) => parseQuantity(quantities[name] ?? "0") ?? 0;
  return { cpu: amount("cpu"), memory: amount("memory"), pods: amount("pods") };
}

function add(a: Resources, b: Resources): Resources {
  return { cpu: a.cpu + b.cpu, memory: a.memory + b.memory, pods: a.pods + b.pods };
}

function max(a: Resources, b: Resources): Resources {
  return {
    cpu: Math.max(a.cpu, b.cpu),
    memory: Math.max(a.memory, b.memory),
    pods: Math.max(a.pods, b.pods),
  };
}

import { posix } from "node:path";
import type { V1Container, V1EnvVar, V1ObjectFieldSelector, V1Pod } from "@kubernetes/client-node";

/**
 * Pure half of running a container as a host process: what its specification means, as the kubelet reads it.
 */

export interface NodeFacts {
  readonly name: string;
  readonly ip: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** A region or a zone. */
  readonly location?: string;
}

/** Data of a ConfigMap or a Secret; undefined if there is no such object. */
export type Lookup = (
  kind: "configmaps" | "secrets",
  name: string,
) => ReadonlyMap<string, Buffer> | undefined;

export interface ContainerContext {
  readonly pod: V1Pod;
  readonly container: V1Container;
  readonly podIp: string;
  readonly node: NodeFacts;
  readonly lookup: Lookup;
}

/** The container that runs as a process here: istiod's image is named `pilot` in every hub. */
export function istiodContainer(pod: V1Pod): V1Container | undefined {
  return pod.spec?.containers.find(({ image }) => /(^|\/)pilot(?=[:@]|$)/.test(image ?? ""));
}

function keyOf(fieldPath: string, prefix: string): string | undefined {
  return fieldPath.startsWith(`${prefix}['`) ? fieldPath.slice(prefix.length + 2, -2) : undefined;
}

/** https://kubernetes.io/docs/concepts/workloads/pods/downward-api/ */
export function fieldValue(
  { pod, podIp, node }: Pick<ContainerContext, "pod" | "podIp" | "node">,
  { fieldPath }: Pick<V1ObjectFieldSelector, "fieldPath">,
): string {
  const label = keyOf(fieldPath, "metadata.labels");
  const annotation = keyOf(fieldPath, "metadata.annotations");
  if (label !== undefined) return pod.metadata?.labels?.[label] ?? "";
  if (annotation !== undefined) return pod.metadata?.annotations?.[annotation] ?? "";
  const values: Readonly<Record<string, string | undefined>> = {
    "metadata.name": pod.metadata?.name,
    "metadata.namespace": pod.metadata?.namespace,
    "metadata.uid": pod.metadata?.uid,
    "spec.nodeName": node.name,
    "spec.serviceAccountName": pod.spec?.serviceAccountName,
    "status.podIP": podIp,
    "status.podIPs": podIp,
    "status.hostIP": node.ip,
    "status.hostIPs": node.ip,
  };
  const value = values[fieldPath];
  if (value === undefined) {
    throw new Error(`the node stand-in knows no field ${fieldPath}; add it to container-spec.ts`);
  }
  return value;
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A Kubernetes quantity as a plain number: `500m` is 0.5, `1Gi` is 1073741824. */
function parseQuantity(quantity: string): number {
  const [, digits = "", unit = ""] = /^([0-9.]+)([A-Za-z]*)$/.exec(quantity) ?? [];
  const factor = UNITS[unit];
  if (digits === "" || factor === undefined) {
    throw new Error(`${quantity} is no quantity that the node stand-in reads; write it as 500m or 2Gi`);
  }
  return Number(digits) * factor;
}

/** What a container does not limit is limited by its node. */
function resourceValue({ container, node }: ContainerContext, resource: string, divisor: string): string {
  const [list = "", kind = ""] = resource.split(".");
  const set = list === "limits" ? container.resources?.limits?.[kind] : container.resources?.requests?.[kind];
  const ofNode = kind === "cpu" ? node.cpus : node.memoryBytes;
  const value = set === undefined ? ofNode : parseQuantity(set);
  const unit = divisor === "" || divisor === "0" ? 1 : parseQuantity(divisor);
  return String(Math.ceil(value / unit));
}

function envValue(context: ContainerContext, { value, valueFrom }: V1EnvVar): string | undefined {
  if (valueFrom?.fieldRef !== undefined) return fieldValue(context, valueFrom.fieldRef);
  if (valueFrom?.resourceFieldRef !== undefined) {
    const { resource, divisor } = valueFrom.resourceFieldRef;
    return resourceValue(context, resource, divisor ?? "");
  }
  const reference = valueFrom?.configMapKeyRef ?? valueFrom?.secretKeyRef;
  if (reference !== undefined) {
    const kind = valueFrom?.configMapKeyRef === undefined ? "secrets" : "configmaps";
    return context
      .lookup(kind, reference.name ?? "")
      ?.get(reference.key)
      ?.toString();
  }
  return value ?? "";
}

/** `$(NAME)` stands for a variable that was set before, `$$` for `$`. */
function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$(\$|\(([^)]+)\))/g, (all, what: string, name: string | undefined) =>
    what === "$" ? "$" : (env[name ?? ""] ?? all),
  );
}

/**
 * There is no container whose root the mounts hang in, only a directory: absolute paths below a mount are
 * moved there. (istiod finds all other files relative to its working directory.)
 */
function relocate(text: string, container: V1Container, root: string): string {
  const mounted = (container.volumeMounts ?? []).some(
    ({ mountPath }) => text === mountPath || text.startsWith(`${mountPath}/`),
  );
  return mounted ? posix.join(root, text) : text;
}

export function resolveEnv(context: ContainerContext, root: string): Record<string, string> {
  const env: Record<string, string> = {};
  for (const variable of context.container.env ?? []) {
    const value = envValue(context, variable);
    if (value !== undefined) env[variable.name] = relocate(expand(value, env), context.container, root);
  }
  return env;
}

export function resolveArgs(
  container: V1Container,
  env: Readonly<Record<string, string>>,
  root: string,
): string[] {
  return (container.args ?? []).map((arg) => relocate(expand(arg, env), container, root));
}

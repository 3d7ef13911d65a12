import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { type Binaries, ensureBinaries } from "../../../sandbox/binaries/build.ts";
import type { FleetMember } from "../../../sandbox/google/member.ts";
import { parsePin } from "../../../shared/istio/pin.ts";
import { RECORD } from "../../../shared/istio/record-config-map.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";

const run = promisify(execFile);
const OUTPUT_MAX = 64 * 1024 * 1024;
let binaries: Promise<Binaries> | undefined;

async function build(): Promise<Binaries> {
  const pin = parsePin(await readFile(new URL("../../../shared/istio/pin.json", import.meta.url), "utf8"));
  return await ensureBinaries(() => undefined, pin.release);
}

async function find(): Promise<Binaries> {
  binaries ??= build();
  return await binaries;
}

/** Path of the sandbox's own. */
export async function kubectlPath(): Promise<string> {
  return (await find()).kubectl;
}

/**
 * For kubectl and istioctl: they keep what an API server serves by its port. One of another fleet may have
 * had that port before. Removed with the fleet's directory.
 */
export function kubeCache(fleetDir: string): { readonly KUBECACHEDIR: string } {
  return { KUBECACHEDIR: join(fleetDir, "kube-cache") };
}

async function asAdministrator(command: string, member: FleetMember, args: readonly string[]) {
  const { kubeconfig } = member;
  const { stdout } = await run(command, ["--kubeconfig", kubeconfig, ...args], {
    env: { ...process.env, ...kubeCache(dirname(kubeconfig)) },
    maxBuffer: OUTPUT_MAX,
  });
  return stdout;
}

/** As an administrator of the member, past the fault proxy. */
export async function kubectl(member: FleetMember, ...args: string[]): Promise<string> {
  return await asAdministrator(await kubectlPath(), member, args);
}

/** As an administrator of the member, past the fault proxy. */
export async function istioctl(member: FleetMember, ...args: string[]): Promise<string> {
  return await asAdministrator((await find()).istioctl, member, args);
}

export interface WorldObject extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly metadata: KubernetesObject["metadata"] & {
    readonly creationTimestamp?: string;
  };
}

export async function list(
  member: FleetMember,
  kinds: string,
  ...args: string[]
): Promise<readonly WorldObject[]> {
  const text = await kubectl(member, "get", kinds, "--show-managed-fields", "-o", "json", ...args);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- kubectl's own JSON
  return (JSON.parse(text) as { items: WorldObject[] }).items;
}

export async function secrets(member: FleetMember): Promise<ReadonlyMap<string, WorldObject>> {
  const found = await list(member, "secrets", "-n", "istio-system");
  return new Map(found.map((secret) => [secret.metadata.name, secret]));
}

const OURS =
  "namespaces,secrets,configmaps,serviceaccounts,services,clusterroles,clusterrolebindings,roles,rolebindings," +
  "customresourcedefinitions,mutatingwebhookconfigurations,validatingwebhookconfigurations,deployments";

/**
 * What controllers write to as well, whenever they like: istiod (CA bundle, failure policy) and Kubernetes
 * (status).
 */
const CO_WRITTEN = new Set([
  "CustomResourceDefinition",
  "Deployment",
  "MutatingWebhookConfiguration",
  "ValidatingWebhookConfiguration",
]);
const CONTROLLERS = new Set(["kube-apiserver", "kube-controller-manager", "pilot-discovery"]);

const byOthers = ({ metadata }: WorldObject) =>
  (metadata.managedFields ?? []).filter(({ manager = "" }) => !CONTROLLERS.has(manager));

function writesOf(object: WorldObject): readonly string[] {
  if (!CO_WRITTEN.has(object.kind)) return [object.metadata.resourceVersion ?? ""];
  return byOthers(object)
    .map(({ manager, operation, time }) => `${manager} ${operation} ${time}`)
    .toSorted();
}

/**
 * Each object with its resourceVersion, or with its writers and their times where controllers write too. An
 * object that controllers alone write, istiod's locks for example, is left out. Equal before and after means
 * that only controllers wrote. The record is left out: the functions note their runs there, once an hour.
 */
export function writes(objects: readonly WorldObject[]): readonly string[] {
  return objects
    .filter((object) => byOthers(object).length > 0 && object.metadata.name !== RECORD.name)
    .map((object) => [object.kind, object.metadata.name, ...writesOf(object)].join(" "))
    .toSorted();
}

/** The writes to everything that carries the mesh's label. */
export async function snapshot(member: FleetMember): Promise<readonly string[]> {
  return writes(await list(member, OURS, "-A", "-l", "meshjoin.dev/mesh"));
}

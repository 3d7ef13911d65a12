import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ensureBinaries } from "../../../sandbox/binaries/build.ts";
import type { FleetMember } from "../../../sandbox/fleet-file.ts";
import pin from "../../../shared/istio/pin.json" with { type: "json" };

const run = promisify(execFile);
const OUTPUT_LIMIT = 64 * 1024 * 1024;

export interface ClusterObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  /** Of Secrets, base64. */
  readonly data?: Readonly<Record<string, string>>;
  readonly type?: string;
}

/** The administrator's view of a member: never through what is tested. */
export async function kubectl(member: FleetMember, ...args: string[]): Promise<string> {
  const { kubectl: command } = await ensureBinaries(() => undefined, pin.release);
  const { stdout } = await run(command, ["--kubeconfig", member.kubeconfig, ...args], {
    maxBuffer: OUTPUT_LIMIT,
  });
  return stdout;
}

/** Creates or replaces an object as somebody else than Meshjoin would. */
export async function createObject(member: FleetMember, object: object): Promise<void> {
  const { kubectl: command } = await ensureBinaries(() => undefined, pin.release);
  const running = run(command, ["--kubeconfig", member.kubeconfig, "create", "-f", "-"]);
  running.child.stdin?.end(JSON.stringify(object));
  await running;
}

/** Objects of the given kinds (comma-separated) in `istio-system`, in the order of their names. */
export async function objectsOf(member: FleetMember, kinds: string): Promise<readonly ClusterObject[]> {
  const list: { items: ClusterObject[] } = JSON.parse(
    await kubectl(member, "-n", "istio-system", "get", kinds, "-o", "json"),
  );
  return list.items;
}

export async function secretsOf(member: FleetMember): Promise<ReadonlyMap<string, ClusterObject>> {
  return new Map((await objectsOf(member, "secrets")).map((secret) => [secret.metadata.name, secret]));
}

/** A key of a Secret as text; fails where it is not there. */
export function textOf(secret: ClusterObject | undefined, key: string): string {
  const value = secret?.data?.[key];
  if (value === undefined) throw new Error(`${secret?.metadata.name ?? "the secret"} has no key ${key}`);
  return Buffer.from(value, "base64").toString();
}

const NAMESPACED =
  "secrets,configmaps,serviceaccounts,deployments,services,roles,rolebindings,horizontalpodautoscalers,poddisruptionbudgets";
const CLUSTER_WIDE =
  "namespaces,customresourcedefinitions,clusterroles,clusterrolebindings,mutatingwebhookconfigurations,validatingwebhookconfigurations";
/** Istio's own leader election keeps rewriting the ConfigMaps that carry it. */
const LEADER = "control-plane.alpha.kubernetes.io/leader";

/** `kind/name` → uid and resourceVersion of everything that Meshjoin could write: equal twice means nothing was written. */
export async function versionsOf(member: FleetMember): Promise<Readonly<Record<string, string>>> {
  const objects = [...(await objectsOf(member, NAMESPACED)), ...(await objectsOf(member, CLUSTER_WIDE))];
  return Object.fromEntries(
    objects
      .filter(({ metadata }) => metadata.annotations?.[LEADER] === undefined)
      .map(({ kind, metadata }) => [
        `${kind}/${metadata.name}`,
        `${metadata.uid}@${metadata.resourceVersion}`,
      ]),
  );
}

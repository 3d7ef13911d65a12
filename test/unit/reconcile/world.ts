import { expect, jest } from "@jest/globals";
import { TAKES_EFFECT_MS } from "../../../shared/apply/rights.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { annotation, clusterId, ISTIO_NAMESPACE, NETWORK_LABEL } from "../../../shared/core/names.ts";
import { MEMBER_CHECK_MS } from "../../../shared/doctor/members.ts";
import { GATEWAYS_LISTED } from "../../../shared/istio/gateway.ts";
import { RECORD } from "../../../shared/istio/record-config-map.ts";
import { NOTES_MS } from "../../../shared/look/drain-notes.ts";
import { SECOND_LOOK_MS } from "../../../shared/phases/gateways.ts";
import { INGRESS_WAIT_MS } from "../../../shared/phases/ingress.ts";
import { WAIT_MS } from "../../../shared/phases/own-halves.ts";
import { verifyCacerts } from "../../../shared/pki/verify.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import type { FakeMesh } from "../../support/fakes/mesh.ts";

const KINDS = [
  "Namespace",
  "Secret",
  "ServiceAccount",
  "ConfigMap",
  "Service",
  "ClusterRole",
  "ClusterRoleBinding",
  "Role",
  "RoleBinding",
  "CustomResourceDefinition",
  "MutatingWebhookConfiguration",
  "ValidatingWebhookConfiguration",
  "Deployment",
  "Pod",
  "Gateway",
  "DestinationRule",
];
/** What differs between two runs that did the same: keys, tokens, serials, and what the server counts. */
const MINTED = ["fingerprint", "serial", "reader-uid", "last-gateway"].map((key) => annotation(key));

/**
 * From now on every request takes its time, so that runs that start together all see before any of them
 * writes.
 */
export function inLockstep(mesh: FakeMesh): void {
  for (const { faults } of mesh.servers) faults.slowMs = 3;
}

/** What a run waits long for, it waits for a moment from now on, until all mocks are restored. */
export function waitShortly(momentMs = 200): void {
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  const waits = [WAIT_MS, SECOND_LOOK_MS, TAKES_EFFECT_MS, INGRESS_WAIT_MS, MEMBER_CHECK_MS, NOTES_MS];
  jest.spyOn(AbortSignal, "timeout").mockImplementation((ms) => timeout(waits.includes(ms) ? momentMs : ms));
}

/** Every object of every cluster. */
export function objectsOf(mesh: FakeMesh): KubernetesObject[] {
  return mesh.servers.flatMap(({ store }) => KINDS.flatMap((kind) => store.list({ apiVersion: "", kind })));
}

/** A record tells how a mesh came to be as it is, so it differs between two meshes that are alike. */
export function isRecordOfRuns({ kind, metadata }: Pick<KubernetesObject, "kind" | "metadata">): boolean {
  return kind === RECORD.kind && metadata.name === RECORD.name;
}

/**
 * The state of the world without the minted values and the records; equal for two runs that did the same.
 */
export function stateOf(mesh: FakeMesh): unknown[] {
  const state = objectsOf(mesh).filter((object) => !isRecordOfRuns(object));
  return state.map(({ metadata, data, status: _, ...rest }) => ({
    ...rest,
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace,
      labels: metadata.labels,
      annotations: Object.fromEntries(
        Object.entries(metadata.annotations ?? {}).map(([key, value]) => [
          key,
          MINTED.some((minted) => minted === key) ? "minted" : value,
        ]),
      ),
    },
    data: rest.kind === "Secret" ? Object.keys(data ?? {}).toSorted((a, b) => (a < b ? -1 : 1)) : data,
  }));
}

/** Of every object: what changes with any write. */
export function versionsOf(mesh: FakeMesh): string[] {
  return objectsOf(mesh).map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.resourceVersion}`);
}

/** Those that istiod makes real: none that only names another cluster's gateway. */
export function realGatewaysOf(mesh: FakeMesh, cluster: Cluster): KubernetesObject[] {
  const { store } = mesh.fleet.server(cluster);
  return store.list(GATEWAYS_LISTED).filter((gateway) => !isRemote(gateway));
}

/** Those that name another cluster's gateway: `name: network address`. */
export function lastGatewaysOf(mesh: FakeMesh, cluster: Cluster): string[] {
  const { store } = mesh.fleet.server(cluster);
  return store
    .list(GATEWAYS_LISTED)
    .filter(isRemote)
    .map(({ metadata, spec }) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- gateway.networking.k8s.io/v1 Gateway
      const { addresses } = spec as { addresses: readonly { value: string }[] };
      return `${metadata.name}: ${metadata.labels?.[NETWORK_LABEL]} ${addresses.map(({ value }) => value).join()}`;
    });
}

function isRemote(gateway: KubernetesObject): boolean {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- gateway.networking.k8s.io/v1 Gateway
  return (gateway["spec"] as { gatewayClassName?: string }).gatewayClassName === "istio-remote";
}

export function secretsOf(mesh: FakeMesh, cluster: Cluster): KubernetesObject[] {
  const { store } = mesh.fleet.server(cluster);
  return store.list({ apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE });
}

/** Everything that the Secret holds at one time or another, beginning with what it holds now. */
export function contentsFromNow(mesh: FakeMesh, cluster: Cluster, name: string): ReadonlySet<string> {
  const contents = new Set<string>();
  const look = () => {
    const found = secretsOf(mesh, cluster).find(({ metadata }) => metadata.name === name);
    if (found !== undefined) contents.add(JSON.stringify(found["data"]));
  };
  look();
  mesh.fleet.server(cluster).store.onChange(look);
  return contents;
}

export function fileOf(secret: KubernetesObject, name: string): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 Secret
  const data = secret["data"] as Readonly<Record<string, string>>;
  return Buffer.from(data[name] ?? "", "base64").toString("utf8");
}

/**
 * Each of them has a valid `cacerts`, exactly one remote secret for each other and exactly one stand-in for
 * each other, and its istiod shows all others as synced and serves the intermediate that was written.
 */
export async function expectJoined(mesh: FakeMesh, clusters: readonly Cluster[] = mesh.clusters) {
  const fleet = mesh.fleet.process();
  for (const cluster of clusters) {
    const peers = clusters.filter((peer) => peer !== cluster).map(({ ref }) => clusterId(ref));
    const secrets = secretsOf(mesh, cluster);
    expect(secrets.map(({ metadata }) => metadata.name)).toEqual(
      [
        "cacerts",
        ...peers.map((id) => `istio-remote-secret-${id}`),
        ...peers.map((id) => `meshjoin-reader-${id}`),
      ].toSorted((a, b) => (a < b ? -1 : 1)),
    );
    const cacerts = secrets.find(({ metadata }) => metadata.name === "cacerts");
    if (cacerts === undefined) throw new Error("no cacerts");
    expectValid(cacerts, mesh.clock.now());

    const { reader, istiod } = fleet.member(cluster);
    const pods = await reader.list({ apiVersion: "v1", kind: "Pod", namespace: ISTIO_NAMESPACE });
    expect(pods).toHaveLength(1);
    const session = istiod.open(pods[0]?.metadata.name ?? "");
    const seen = await session.remoteClusters();
    expect(seen.map((row) => [row.clusterId, row.status])).toEqual(
      [clusterId(cluster.ref), ...peers].map((id) => [id, "synced"]),
    );
    expect(await session.servedChain()).toContain(cacerts.metadata.annotations?.[annotation("fingerprint")]);
  }
}

function expectValid(cacerts: KubernetesObject, now: Date): void {
  const files = {
    certificate: fileOf(cacerts, "ca-cert.pem"),
    privateKey: fileOf(cacerts, "ca-key.pem"),
    chain: fileOf(cacerts, "cert-chain.pem"),
    trustBundle: fileOf(cacerts, "root-cert.pem"),
  };
  expect(verifyCacerts(files, now)).toEqual([]);
}

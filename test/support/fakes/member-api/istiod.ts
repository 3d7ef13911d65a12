import { X509Certificate } from "node:crypto";
import { parse } from "yaml";
import { fnv1a } from "../../../../shared/core/hash.ts";
import {
  CACERTS,
  ISTIO_NAMESPACE,
  ISTIOD,
  NETWORK_LABEL,
  REMOTE_SECRET_LABEL,
} from "../../../../shared/core/names.ts";
import { gatewayStates } from "../../../../shared/istio/gateway.ts";
import {
  type DeploymentObject,
  ISTIOD_LOCK,
  isRolledOut,
  isScaledToZero,
} from "../../../../shared/istio/workload.ts";
import type { Clock } from "../../../../shared/ports/clock.ts";
import type { KubernetesObject } from "../../../../shared/ports/kubernetes-object.ts";
import type { NetworkGateway, ObjectRef, RemoteClusterStatus } from "../../../../shared/ports/member-api.ts";
import type { ObjectStore } from "./object-store.ts";

/** How this istiod behaves; may be changed at any time. `Infinity` is never. */
export interface IstiodBehaviour {
  readyAfterMs: number;
  /** From a change of `cacerts` until it is served. */
  reloadsAfterMs: number;
  /** From a change of a remote secret until its cluster is synced. */
  syncsAfterMs: number;
  /** Whether a change from now on is never synced; what was before stays as it is. */
  syncsNoMore: boolean;
  /** Whether it writes the roots that it trusts into every namespace. */
  publishes: boolean;
  /** It learns of no gateway by a Service. */
  seesNoGateway: boolean;
  /** It learns of no change of a gateway from now on. */
  learnsNoGateway: boolean;
  /** It goes on listing every gateway that it has ever known. */
  keepsGateways: boolean;
  /** Its secret controller stands still: what it lists stays as it is. */
  stuck: boolean;
  /** Its pod is there, and is not ready. */
  isDown: boolean;
}

/** Whether the cluster at this address lets this token in, or has no answer; `network` of the fleet. */
export type Reach = (kubeconfig: {
  server: string;
  caData: string | undefined;
  token: string;
}) => "open" | "refused" | "silent";

export interface SimulatedIstiod {
  readonly behaviour: IstiodBehaviour;
  /** Looks at the objects; called after every change. */
  settle(): void;
  remoteClusters(): RemoteClusterStatus[];
  networkGateways(): NetworkGateway[];
  servedChain(): string[];
  /** The Secret `cacerts` as it was when it was loaded last. */
  loadedCacerts(): KubernetesObject | undefined;
}

/** The second where there is a `tls.crt`; Istio `pilot/pkg/bootstrap/istio_ca.go`. */
const FILES = ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"];
const TLS_FILES = ["tls.crt", "tls.key", "ca.crt"];
/** The field manager of istiod's own writes; Istio `pkg/webhooks`. */
const MANAGER = "pilot-discovery";
const DEPLOYMENT: ObjectRef = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  namespace: ISTIO_NAMESPACE,
  name: ISTIOD,
};
const WEBHOOKS = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];

export function simulatedIstiod(
  store: ObjectStore,
  clock: Clock,
  reach: Reach,
  storeOf: (clusterId: string) => ObjectStore | undefined = () => undefined,
): SimulatedIstiod {
  const behaviour: IstiodBehaviour = {
    readyAfterMs: 0,
    reloadsAfterMs: 0,
    syncsAfterMs: 0,
    syncsNoMore: false,
    publishes: true,
    seesNoGateway: false,
    learnsNoGateway: false,
    keepsGateways: false,
    stuck: false,
    isDown: false,
  };
  let listed: RemoteClusterStatus[] = [];
  const everKnown = new Map<string, NetworkGateway>();
  const seen = new Map<string, { readonly version: string; readonly at: number }>();
  let loaded: KubernetesObject | undefined;
  let starting: NodeJS.Timeout | undefined;
  const kubeconfigIn = remembered(readKubeconfig);
  const fingerprintsIn = remembered(fingerprintsOf);

  /** For how long the object has been as it is. */
  const ageOf = ({ kind, metadata }: KubernetesObject): number => {
    const key = `${kind} ${metadata.name}`;
    const version = metadata.resourceVersion ?? "";
    const known = seen.get(key);
    if (known?.version === version) return performance.now() - known.at;
    seen.set(key, { version, at: performance.now() });
    return 0;
  };

  const load = (cacerts: KubernetesObject) => {
    loaded = cacerts;
    if (behaviour.publishes) publishRoots(store, cacerts);
  };

  const read = new Map<string, string>();
  const isSynced = (secret: KubernetesObject): boolean => {
    const { uid = "", resourceVersion = "" } = secret.metadata;
    const age = ageOf(secret);
    if (behaviour.syncsNoMore) return read.get(uid) === resourceVersion;
    read.set(uid, resourceVersion);
    return age >= behaviour.syncsAfterMs;
  };

  /**
   * What it has read once of a cluster it keeps, and calls synced, while that cluster is silent. A new
   * process has nothing; `pkg/kube/multicluster/cluster.go`. A note on the Secret changes nothing of it:
   * the kubeconfig is the same; `secretcontroller.go`.
   */
  const kept = new Set<string>();
  const isOpen = (secret: KubernetesObject, encoded: string): boolean => {
    const key = `${secret.metadata.uid} ${encoded}`;
    const answer = reach(kubeconfigIn(encoded));
    if (answer === "open") kept.add(key);
    return answer === "open" || (answer === "silent" && kept.has(key));
  };

  const start = () => {
    starting = undefined;
    kept.clear();
    const deployment = store.get(DEPLOYMENT);
    const cacerts = completeCacerts(store);
    if (deployment === undefined || cacerts === undefined) return;
    load(cacerts);
    ageOf(cacerts);
    writePods(store, deployment, clock);
    for (const kind of WEBHOOKS) completeWebhooks(store, kind);
  };

  const reload = () => {
    const cacerts = completeCacerts(store);
    if (cacerts === undefined || ageOf(cacerts) < behaviour.reloadsAfterMs) return;
    load(cacerts);
  };

  const simulated: SimulatedIstiod = {
    behaviour,
    settle() {
      const deployment = store.get(DEPLOYMENT);
      if (deployment === undefined || !store.list(CRDS).length || completeCacerts(store) === undefined)
        return;
      for (const secret of remoteSecrets(store)) ageOf(secret);
      if (isScaledToZero(deployment)) removePods(store, deployment, clock);
      else if (behaviour.isDown) takeDown(store, deployment, clock);
      else if (isRolledOut(deployment)) reload();
      else if (behaviour.readyAfterMs === 0) start();
      else if (Number.isFinite(behaviour.readyAfterMs)) {
        starting ??= setTimeout(start, behaviour.readyAfterMs);
        starting.unref();
      }
    },
    remoteClusters() {
      if (behaviour.stuck) return listed;
      const own = { clusterId: ownClusterId(store), secretName: "", status: "synced" as const };
      const remote = remoteSecrets(store).flatMap((secret) => {
        const synced = isSynced(secret);
        const secretName = `${ISTIO_NAMESPACE}/${secret.metadata.name}`;
        return Object.entries(dataOf(secret)).map(([clusterId, encoded]): RemoteClusterStatus => {
          const open = synced && isOpen(secret, encoded);
          return { clusterId, secretName, status: open ? "synced" : "syncing" };
        });
      });
      // A second Secret for a cluster that is registered is passed over;
      // `pkg/kube/multicluster/secretcontroller.go`.
      const first = new Map(remote.toReversed().map((row) => [row.clusterId, row]));
      listed = [own, ...remote.filter((row) => first.get(row.clusterId) === row)];
      return listed;
    },
    networkGateways() {
      if (behaviour.seesNoGateway) return namedGateways(store);
      if (behaviour.learnsNoGateway) return [...everKnown.values(), ...namedGateways(store)];
      const open = simulated.remoteClusters().filter(({ status }) => status === "synced");
      const found = open.flatMap(({ clusterId, secretName }) =>
        gatewaysIn(clusterId, secretName === "" ? store : storeOf(clusterId)),
      );
      for (const each of found) everKnown.set(JSON.stringify(each), each);
      return [...(behaviour.keepsGateways ? everKnown.values() : found), ...namedGateways(store)];
    },
    servedChain() {
      reload();
      const fingerprints = loaded === undefined ? [] : fingerprintsIn(chainOf(loaded));
      return [fnv1a(`leaf ${fingerprints.join()}`).repeat(4), ...fingerprints];
    },
    loadedCacerts: () => loaded,
  };
  return simulated;
}

/**
 * Gateways elsewhere that an object in the istiod's own cluster names. They count as that cluster's;
 * `pilot/pkg/serviceregistry/kube/controller/network.go`.
 */
function namedGateways(store: ObjectStore): NetworkGateway[] {
  return store
    .list({ apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway" })
    .flatMap(({ metadata: { labels = {} }, ...gateway }) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- gateway.networking.k8s.io/v1 Gateway
      const spec = gateway["spec"] as {
        gatewayClassName?: string;
        addresses?: readonly { value: string }[];
      };
      const network = labels[NETWORK_LABEL] ?? "";
      if (spec.gatewayClassName !== "istio-remote" || network === "") return [];
      const clusterId = ownClusterId(store);
      return (spec.addresses ?? []).map(({ value }) => ({ network, clusterId, address: value }));
    });
}

/** Those with an address, served or not; `pilot/pkg/serviceregistry/kube/controller/network.go`. */
function gatewaysIn(clusterId: string, store: ObjectStore | undefined): NetworkGateway[] {
  const services = store?.list({ apiVersion: "v1", kind: "Service" }) ?? [];
  return gatewayStates(services, []).flatMap(({ network, addresses }) =>
    network === "" ? [] : addresses.map((address) => ({ network, clusterId, address })),
  );
}

const CRDS = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };

function completeCacerts(store: ObjectStore): KubernetesObject | undefined {
  const secret = store.get({ apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name: CACERTS });
  if (secret === undefined) return undefined;
  const data = dataOf(secret);
  const files = "tls.crt" in data ? TLS_FILES : FILES;
  return files.every((file) => file in data) ? secret : undefined;
}

/** Into every namespace, as `pilot/pkg/bootstrap/namespacecontroller.go` does. */
function publishRoots(store: ObjectStore, cacerts: KubernetesObject): void {
  const bundle = decode(dataOf(cacerts)["root-cert.pem"] ?? dataOf(cacerts)["ca.crt"]);
  for (const { metadata } of store.list({ apiVersion: "v1", kind: "Namespace" })) {
    if (metadata.deletionTimestamp !== undefined) continue;
    const ref = { apiVersion: "v1", kind: "ConfigMap", namespace: metadata.name, name: "istio-ca-root-cert" };
    const { apiVersion, kind, ...named } = ref;
    const known = store.get(ref);
    const data = { "root-cert.pem": bundle };
    if (JSON.stringify(known?.["data"]) === JSON.stringify(data)) continue;
    store.write({ apiVersion, kind, metadata: named, data }, MANAGER);
  }
}

function remoteSecrets(store: ObjectStore): KubernetesObject[] {
  return store.list({
    apiVersion: "v1",
    kind: "Secret",
    namespace: ISTIO_NAMESPACE,
    labelSelector: `${REMOTE_SECRET_LABEL}=true`,
  });
}

/** Parses each text once, as istiod does: it looks again at what has changed alone. */
function remembered<T>(parsed: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const found = known.get(text) ?? parsed(text);
    known.set(text, found);
    return found;
  };
}

function chainOf(cacerts: KubernetesObject): string {
  const data = dataOf(cacerts);
  const files = "tls.crt" in data ? ["tls.crt", "ca.crt"] : ["cert-chain.pem"];
  return files.map((file) => decode(data[file])).join("");
}

function fingerprintsOf(chain: string): string[] {
  const blocks = chain.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((pem) => new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase());
}

function ownClusterId(store: ObjectStore): string {
  const deployment: DeploymentObject | undefined = store.get(DEPLOYMENT);
  const env = deployment?.spec?.template?.spec?.containers?.flatMap((container) => container.env ?? []) ?? [];
  return env.find(({ name }) => name === "CLUSTER_ID")?.value ?? "Kubernetes";
}

interface Kubeconfig {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly "certificate-authority-data"?: string } },
  ];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
}

/** One that cannot be read leads nowhere: istiod writes a line in its log, and goes on with the next. */
const NOWHERE = { server: "", caData: undefined, token: "" };

function readKubeconfig(encoded: string) {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what istiod expects to find
    const { clusters, users } = parse(decode(encoded)) as Kubeconfig;
    const { cluster } = clusters[0];
    return {
      server: cluster.server,
      caData: cluster["certificate-authority-data"],
      token: users[0].user.token,
    };
  } catch {
    return NOWHERE;
  }
}

/** What kubelet and controllers report once istiod isRolledOut: one Ready pod of the present template. */
function writePods(store: ObjectStore, deployment: DeploymentObject, clock: Clock): void {
  const name = `${ISTIOD}-${fnv1a(JSON.stringify(deployment["spec"])).slice(0, 10)}`;
  const pods = { apiVersion: "v1", kind: "Pod", namespace: ISTIO_NAMESPACE, labelSelector: "app=istiod" };
  for (const pod of store.list(pods)) {
    if (pod.metadata.name !== name) store.delete({ ...pods, name: pod.metadata.name });
  }
  store.write(
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: ISTIO_NAMESPACE, labels: { app: "istiod" } },
      status: { conditions: [{ type: "Ready", status: "True" }] },
    },
    "kubelet",
  );
  const status = {
    observedGeneration: deployment.metadata.generation,
    replicas: 1,
    updatedReplicas: 1,
    availableReplicas: 1,
    conditions: available(deployment, true, clock),
  };
  store.write({ ...deployment, status }, "kube-controller-manager");
}

/** As the Deployment controller tells it: a condition that stays keeps its time. */
function available({ status }: DeploymentObject, is: boolean, clock: Clock) {
  const before = status?.conditions?.find(({ type }) => type === "Available");
  const word = is ? "True" : "False";
  if (before?.status === word) return [before];
  const lastTransitionTime = `${clock.now().toISOString().slice(0, 19)}Z`;
  return [{ type: "Available", status: word, lastTransitionTime }];
}

/** A Deployment that is to have no pod counts as available. */
function removePods(store: ObjectStore, deployment: DeploymentObject, clock: Clock): void {
  const pods = { apiVersion: "v1", kind: "Pod", namespace: ISTIO_NAMESPACE, labelSelector: "app=istiod" };
  for (const { metadata } of store.list(pods)) store.delete({ ...pods, name: metadata.name });
  if (deployment.status?.replicas === 0) return;
  renewLock(store, clock);
  const conditions = available(deployment, true, clock);
  const status = { observedGeneration: deployment.metadata.generation, replicas: 0, conditions };
  store.write({ ...deployment, status }, "kube-controller-manager");
}

/** An istiod renews it all the time. Of that only the last is written here, which a look may see. */
function renewLock(store: ObjectStore, clock: Clock): void {
  const leader = JSON.stringify({ renewTime: `${clock.now().toISOString().slice(0, 19)}Z` });
  const annotations = { "control-plane.alpha.kubernetes.io/leader": leader };
  const metadata = { name: ISTIOD_LOCK, namespace: ISTIO_NAMESPACE, annotations };
  store.write({ apiVersion: "v1", kind: "ConfigMap", metadata }, MANAGER);
}

function takeDown(store: ObjectStore, deployment: DeploymentObject, clock: Clock): void {
  if ((deployment.status?.availableReplicas ?? 0) > 0) renewLock(store, clock);
  const pods = { apiVersion: "v1", kind: "Pod", namespace: ISTIO_NAMESPACE, labelSelector: "app=istiod" };
  for (const pod of store.list(pods)) {
    const status = { conditions: [{ type: "Ready", status: "False", reason: "ContainersNotReady" }] };
    store.write({ ...pod, status }, "kubelet");
  }
  const { availableReplicas: _, ...status } = deployment.status ?? {};
  const conditions = available(deployment, false, clock);
  store.write({ ...deployment, status: { ...status, conditions } }, "kube-controller-manager");
}

/**
 * Istio `pkg/webhooks`: istiod puts its CA bundle in, and lets a validating webhook fail closed once it
 * answers.
 */
function completeWebhooks(store: ObjectStore, kind: string): void {
  for (const configuration of store.list({ apiVersion: "admissionregistration.k8s.io/v1", kind })) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- admissionregistration/v1
    const webhooks = (configuration["webhooks"] ?? []) as readonly { clientConfig?: object }[];
    const completed = webhooks.map((webhook) => ({
      ...webhook,
      clientConfig: { ...webhook.clientConfig, caBundle: "Y2E=" },
      ...(kind === "ValidatingWebhookConfiguration" ? { failurePolicy: "Fail" } : {}),
    }));
    store.write({ ...configuration, webhooks: completed }, MANAGER);
  }
}

function dataOf(secret: KubernetesObject): Readonly<Record<string, string>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 Secret
  return (secret["data"] ?? {}) as Readonly<Record<string, string>>;
}

function decode(encoded = ""): string {
  return Buffer.from(encoded, "base64").toString("utf8");
}

import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { V1ConfigMap, V1Pod, V1Secret } from "@kubernetes/client-node";
import { type ApiClient, ApiError } from "../api-client.ts";
import type { PodNetwork } from "../pod-network.ts";
import { asksForHostAddress, type TrafficSupport } from "../traffic-support.ts";
import { type Lookup, type NodeFacts, pilotContainer } from "./container-spec.ts";
import { type PullReport, pullBackedOff, pullFailed, refusedPulls } from "./image-pulls.ts";
import type { ImageRegistry } from "./image-registry.ts";
import { type ContainerReport, type Pilot, startPilot } from "./pilot.ts";
import { podStatus } from "./pod-status.ts";
import type { TokenRequest } from "./volumes.ts";

/** Scheduler and kubelet in one: binds every pending pod to its one node, and runs istiod as a process. */
export interface NodeStandIn {
  pilots(): readonly PilotOfPod[];
  stop(): Promise<void>;
}

export interface PilotOfPod {
  readonly namespace: string;
  readonly pod: string;
  readonly pilot: Pilot;
}

export interface NodeOptions {
  readonly api: ApiClient;
  /** The first two bytes of every pod's address, such as `10.100`. */
  readonly podPrefix: string;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly kubeletPort: number;
  readonly network: PodNetwork;
  readonly server: string;
  readonly pilotDiscovery: string;
  readonly registry: ImageRegistry;
  /** Where sidecars are to run. */
  readonly traffic?: TrafficSupport;
  /** A directory per pod is made in it. */
  readonly dir: string;
  readonly logDir: string;
}

interface PodRecord {
  latest: V1Pod;
  gone: boolean;
  working: boolean;
  again: boolean;
  started: boolean;
  /** Attempts to get its images that failed so far. */
  pullsFailed: number;
  readonly ip: string;
  readonly startedAt: string;
  readonly reports: Map<string, ContainerReport>;
  pilot: Pilot | undefined;
}

const TOKEN_CHECK_MS = 60_000;
const RETRY_MS = 300;
/** The kubelet waits from 10 s to 5 min; a tenth of that and less, so that nobody waits for it. */
const PULL_BACKOFF_MS = 1000;
const PULL_BACKOFF_MAX_MS = 10_000;

function nodeObject({ name, ip, cpus: cores, memoryBytes }: NodeFacts, podCidr: string): object {
  const resources = { cpu: String(cores), memory: String(memoryBytes), pods: "1000" };
  return {
    metadata: { name, labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" } },
    spec: { podCIDR: podCidr, podCIDRs: [podCidr] },
    status: { capacity: resources, allocatable: resources, addresses: [{ type: "InternalIP", address: ip }] },
  };
}

function nodeStatus(kubeletPort: number): object {
  const at = new Date().toISOString();
  return {
    conditions: [
      {
        type: "Ready",
        status: "True",
        reason: "KubeletReady",
        lastHeartbeatTime: at,
        lastTransitionTime: at,
      },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
    nodeInfo: {
      architecture: "amd64",
      bootID: "",
      containerRuntimeVersion: "host-process://1",
      kernelVersion: "",
      kubeProxyVersion: "",
      kubeletVersion: "v1.36.3",
      machineID: "",
      operatingSystem: "linux",
      osImage: "meshjoin sandbox",
      systemUUID: "",
    },
  };
}

function decode(data: Readonly<Record<string, string>> | undefined, encoding: "utf8" | "base64") {
  return Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)] as const);
}

/** Secrets and ConfigMaps as they are now, and a call for every change of one. */
function followData(api: ApiClient, onChange: (namespace: string) => void, signal: AbortSignal) {
  const data = new Map<string, ReadonlyMap<string, Buffer>>();
  const keyByUid = new Map<string, string>();
  const note = (kind: string, uid: string, object: V1Secret & V1ConfigMap, encoding: "utf8" | "base64") => {
    const { namespace = "", name = "" } = object.metadata ?? {};
    const key = `${kind}/${namespace}/${name}`;
    keyByUid.set(uid, key);
    data.set(key, new Map([...decode(object.data, encoding), ...decode(object.binaryData, "base64")]));
    onChange(namespace);
  };
  const forget = (uid: string): void => {
    const key = keyByUid.get(uid) ?? "";
    keyByUid.delete(uid);
    data.delete(key);
    onChange(key.split("/")[1] ?? "");
  };
  api.follow<V1Secret>(
    "/api/v1/secrets",
    (uid, object) => (object === undefined ? forget(uid) : note("secrets", uid, object, "base64")),
    signal,
  );
  api.follow<V1ConfigMap>(
    "/api/v1/configmaps",
    (uid, object) => (object === undefined ? forget(uid) : note("configmaps", uid, object, "utf8")),
    signal,
  );
  return (namespace: string): Lookup =>
    (kind, name) =>
      data.get(`${kind}/${namespace}/${name}`);
}

interface TokenAnswer {
  readonly status: { readonly token: string; readonly expirationTimestamp: string };
}

/** Renewed after 80 % of their life, as the kubelet does. */
function createTokenSource(api: ApiClient, pod: V1Pod) {
  const tokens = new Map<string, { readonly token: string; readonly renewAt: number }>();
  return async ({ audience, expirationSeconds }: TokenRequest): Promise<string> => {
    const known = tokens.get(audience ?? "");
    if (known !== undefined && Date.now() < known.renewAt) {
      return known.token;
    }
    const { name, namespace, uid } = pod.metadata ?? {};
    const account = pod.spec?.serviceAccountName ?? "default";
    const answer = await api.create<TokenAnswer>(
      `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
      {
        spec: {
          ...(audience !== undefined && { audiences: [audience] }),
          expirationSeconds,
          boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
        },
      },
    );
    const { token, expirationTimestamp } = answer.status;
    const life = Date.parse(expirationTimestamp) - Date.now();
    tokens.set(audience ?? "", { token, renewAt: Date.now() + life * 0.8 });
    return token;
  };
}

/** Of a pod, by its kubelet. */
async function writeEvent(
  api: ApiClient,
  { metadata }: V1Pod,
  { name }: NodeFacts,
  event: PullReport["events"][number],
): Promise<void> {
  const at = new Date().toISOString();
  await api.create(`/api/v1/namespaces/${metadata?.namespace}/events`, {
    metadata: { generateName: `${metadata?.name}.` },
    involvedObject: {
      apiVersion: "v1",
      kind: "Pod",
      namespace: metadata?.namespace,
      name: metadata?.name,
      uid: metadata?.uid,
    },
    source: { component: "kubelet", host: name },
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
    ...event,
  });
}

function pathOf(pod: V1Pod): string {
  return `/api/v1/namespaces/${pod.metadata?.namespace}/pods/${pod.metadata?.name}`;
}

async function unlessGone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) {
      throw error;
    }
  }
}

function createAddresses(prefix: string): () => string {
  let last = 0;
  return () => {
    last += 1;
    if (last >= 65_000) {
      throw new Error("the cluster ran out of pod addresses; start the sandbox again");
    }
    return `${prefix}.${last >> 8}.${last & 255}`;
  };
}

export async function startNode(options: NodeOptions): Promise<NodeStandIn> {
  const { api, network } = options;
  const ended = new AbortController();
  const records = new Map<string, PodRecord>();
  const loops = new Set<Promise<void>>();
  const nextAddress = createAddresses(options.podPrefix);
  const node: NodeFacts = {
    name: options.nodeName,
    ip: options.nodeIp,
    cpus: cpus().length,
    memoryBytes: totalmem(),
  };
  await api.create("/api/v1/nodes", nodeObject(node, `${options.podPrefix}.0.0/16`));
  await api.mergePatch(`/api/v1/nodes/${node.name}/status`, { status: nodeStatus(options.kubeletPort) });
  // A new node is tainted as not ready; the controller that takes this off a ready one does not run here.
  await api.mergePatch(`/api/v1/nodes/${node.name}`, { spec: { taints: [] } });

  const refresh = (namespace?: string): void => {
    for (const { latest, pilot } of records.values()) {
      if (namespace === undefined || latest.metadata?.namespace === namespace) {
        pilot?.refresh();
      }
    }
  };
  const lookupIn = followData(api, refresh, ended.signal);
  const tokenCheck = setInterval(refresh, TOKEN_CHECK_MS);
  tokenCheck.unref();

  const writeStatus = async (record: PodRecord): Promise<void> => {
    const { latest: pod, ip: podIp, startedAt, reports } = record;
    const status = podStatus({ pod, podIp, node, startedAt, reports });
    await unlessGone(api.mergePatch(`${pathOf(pod)}/status`, { status }));
  };

  const tell = async (record: PodRecord, { reports, events }: PullReport): Promise<void> => {
    for (const [container, report] of reports) record.reports.set(container, report);
    for (const event of events) await unlessGone(writeEvent(api, record.latest, node, event));
    await writeStatus(record);
  };

  /** Answers whether all are there; if not, asks again after a while. */
  const pull = async (record: PodRecord): Promise<boolean> => {
    const refused = refusedPulls(record.latest, options.registry);
    if (refused.length === 0) {
      record.reports.clear();
      return true;
    }
    await tell(record, pullFailed(refused));
    await tell(record, pullBackedOff(refused));
    const wait = Math.min(PULL_BACKOFF_MS * 2 ** record.pullsFailed, PULL_BACKOFF_MAX_MS);
    record.pullsFailed += 1;
    setTimeout(() => work(record), wait).unref();
    return false;
  };

  const startContainers = async (record: PodRecord): Promise<void> => {
    const pod = record.latest;
    const container = pilotContainer(pod);
    if (container !== undefined) {
      const { namespace = "", uid = "" } = pod.metadata ?? {};
      record.reports.set(container.name, {
        ready: false,
        restartCount: 0,
        state: { waiting: { reason: "ContainerCreating" } },
        lastState: {},
      });
      record.pilot = await startPilot({
        pod,
        container,
        podIp: record.ip,
        node,
        root: join(options.dir, uid),
        logDir: options.logDir,
        pilotDiscovery: options.pilotDiscovery,
        vanillaEnvoys: options.traffic !== undefined,
        server: options.server,
        lookup: lookupIn(namespace),
        token: createTokenSource(api, pod),
        onReport: (report) => {
          record.reports.set(container.name, report);
          work(record);
        },
      });
      for (const [port, local] of record.pilot.ports) {
        network.setRoute(`${record.ip}:${port}`, { port: local, fromHost: true });
      }
    }
  };

  const stopContainers = async (record: PodRecord): Promise<void> => {
    const { pilot } = record;
    record.pilot = undefined;
    for (const port of pilot?.ports.keys() ?? []) {
      network.deleteRoute(`${record.ip}:${port}`);
    }
    await pilot?.stop();
  };

  const step = async (record: PodRecord): Promise<void> => {
    const pod = record.latest;
    if (record.gone) {
      await stopContainers(record);
    } else if (pod.metadata?.deletionTimestamp !== undefined) {
      await stopContainers(record);
      const preconditions = { uid: pod.metadata.uid };
      await unlessGone(api.delete(pathOf(pod), { gracePeriodSeconds: 0, preconditions }));
    } else if (pod.spec?.nodeName === undefined) {
      const target = { apiVersion: "v1", kind: "Node", name: node.name };
      await unlessGone(
        api.create(`${pathOf(pod)}/binding`, { metadata: { name: pod.metadata?.name }, target }),
      );
    } else {
      if (!record.started) {
        if (!(await pull(record))) return;
        record.started = true;
        await startContainers(record);
      }
      await writeStatus(record);
    }
  };

  /** One step at a time for each pod, and one more after whatever came in meanwhile. */
  const work = (record: PodRecord): void => {
    record.again = true;
    if (!record.working) {
      record.working = true;
      const looping = loop(record).finally(() => loops.delete(looping));
      loops.add(looping);
    }
  };
  const loop = async (record: PodRecord): Promise<void> => {
    while (record.again && !ended.signal.aborted) {
      record.again = false;
      try {
        await step(record);
      } catch {
        record.again = true;
        await delay(RETRY_MS, undefined, { signal: ended.signal }).catch(() => undefined);
      }
    }
    record.working = false;
  };

  const newRecord = (pod: V1Pod): PodRecord => ({
    latest: pod,
    gone: false,
    working: false,
    again: false,
    started: false,
    pullsFailed: 0,
    ip: (asksForHostAddress(pod) ? options.traffic?.hostAddress : undefined) ?? nextAddress(),
    startedAt: new Date().toISOString(),
    reports: new Map(),
    pilot: undefined,
  });

  /** Our own writes of the status come back as changes too, and ask for nothing. */
  const concernsUs = (before: V1Pod | undefined, now: V1Pod): boolean =>
    before === undefined ||
    before.spec?.nodeName !== now.spec?.nodeName ||
    before.metadata?.deletionTimestamp !== now.metadata?.deletionTimestamp;

  const onPod = (uid: string, pod: V1Pod | undefined): void => {
    const known = records.get(uid);
    if (pod === undefined) {
      records.delete(uid);
      if (known !== undefined) {
        known.gone = true;
        work(known);
      }
      return;
    }
    const record = known ?? newRecord(pod);
    const before = known?.latest;
    record.latest = pod;
    records.set(uid, record);
    if (concernsUs(before, pod)) {
      work(record);
    }
  };
  api.follow<V1Pod>("/api/v1/pods", onPod, ended.signal);

  return {
    pilots: () =>
      [...records.values()].flatMap(({ latest, pilot }) =>
        pilot === undefined
          ? []
          : [{ namespace: latest.metadata?.namespace ?? "", pod: latest.metadata?.name ?? "", pilot }],
      ),
    stop: async () => {
      ended.abort();
      clearInterval(tokenCheck);
      await Promise.all(loops);
      await Promise.all([...records.values()].map((record) => stopContainers(record)));
    },
  };
}

import { join } from "node:path";
import type { V1Container } from "@kubernetes/client-node";
import type { ApiClient } from "../api-client.ts";
import type { PodNetwork, Route } from "../pod-network.ts";
import type { TrafficSupport } from "../traffic-support.ts";
import { NOT_STARTED } from "./container-report.ts";
import { istiodContainer, type Lookup, type NodeFacts } from "./container-spec.ts";
import { type PullReport, pullBackedOff, pullFailed, refusedPulls } from "./image-pulls.ts";
import type { ImageRegistry } from "./image-registry.ts";
import { type Istiod, startIstiod } from "./istiod.ts";
import { loopbackPorts } from "./listeners.ts";
import type { OwnPorts } from "./own-ports.ts";
import { writeEvent } from "./pod-events.ts";
import { type PodRecord, pathOf, unlessGone } from "./pod-record.ts";
import { podStatus } from "./pod-status.ts";
import { proxyContainer, startProxy } from "./proxy.ts";
import { createTokenSource } from "./token-source.ts";

/** What the kubelet of a node works with. */
export interface Kubelet {
  readonly api: ApiClient;
  readonly clusterId: string;
  readonly node: NodeFacts;
  readonly network: PodNetwork;
  readonly registry: ImageRegistry;
  /** Of kube-apiserver, for istiod. */
  readonly server: string;
  readonly pilotDiscovery: string;
  /** Where sidecars are to run. */
  readonly traffic?: TrafficSupport;
  /** A directory per pod is made in it. */
  readonly dir: string;
  readonly logDir: string;
  /** What a namespace's ConfigMaps and Secrets hold. */
  readonly lookupIn: (namespace: string) => Lookup;
  /** `127.0.0.1:PORT` of the istiod that runs now; undefined where none does. */
  readonly istiodAddress: () => string | undefined;
  readonly ownPorts: OwnPorts;
  /** Called when something of a pod has changed that its status is to say. */
  readonly again: (record: PodRecord) => void;
}

/** Of Envoy, on its pod's loopback. */
const ENVOY_ADMIN_PORT = 15_000;
/** The kubelet waits from 10 s to 5 min. Here it is a tenth of that or less: tests need not wait. */
const PULL_BACKOFF_MS = 1000;
const PULL_BACKOFF_MAX_MS = 10_000;

/** Starts a pod's containers once their images are there, and says in its status how they are. */
export async function runPod(kubelet: Kubelet, record: PodRecord): Promise<void> {
  if (!record.started) {
    if (!(await pullImages(kubelet, record))) return;
    record.started = true;
    await startContainers(kubelet, record);
  }
  await writeStatus(kubelet, record);
}

/** Ends a pod that is being deleted: its containers, and then the object. */
export async function endPod(kubelet: Kubelet, record: PodRecord): Promise<void> {
  await record.proxy?.drain();
  await stopContainers(kubelet, record);
  const { latest: pod } = record;
  const preconditions = { uid: pod.metadata?.uid };
  await unlessGone(kubelet.api.delete(pathOf(pod), { gracePeriodSeconds: 0, preconditions }));
}

export async function stopContainers({ network }: Kubelet, record: PodRecord): Promise<void> {
  const { istiod, proxy } = record;
  record.istiod = undefined;
  record.proxy = undefined;
  for (const address of istiod === undefined ? [] : routesOf(record, istiod).keys()) {
    network.deleteRoute(address);
  }
  for (const address of record.loopback.keys()) network.deleteRoute(address);
  record.loopback = new Map();
  await Promise.all([istiod?.stop(), proxy?.stop()]);
}

async function writeStatus({ api, node }: Kubelet, record: PodRecord): Promise<void> {
  const { latest: pod, ip: podIp, startedAt, reports } = record;
  const status = podStatus({ pod, podIp, node, startedAt, reports });
  await unlessGone(api.mergePatch(`${pathOf(pod)}/status`, { status }));
}

/** Answers whether all are there; if not, asks again after a while. */
async function pullImages(kubelet: Kubelet, record: PodRecord): Promise<boolean> {
  const refused = refusedPulls(record.latest, kubelet.registry);
  if (refused.length === 0) {
    record.reports.clear();
    return true;
  }
  await tell(kubelet, record, pullFailed(refused));
  await tell(kubelet, record, pullBackedOff(refused));
  const wait = Math.min(PULL_BACKOFF_MS * 2 ** record.pullsFailed, PULL_BACKOFF_MAX_MS);
  record.pullsFailed += 1;
  setTimeout(() => kubelet.again(record), wait).unref();
  return false;
}

async function tell(kubelet: Kubelet, record: PodRecord, { reports, events }: PullReport): Promise<void> {
  const { api, node } = kubelet;
  for (const [container, report] of reports) record.reports.set(container, report);
  for (const event of events) await unlessGone(writeEvent(api, record.latest, node.name, event));
  await writeStatus(kubelet, record);
}

/**
 * istiod's container is one, and where traffic is to flow those of Istio's proxies are; the others are only
 * said to run.
 */
async function startContainers(kubelet: Kubelet, record: PodRecord): Promise<void> {
  const container = istiodContainer(record.latest);
  if (container !== undefined) await runIstiod(kubelet, record, container);
  const proxy = proxyContainer(record.latest);
  if (proxy !== undefined && kubelet.traffic !== undefined)
    await runProxy(kubelet, kubelet.traffic, record, proxy);
}

async function runProxy(
  kubelet: Kubelet,
  { binaries, network }: TrafficSupport,
  record: PodRecord,
  container: V1Container,
): Promise<void> {
  const { latest: pod, ip: podIp, reports } = record;
  const { api, node, logDir, istiodAddress } = kubelet;
  const { namespace = "", uid = "" } = pod.metadata ?? {};
  reports.set(container.name, NOT_STARTED);
  const listeners = await kubelet.ownPorts.moveListeners(pod);
  record.proxy = await startProxy({
    pod,
    container,
    podIp,
    node,
    binaries,
    logDir,
    root: join(kubelet.dir, uid),
    source: network()?.addPod(kubelet.clusterId)?.loopback,
    hold: async (work) => await (network()?.hold(kubelet.clusterId, work) ?? work()),
    istiod: istiodAddress,
    lookup: kubelet.lookupIn(namespace),
    token: createTokenSource(api, pod),
    onReport: (report) => {
      reports.set(container.name, report);
      kubelet.again(record);
    },
  });
  for (const [port, local] of [...listeners, [ENVOY_ADMIN_PORT, record.proxy.ports.admin] as const]) {
    record.loopback.set(`${uid}:${port}`, local);
    kubelet.network.setRoute(`${uid}:${port}`, { port: local, fromHost: false });
  }
}

async function runIstiod(kubelet: Kubelet, record: PodRecord, container: V1Container): Promise<void> {
  const { latest: pod, ip: podIp, reports } = record;
  const { api, node, network, server, pilotDiscovery, logDir } = kubelet;
  const { namespace = "", uid = "" } = pod.metadata ?? {};
  reports.set(container.name, NOT_STARTED);
  record.istiod = await startIstiod({
    pod,
    container,
    podIp,
    node,
    server,
    pilotDiscovery,
    logDir,
    root: join(kubelet.dir, uid),
    vanillaEnvoys: kubelet.traffic !== undefined,
    lookup: kubelet.lookupIn(namespace),
    token: createTokenSource(api, pod),
    onReport: (report) => {
      reports.set(container.name, report);
      kubelet.again(record);
    },
  });
  for (const [address, route] of routesOf(record, record.istiod)) network.setRoute(address, route);
}

/** The pod's own address, and its loopback, which a port-forward connects to: `UID:PORT`. */
function routesOf({ ip, latest }: PodRecord, { listeners }: Istiod): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  for (const [port, local] of listeners.ports) routes.set(`${ip}:${port}`, { port: local, fromHost: true });
  for (const [port, local] of loopbackPorts(listeners)) {
    routes.set(`${latest.metadata?.uid}:${port}`, { port: local, fromHost: false });
  }
  return routes;
}

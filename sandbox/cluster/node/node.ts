import { cpus, totalmem } from "node:os";
import type { V1Pod } from "@kubernetes/client-node";
import { asksForHostAddress } from "../traffic-support.ts";
import type { NodeFacts } from "./container-spec.ts";
import type { Istiod } from "./istiod.ts";
import { endPod, type Kubelet, runPod, stopContainers } from "./kubelet.ts";
import { registerNode } from "./node-object.ts";
import { followData } from "./object-data.ts";
import { createOwnPorts } from "./own-ports.ts";
import { newRecord, type PodRecord } from "./pod-record.ts";
import { isRouter, proxyContainer } from "./proxy.ts";
import { bindPod } from "./scheduler.ts";
import { createWorkQueue } from "./work-queue.ts";

/** Scheduler and kubelet in one: binds every pending pod to its one node, and runs istiod as a process. */
export interface NodeStandIn {
  istiods(): readonly IstiodOfPod[];
  /** undefined for a pod that the kubelet does not have. */
  recordOf(namespace: string, pod: string): PodRecord | undefined;
  stop(): Promise<void>;
}

export interface IstiodOfPod {
  readonly namespace: string;
  readonly pod: string;
  readonly istiod: Istiod;
}

export interface NodeOptions
  extends Omit<Kubelet, "node" | "lookupIn" | "again" | "istiodAddress" | "ownPorts"> {
  /** The first two bytes of every pod's address, such as `10.100`. */
  readonly podPrefix: string;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly location?: string;
  readonly kubeletPort: number;
}

const TOKEN_CHECK_MS = 60_000;
/** Of istiod, for proxies. */
const XDS_PORT = 15_012;
const ADDRESSES_MAX = 65_000;

export async function startNode(options: NodeOptions): Promise<NodeStandIn> {
  const { api, podPrefix, kubeletPort, traffic } = options;
  const ended = new AbortController();
  const records = new Map<string, PodRecord>();
  const node: NodeFacts = {
    name: options.nodeName,
    ip: options.nodeIp,
    ...(options.location !== undefined && { location: options.location }),
    cpus: cpus().length,
    memoryBytes: totalmem(),
  };
  await registerNode(api, node, { podCidr: `${podPrefix}.0.0/16`, kubeletPort });

  const refresh = (namespace?: string): void => refreshFiles(records.values(), namespace);
  const lookupIn = followData(api, refresh, ended.signal);
  const tokenCheck = setInterval(refresh, TOKEN_CHECK_MS);
  tokenCheck.unref();

  const kubelet: Kubelet = {
    ...options,
    node,
    lookupIn,
    again: (record) => queue.add(record),
    istiodAddress: () => xdsOf(records.values()),
    ownPorts: createOwnPorts(api, ended.signal),
  };
  const queue = createWorkQueue<PodRecord>((record) => nextStep(kubelet, record), ended.signal);
  const nextAddress = createAddresses(podPrefix);
  const addressOf = (pod: V1Pod): string =>
    (isOnHost(pod) ? traffic?.hostAddress : undefined) ?? nextAddress();
  api.follow<V1Pod>(
    "/api/v1/pods",
    (uid, pod) => {
      const changed = notePod(records, uid, pod, addressOf);
      if (changed !== undefined) queue.add(changed);
    },
    ended.signal,
  );
  return {
    istiods: () => [...records.values()].flatMap(istiodOf),
    recordOf: (namespace, pod) =>
      [...records.values()].find(({ latest: { metadata } }) => {
        return metadata?.namespace === namespace && metadata.name === pod;
      }),
    async stop() {
      ended.abort();
      clearInterval(tokenCheck);
      await queue.drained();
      await Promise.all([...records.values()].map((record) => stopContainers(kubelet, record)));
    },
  };
}

/**
 * Whether Envoys of other clusters reach it at its own address. They reach a router through its load balancer
 * alone, and two routers with one address are not told apart: istiod takes a proxy whose Service is gone, or
 * not there yet, for an endpoint of every Service that has one at its address. It would then listen on the
 * port of the other gateway, and take requests of that.
 */
export function isOnHost(pod: V1Pod): boolean {
  const proxy = proxyContainer(pod);
  return asksForHostAddress(pod) || (proxy !== undefined && !isRouter(proxy));
}

/** `127.0.0.1:PORT` of the istiod that runs now; undefined where none does. */
function xdsOf(records: Iterable<PodRecord>): string | undefined {
  const running = [...records].find(({ istiod }) => istiod?.pid !== undefined)?.istiod;
  return running && `127.0.0.1:${running.listeners.ports.get(XDS_PORT)}`;
}

/** From what a pod is to what it is to be. */
async function nextStep(kubelet: Kubelet, record: PodRecord): Promise<void> {
  const { latest: pod, gone } = record;
  if (gone) await stopContainers(kubelet, record);
  else if (pod.metadata?.deletionTimestamp !== undefined) await endPod(kubelet, record);
  else if (pod.spec?.nodeName === undefined) await bindPod(kubelet.api, pod, kubelet.node.name);
  else await runPod(kubelet, record);
}

/**
 * Notes what the API says of a pod, undefined once it is gone; answers its record if that asks for something.
 */
function notePod(
  records: Map<string, PodRecord>,
  uid: string,
  pod: V1Pod | undefined,
  addressOf: (pod: V1Pod) => string,
): PodRecord | undefined {
  const known = records.get(uid);
  if (pod === undefined) {
    records.delete(uid);
    if (known !== undefined) known.gone = true;
    return known;
  }
  const before = known?.latest;
  const record = known ?? newRecord(pod, addressOf(pod));
  record.latest = pod;
  records.set(uid, record);
  return concernsUs(before, pod) ? record : undefined;
}

/** Our own writes of the status come back as changes too, and ask for nothing. */
function concernsUs(before: V1Pod | undefined, now: V1Pod): boolean {
  return (
    before === undefined ||
    before.spec?.nodeName !== now.spec?.nodeName ||
    before.metadata?.deletionTimestamp !== now.metadata?.deletionTimestamp
  );
}

/** Of the pods of one namespace, or of all. */
function refreshFiles(records: Iterable<PodRecord>, namespace: string | undefined): void {
  for (const { latest, istiod, proxy } of records) {
    if (namespace !== undefined && latest.metadata?.namespace !== namespace) continue;
    istiod?.refresh();
    proxy?.refresh();
  }
}

function istiodOf({ latest: { metadata }, istiod }: PodRecord): IstiodOfPod[] {
  const { namespace = "", name: pod = "" } = metadata ?? {};
  return istiod === undefined ? [] : [{ namespace, pod, istiod }];
}

function createAddresses(prefix: string): () => string {
  let last = 0;
  return () => {
    last += 1;
    if (last >= ADDRESSES_MAX) {
      throw new Error("the cluster ran out of pod addresses; start the sandbox again");
    }
    return `${prefix}.${last >> 8}.${last & 255}`;
  };
}

import type { V1Service, V1ServicePort } from "@kubernetes/client-node";
import { freePort } from "../os/free-port.ts";
import type { ApiClient } from "./api-client.ts";
import { unlessGone } from "./node/pod-record.ts";
import type { ProxyNetwork } from "./proxies.ts";

/** GKE's controller of the network load balancers in front of Services. */
export interface LoadBalancers {
  /** While it withholds addresses, no Service has one. */
  withhold(isWithheld: boolean): void;
  /** Where the east-west gateway is reached; undefined while there is none, or it has no address. */
  gateway(): GatewayAddress | undefined;
  stop(): Promise<void>;
}

export interface GatewayAddress {
  readonly address: string;
  readonly port: number;
}

export interface LoadBalancersOptions {
  readonly api: ApiClient;
  readonly clusterId: string;
  /** The first three bytes of every address, such as `127.65.1`. */
  readonly prefix: string;
  /** What listens at the addresses; undefined where nothing does. */
  readonly network: () => ProxyNetwork | undefined;
}

/** GKE takes half a minute or more; here a test need not wait as long. */
const PROVISIONING_MS = 500;
/**
 * Keeps a Service until its load balancer is gone;
 * https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer-nodeport-allocation
 */
const FINALIZER = "service.kubernetes.io/load-balancer-cleanup";
const ADDRESSES_MAX = 255;
/** https://cloud.google.com/kubernetes-engine/docs/concepts/service-load-balancer-parameters */
const TYPE = "networking.gke.io/load-balancer-type";
/** Of an east-west gateway. */
const GATEWAY_PORT = 15_443;

interface Balanced {
  readonly address: string;
  /** What ends its listener. */
  close?: () => Promise<void>;
}

/**
 * Gives each Service of type LoadBalancer an address of its own in `status.loadBalancer`, for as long as it
 * is there. Where pods' proxies run, it listens there. The proxies of all clusters share this machine, so
 * each gets a port of its own as the Service's `targetPort`, which istiod leaves unset and heeds.
 */
export function startLoadBalancers(options: LoadBalancersOptions): LoadBalancers {
  const { api, clusterId, prefix, network } = options;
  const ended = new AbortController();
  const services = new Map<string, V1Service>();
  const balanced = new Map<string, Balanced>();
  let working = Promise.resolve();
  let isWithheld = false;

  const balancedOf = (uid: string): Balanced => {
    const known = balanced.get(uid);
    if (known !== undefined) return known;
    const given = balanced.size + 1;
    if (given >= ADDRESSES_MAX) throw new Error("the cluster ran out of addresses for load balancers");
    const made = { address: `${prefix}.${given}` };
    balanced.set(uid, made);
    return made;
  };

  const close = async (uid: string): Promise<void> => {
    const found = balanced.get(uid);
    const { close: end } = found ?? {};
    if (found !== undefined) delete found.close;
    await end?.();
  };

  const listen = async (uid: string, service: V1Service): Promise<void> => {
    const target = portOf(service)?.targetPort;
    const balancer = balancedOf(uid);
    if (typeof target !== "number" || target === GATEWAY_PORT || balancer.close !== undefined) return;
    const end = await network()?.balance({
      clusterId,
      address: balancer.address,
      port: GATEWAY_PORT,
      isInternal: service.metadata?.annotations?.[TYPE] === "Internal",
      sourceRanges: service.spec?.loadBalancerSourceRanges ?? [],
      target,
    });
    if (end !== undefined) balancer.close = end;
  };

  const settle = async (uid: string): Promise<void> => {
    const service = services.get(uid);
    if (service === undefined || service.spec?.type !== "LoadBalancer") return await close(uid);
    const path = pathOf(service);
    const finalizers = service.metadata?.finalizers ?? [];
    if (service.metadata?.deletionTimestamp !== undefined) {
      await close(uid);
      const others = finalizers.filter((each) => each !== FINALIZER);
      if (others.length < finalizers.length)
        await unlessGone(api.mergePatch(path, { metadata: { finalizers: others } }));
      return;
    }
    if (!finalizers.includes(FINALIZER))
      await unlessGone(api.mergePatch(path, { metadata: { finalizers: [...finalizers, FINALIZER] } }));
    if (network() !== undefined && portOf(service)?.targetPort === GATEWAY_PORT)
      await unlessGone(api.mergePatch(path, { spec: { ports: await withOwnPort(service) } }));
    if (isWithheld) await close(uid);
    else await listen(uid, service);
    const wanted = isWithheld ? [] : [{ ip: balancedOf(uid).address }];
    const present = (service.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ({ ip }));
    if (JSON.stringify(present) === JSON.stringify(wanted)) return;
    await unlessGone(api.mergePatch(`${path}/status`, { status: { loadBalancer: { ingress: wanted } } }));
  };

  const later = (uid: string, ms: number): void => {
    const run = () => {
      if (ended.signal.aborted) return;
      // A lost connection ends with the cluster, or the next change comes here again.
      working = working.then(() => settle(uid)).catch(() => later(uid, PROVISIONING_MS));
    };
    setTimeout(run, ms).unref();
  };

  api.follow<V1Service>(
    "/api/v1/services",
    (uid, service) => {
      if (service === undefined) services.delete(uid);
      else services.set(uid, service);
      const isEnding = service?.metadata?.deletionTimestamp !== undefined;
      if (service === undefined || service.spec?.type === "LoadBalancer")
        later(uid, isEnding ? 0 : PROVISIONING_MS);
    },
    ended.signal,
  );
  return {
    withhold(now) {
      isWithheld = now;
      for (const uid of services.keys()) later(uid, 0);
    },
    gateway() {
      const service = [...services.values()].find((each) => portOf(each) !== undefined);
      const address = service?.status?.loadBalancer?.ingress?.[0]?.ip;
      return address === undefined ? undefined : { address, port: GATEWAY_PORT };
    },
    async stop() {
      ended.abort();
      await working;
      await Promise.all([...balanced.keys()].map(close));
    },
  };
}

function portOf({ spec }: V1Service): V1ServicePort | undefined {
  return spec?.ports?.find(({ port }) => port === GATEWAY_PORT);
}

async function withOwnPort({ spec }: V1Service): Promise<object[]> {
  const targetPort = await freePort();
  return (spec?.ports ?? []).map((each) =>
    each.port === GATEWAY_PORT ? Object.assign({}, each, { targetPort }) : each,
  );
}

function pathOf({ metadata }: V1Service): string {
  return `/api/v1/namespaces/${metadata?.namespace}/services/${metadata?.name}`;
}

import type { V1Service, V1ServicePort } from "@kubernetes/client-node";
import { INGRESS, INGRESS_NAMESPACE } from "../../shared/core/names.ts";
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
  /** Where users reach the ingress; undefined while there is none, or it has no address. */
  ingress(): IngressAddress | undefined;
  stop(): Promise<void>;
}

export interface GatewayAddress {
  readonly address: string;
  readonly port: number;
}

export interface IngressAddress {
  readonly address: string;
  /** In place of 80. */
  readonly http: number;
  /** In place of 443; null where the Service does not listen there. */
  readonly https: number | null;
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
const HTTP_PORT = 80;
const HTTPS_PORT = 443;
/** For health checks; every Service that istiod makes has it. */
const STATUS_PORT = 15_021;
/** On the Service of a Gateway. */
const GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name";
/** Below it only root may listen on Linux. */
const PRIVILEGED_END = 1024;
const INSTEAD_OF_PRIVILEGED = 8000;

interface Balanced {
  readonly address: string;
  /** What ends its listeners, by the port of the Service. */
  readonly closes: Map<number, () => Promise<void>>;
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
    const made: Balanced = { address: `${prefix}.${given}`, closes: new Map() };
    balanced.set(uid, made);
    return made;
  };

  const close = async (uid: string, isKept: (port: number) => boolean = () => false): Promise<void> => {
    const { closes = new Map<number, () => Promise<void>>() } = balanced.get(uid) ?? {};
    const ending = [...closes].filter(([port]) => !isKept(port));
    for (const [port] of ending) closes.delete(port);
    await Promise.all(ending.map(([, end]) => end()));
  };

  const listen = async (uid: string, service: V1Service): Promise<void> => {
    const { address, closes } = balancedOf(uid);
    const ports = balancedPorts(service);
    await close(uid, (port) => ports.some((each) => each.port === port));
    for (const { port, targetPort: target } of ports) {
      if (typeof target !== "number" || target === port || closes.has(port)) continue;
      const end = await network()?.balance({
        clusterId,
        address,
        port: portHere(port),
        isInternal: service.metadata?.annotations?.[TYPE] === "Internal",
        sourceRanges: service.spec?.loadBalancerSourceRanges ?? [],
        target,
      });
      if (end !== undefined) closes.set(port, end);
    }
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
    if (network() !== undefined && balancedPorts(service).some(({ port, targetPort }) => port === targetPort))
      await unlessGone(api.mergePatch(path, { spec: { ports: await withOwnPorts(service) } }));
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
      const service = [...services.values()].find((each) => listensOn(each, GATEWAY_PORT));
      const address = addressOf(service);
      return address === undefined ? undefined : { address, port: GATEWAY_PORT };
    },
    ingress() {
      const service = [...services.values()].find(
        ({ metadata }) =>
          metadata?.namespace === INGRESS_NAMESPACE && metadata.labels?.[GATEWAY_NAME_LABEL] === INGRESS,
      );
      const address = addressOf(service);
      if (service === undefined || address === undefined) return undefined;
      const https = listensOn(service, HTTPS_PORT) ? portHere(HTTPS_PORT) : null;
      return { address, http: portHere(HTTP_PORT), https };
    },
    async stop() {
      ended.abort();
      await working;
      await Promise.all([...balanced.keys()].map((uid) => close(uid)));
    },
  };
}

function balancedPorts({ spec }: V1Service): V1ServicePort[] {
  return (spec?.ports ?? []).filter(({ port }) => port !== STATUS_PORT);
}

function listensOn({ spec }: V1Service, wanted: number): boolean {
  return spec?.ports?.some(({ port }) => port === wanted) ?? false;
}

function addressOf(service: V1Service | undefined): string | undefined {
  return service?.status?.loadBalancer?.ingress?.[0]?.ip;
}

/** Where it listens at a load balancer's address for a port of the Service. */
function portHere(port: number): number {
  return port < PRIVILEGED_END ? port + INSTEAD_OF_PRIVILEGED : port;
}

async function withOwnPorts({ spec }: V1Service): Promise<object[]> {
  return await Promise.all(
    (spec?.ports ?? []).map(async (each) =>
      each.port !== STATUS_PORT && each.targetPort === each.port
        ? Object.assign({}, each, { targetPort: await freePort() })
        : each,
    ),
  );
}

function pathOf({ metadata }: V1Service): string {
  return `/api/v1/namespaces/${metadata?.namespace}/services/${metadata?.name}`;
}

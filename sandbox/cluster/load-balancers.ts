import type { V1Service } from "@kubernetes/client-node";
import type { ApiClient } from "./api-client.ts";
import { unlessGone } from "./node/pod-record.ts";

/** GKE's controller of the network load balancers in front of Services. */
export interface LoadBalancers {
  /** While it withholds addresses, no Service has one. */
  withhold(isWithheld: boolean): void;
  stop(): void;
}

export interface LoadBalancersOptions {
  readonly api: ApiClient;
  /** The first three bytes of every address, such as `127.65.1`. */
  readonly prefix: string;
}

/** GKE takes half a minute or more; here a test need not wait as long. */
const PROVISIONING_MS = 500;
/**
 * Keeps a Service until its load balancer is gone;
 * https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer-nodeport-allocation
 */
const FINALIZER = "service.kubernetes.io/load-balancer-cleanup";
const ADDRESSES_MAX = 255;

/**
 * Gives each Service of type LoadBalancer an address of its own in `status.loadBalancer`, for as long as it
 * is there.
 */
export function startLoadBalancers({ api, prefix }: LoadBalancersOptions): LoadBalancers {
  const ended = new AbortController();
  const services = new Map<string, V1Service>();
  const addresses = new Map<string, string>();
  let isWithheld = false;
  let given = 0;

  const addressOf = (uid: string): string => {
    const known = addresses.get(uid);
    if (known !== undefined) return known;
    given += 1;
    if (given >= ADDRESSES_MAX) throw new Error("the cluster ran out of addresses for load balancers");
    const address = `${prefix}.${given}`;
    addresses.set(uid, address);
    return address;
  };

  const settle = async (uid: string): Promise<void> => {
    const service = services.get(uid);
    if (service === undefined || service.spec?.type !== "LoadBalancer") return;
    const path = pathOf(service);
    const finalizers = service.metadata?.finalizers ?? [];
    if (service.metadata?.deletionTimestamp !== undefined) {
      const others = finalizers.filter((each) => each !== FINALIZER);
      if (others.length < finalizers.length)
        await unlessGone(api.mergePatch(path, { metadata: { finalizers: others } }));
      return;
    }
    if (!finalizers.includes(FINALIZER))
      await unlessGone(api.mergePatch(path, { metadata: { finalizers: [...finalizers, FINALIZER] } }));
    const wanted = isWithheld ? [] : [{ ip: addressOf(uid) }];
    const present = (service.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ({ ip }));
    if (JSON.stringify(present) === JSON.stringify(wanted)) return;
    await unlessGone(api.mergePatch(`${path}/status`, { status: { loadBalancer: { ingress: wanted } } }));
  };

  const later = (uid: string, ms: number): void => {
    const run = () => {
      if (ended.signal.aborted) return;
      // A lost connection ends with the cluster, or the next change comes here again.
      settle(uid).catch(() => later(uid, PROVISIONING_MS));
    };
    setTimeout(run, ms).unref();
  };

  api.follow<V1Service>(
    "/api/v1/services",
    (uid, service) => {
      if (service === undefined) services.delete(uid);
      else services.set(uid, service);
      const isEnding = service?.metadata?.deletionTimestamp !== undefined;
      if (service?.spec?.type === "LoadBalancer") later(uid, isEnding ? 0 : PROVISIONING_MS);
    },
    ended.signal,
  );
  return {
    withhold(now) {
      isWithheld = now;
      for (const uid of services.keys()) later(uid, 0);
    },
    stop: () => ended.abort(),
  };
}

function pathOf({ metadata }: V1Service): string {
  return `/api/v1/namespaces/${metadata?.namespace}/services/${metadata?.name}`;
}

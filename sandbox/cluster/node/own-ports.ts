import type { V1Pod, V1Service } from "@kubernetes/client-node";
import { freePort } from "../../os/free-port.ts";
import { type ApiClient, ApiError } from "../api-client.ts";
import { unlessGone } from "./pod-record.ts";

/**
 * Ports of this machine for proxies whose traffic is not intercepted. What such a proxy listens on is named
 * by the `Sidecar` of its namespace, and the proxies of all clusters share this machine's addresses. So each
 * cluster has ports of its own there: an EnvoyFilter moves the listeners, and the Services follow.
 */
export interface OwnPorts {
  /**
   * Moves the listeners of the pod's proxy, before it starts. Answers, by the port that the pod's own
   * loopback would have, the port on 127.0.0.1.
   */
  moveListeners(pod: V1Pod): Promise<ReadonlyMap<number, number>>;
}

interface SidecarPort {
  readonly port?: { readonly number?: number };
}

interface Sidecar {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly workloadSelector?: { readonly labels?: Readonly<Record<string, string>> };
    readonly ingress?: readonly (SidecarPort & { readonly defaultEndpoint?: string })[];
    readonly egress?: readonly SidecarPort[];
  };
}

const NO_INTERCEPTION = ["sidecar.istio.io/interceptionMode", "NONE"] as const;
const FILTER = "sandbox-own-ports";

export function createOwnPorts(api: ApiClient, signal: AbortSignal): OwnPorts {
  /** Namespace → port → port on this machine. */
  const moved = new Map<string, Map<number, number>>();

  const settleService = async (service: V1Service): Promise<void> => {
    const { namespace = "", name = "" } = service.metadata ?? {};
    const ports = service.spec?.ports ?? [];
    const next = ports.map((each) => {
      const own =
        typeof each.targetPort === "number" ? moved.get(namespace)?.get(each.targetPort) : undefined;
      return own === undefined ? each : Object.assign({}, each, { targetPort: own });
    });
    if (next.every((each, index) => each === ports[index])) return;
    const path = `/api/v1/namespaces/${namespace}/services/${name}`;
    await unlessGone(api.mergePatch(path, { spec: { ports: next } }));
  };

  const services = new Map<string, V1Service>();
  let isFollowing = false;
  const followServices = (): void => {
    if (isFollowing) return;
    isFollowing = true;
    api.follow<V1Service>(
      "/api/v1/services",
      (uid, service) => {
        if (service === undefined) services.delete(uid);
        else {
          services.set(uid, service);
          // A lost connection ends with the cluster, or the next change comes here again.
          void settleService(service).catch(() => undefined);
        }
      },
      signal,
    );
  };

  return {
    async moveListeners({ metadata }) {
      const [annotation, value] = NO_INTERCEPTION;
      const { namespace = "", labels = {}, annotations = {} } = metadata ?? {};
      if (annotations[annotation] !== value) return new Map();
      const base = `/apis/networking.istio.io/v1/namespaces/${namespace}/sidecars`;
      const { items } = await api.get<{ items: readonly Sidecar[] }>(base);
      const sidecar = items.find(({ spec: { workloadSelector } }) =>
        Object.entries(workloadSelector?.labels ?? {}).every(([key, word]) => labels[key] === word),
      );
      if (sidecar === undefined) return new Map();
      const known = moved.get(namespace) ?? new Map<number, number>();
      moved.set(namespace, known);
      for (const port of portsOf(sidecar)) known.set(port, known.get(port) ?? (await freePort()));
      await writeFilter(api, namespace, sidecar, known);
      followServices();
      await Promise.all([...services.values()].map(settleService));
      return known;
    },
  };
}

function portsOf({ spec: { ingress = [], egress = [] } }: Sidecar): number[] {
  return [...ingress, ...egress].flatMap(({ port }) => port?.number ?? []);
}

async function writeFilter(
  api: ApiClient,
  namespace: string,
  { spec }: Sidecar,
  own: ReadonlyMap<number, number>,
): Promise<void> {
  const { ingress = [], egress = [], workloadSelector } = spec;
  const configPatches = [
    ...egress.flatMap((each) => moveListener("SIDECAR_OUTBOUND", each, own)),
    ...ingress.flatMap((each) => moveListener("SIDECAR_INBOUND", each, own)),
    ...ingress.flatMap((each) => [...moveFilterChains(each, own), ...moveEndpoint(each, own)]),
    INSPECT_ALL,
  ];
  const filters = `/apis/networking.istio.io/v1alpha3/namespaces/${namespace}/envoyfilters`;
  const body = {
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "EnvoyFilter",
    metadata: { name: FILTER, namespace },
    spec: { workloadSelector, configPatches },
  };
  try {
    await api.create(filters, body);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 409)) throw error;
    await api.mergePatch(`${filters}/${FILTER}`, { spec: body.spec });
  }
}

function moveListener(
  context: "SIDECAR_INBOUND" | "SIDECAR_OUTBOUND",
  { port }: SidecarPort,
  own: ReadonlyMap<number, number>,
): object[] {
  const portNumber = port?.number;
  const port_value = own.get(portNumber ?? 0);
  if (port_value === undefined) return [];
  return [
    {
      applyTo: "LISTENER",
      match: { context, listener: { portNumber } },
      patch: { operation: "MERGE", value: { address: { socket_address: { port_value } } } },
    },
  ];
}

/** istiod's inspector of TLS looks at connections to the ports that it knows. */
const TLS_INSPECTOR = "envoy.filters.listener.tls_inspector";
const INSPECT_ALL = {
  applyTo: "LISTENER_FILTER",
  match: { context: "SIDECAR_INBOUND", listener: { listenerFilter: TLS_INSPECTOR } },
  patch: {
    operation: "REPLACE",
    value: {
      name: TLS_INSPECTOR,
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
      },
    },
  },
};

/** They match the port that a connection was made to. */
function moveFilterChains({ port }: SidecarPort, own: ReadonlyMap<number, number>): object[] {
  const destinationPort = port?.number;
  const destination_port = own.get(destinationPort ?? 0);
  if (destination_port === undefined) return [];
  return [
    {
      applyTo: "FILTER_CHAIN",
      match: { context: "SIDECAR_INBOUND", listener: { filterChain: { destinationPort } } },
      patch: { operation: "MERGE", value: { filter_chain_match: { destination_port } } },
    },
  ];
}

/** A merge would add the moved endpoint to the one that is there, so the cluster is made anew. */
function moveEndpoint(
  { port, defaultEndpoint = "" }: SidecarPort & { readonly defaultEndpoint?: string },
  own: ReadonlyMap<number, number>,
): object[] {
  const [address, target] = defaultEndpoint.split(":");
  const port_value = own.get(Number(target));
  if (port_value === undefined) return [];
  const name = `inbound|${port?.number}||`;
  const endpoint = { address: { socket_address: { address, port_value } } };
  const value = {
    name,
    type: "STATIC",
    connect_timeout: "10s",
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
  };
  const context = "SIDECAR_INBOUND";
  return [
    { applyTo: "CLUSTER", match: { context, cluster: { name } }, patch: { operation: "REMOVE" } },
    { applyTo: "CLUSTER", match: { context }, patch: { operation: "ADD", value } },
  ];
}

import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";

/** The parts of core/v1 Service that decide at which address a sidecar listens. */
interface ServiceObject extends KubernetesObject {
  readonly spec?: {
    readonly clusterIP?: string;
    readonly ports?: readonly {
      readonly name?: string;
      readonly port: number;
      readonly protocol?: string;
      readonly appProtocol?: string;
    }[];
  };
}

/** The Services of one cluster. */
export interface ServicesOf {
  readonly clusterId: string;
  readonly services: readonly KubernetesObject[];
}

/** A Service of another cluster that has the address of a Service here, and wins in the proxies here. */
export interface Collision {
  /** `10.1.2.3:5432`. */
  readonly address: string;
  readonly clusterId: string;
  /** `namespace/name`. */
  readonly service: string;
  readonly otherClusterId: string;
  readonly otherService: string;
}

interface Listening {
  readonly name: string;
  readonly created: string;
}

/** Listeners by address; `names` has all Services, also those without a listener. */
interface Listeners {
  readonly clusterId: string;
  readonly names: ReadonlySet<string>;
  readonly byAddress: ReadonlyMap<string, Listening>;
}

/**
 * A proxy has a listener at the address and port of every Service whose protocol may not be HTTP. For a
 * Service that its cluster lacks, that is the address in another cluster. Of two Services at one address the
 * older gets the listener and with it the other's connections. Istio `pilot/pkg/model/service.go`
 * (GetAddressForProxy), `pilot/pkg/model/push_context.go` (SortServicesByCreationTime),
 * `pilot/pkg/networking/core/listener.go` (buildSidecarOutboundListener).
 */
export function collisions(clusters: readonly ServicesOf[]): Collision[] {
  const all = clusters.map(listenersOf);
  return all.flatMap((here) =>
    all.filter((there) => there !== here).flatMap((there) => collisionsIn(here, there)),
  );
}

function collisionsIn(here: Listeners, there: Listeners): Collision[] {
  return [...there.byAddress].flatMap(([address, theirs]) => {
    const ours = here.byAddress.get(address);
    if (ours === undefined || here.names.has(theirs.name) || !comesFirst(theirs, ours)) return [];
    return [
      {
        address,
        clusterId: here.clusterId,
        service: ours.name,
        otherClusterId: there.clusterId,
        otherService: theirs.name,
      },
    ];
  });
}

/** Of two Services of the same second, istiod compares names, then namespaces. */
function comesFirst(one: Listening, other: Listening): boolean {
  const key = ({ created, name }: Listening) => [created, ...name.split("/").toReversed()].join("\n");
  return key(one) < key(other);
}

function listenersOf({ clusterId, services }: ServicesOf): Listeners {
  const listening = services.flatMap((service) => {
    const { metadata, spec = {} }: ServiceObject = service;
    const { clusterIP = "None" } = spec;
    const name = nameOf(service);
    const created = metadata.creationTimestamp ?? "";
    return clusterIP === "None"
      ? []
      : (spec.ports ?? [])
          .filter((port) => !isHttp(port) && port.protocol !== "UDP" && port.protocol !== "SCTP")
          .map(({ port }) => [`${clusterIP}:${port}`, { name, created }] as const);
  });
  return { clusterId, names: new Set(services.map(nameOf)), byAddress: new Map(listening) };
}

function nameOf({ metadata }: KubernetesObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

/** The names that Istio takes for HTTP; `pkg/config/kube/conversion.go`, `pkg/config/protocol/instance.go` */
const HTTP = ["grpc", "http", "http2", "http_proxy"];
const HTTP_APP_PROTOCOLS = ["kubernetes.io/h2c", "kubernetes.io/ws"];

function isHttp({ name = "", appProtocol }: { readonly name?: string; readonly appProtocol?: string }) {
  const stated = (appProtocol ?? name).toLowerCase();
  return HTTP_APP_PROTOCOLS.includes(stated) || HTTP.includes(stated.split("-")[0] ?? "");
}

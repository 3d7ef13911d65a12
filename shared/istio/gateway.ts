import { fnv1a } from "../core/hash.ts";
import { annotation, ISTIO_NAMESPACE, NETWORK_LABEL } from "../core/names.ts";
import { type Exposure, GATEWAY_PORT, type GatewayState } from "../core/network/gateway.ts";
import type { MeshSpec } from "../core/spec.ts";
import { isRecord } from "../is-record.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { ObjectQuery, ObjectRef } from "../ports/member-api.ts";
import {
  addressesOf,
  GATEWAY_KIND,
  GATEWAY_NAME_LABEL,
  GATEWAY_SETTINGS,
  type GatewayPlace,
  ownGateway,
  ownGatewayRefs,
  servingServices,
} from "./own-gateway.ts";
import { readYaml } from "./read-yaml.ts";

/** Every Gateway in Istio's namespace. */
export const GATEWAYS_LISTED: ObjectQuery = { ...GATEWAY_KIND, namespace: ISTIO_NAMESPACE };
/** Lets requests of other networks in by their server name. */
export const CROSS_NETWORK_LISTENER = {
  name: "cross-network",
  port: GATEWAY_PORT,
  protocol: "TLS",
  tls: { mode: "Passthrough", options: { "gateway.istio.io/listener-protocol": "auto-passthrough" } },
};
/** On a Service that listens for other networks on a port of its own. */
const GATEWAY_PORT_LABEL = "networking.istio.io/gatewayPort";
/** https://cloud.google.com/kubernetes-engine/docs/concepts/service-load-balancer-parameters */
const LOAD_BALANCER_TYPE = "networking.gke.io/load-balancer-type";
const GLOBAL_ACCESS = "networking.gke.io/internal-load-balancer-allow-global-access";

/** Every Service in Istio's namespace that istiods take for the gateway of a network. */
export const GATEWAY_SERVICES: ObjectQuery = {
  apiVersion: "v1",
  kind: "Service",
  namespace: ISTIO_NAMESPACE,
  labelSelector: NETWORK_LABEL,
};
/** Kubernetes gives them the labels of their Service. */
export const GATEWAY_ENDPOINTS: ObjectQuery = {
  ...GATEWAY_SERVICES,
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
};

/** On the Service of a hidden gateway. */
const SETTLING_SINCE = annotation("settling-since");

export interface GatewaySettings {
  readonly meshId: string;
  readonly network: string;
  readonly exposure: Exposure;
  /** Empty: every address. */
  readonly sourceRanges: readonly string[];
}

export function gatewaySettings(
  { meshId, gatewaySourceRanges }: Pick<MeshSpec, "meshId" | "gatewaySourceRanges">,
  { network, exposure }: Pick<GatewaySettings, "network" | "exposure">,
): GatewaySettings {
  return { meshId, network, exposure, sourceRanges: gatewaySourceRanges };
}

/** Of the objects below. A new version reaches gateways that are there already. */
const SETTINGS_VERSION = 1;

/** Stands on the Service, too, so that one list of Services tells whether a gateway is as it should be. */
export function settingsHash(settings: GatewaySettings): string {
  const { meshId, network, exposure, sourceRanges } = settings;
  return fnv1a(JSON.stringify([SETTINGS_VERSION, meshId, network, exposure, sourceRanges]));
}

/** How a gateway is hidden. */
export interface Hidden {
  /** When a run found it up, or hid it; undefined for one that has not come up yet. */
  readonly settlingSince: Date | undefined;
}

/**
 * A member's east-west gateway: a Gateway that lets requests of other networks in by their server name, with
 * TLS from end to end, and the parameters of what istiod makes of it. `hidden`: its Service names no
 * network, so that no istiod takes it for a gateway; nothing else differs, and no pod starts anew for it.
 */
export function gatewayObjects(
  settings: GatewaySettings,
  name: string,
  hidden: Hidden | undefined,
): readonly [KubernetesObject, KubernetesObject] {
  const network = { [NETWORK_LABEL]: settings.network };
  return ownGateway({
    meshId: settings.meshId,
    place: placeOf(name),
    labels: network,
    infrastructureLabels: network,
    settings: settingsHash(settings),
    listeners: [CROSS_NETWORK_LISTENER],
    service: serviceOf(settings, hidden),
  });
}

function placeOf(name: string): GatewayPlace {
  return { namespace: ISTIO_NAMESPACE, name };
}

/** The objects of the gateway of that name; what uses another goes first. */
export function gatewayRefs(name: string): readonly [ObjectRef, ObjectRef] {
  return ownGatewayRefs(placeOf(name));
}

export function gatewayRef(name: string): ObjectRef {
  return gatewayRefs(name)[0];
}

/** What istiod lays over the Service. */
function serviceOf({ exposure, sourceRanges }: GatewaySettings, hidden: Hidden | undefined): object {
  const annotations = {
    ...(exposure === "internal" ? { [LOAD_BALANCER_TYPE]: "Internal", [GLOBAL_ACCESS]: "true" } : {}),
    ...(hidden?.settlingSince === undefined ? {} : { [SETTLING_SINCE]: hidden.settlingSince.toISOString() }),
  };
  const metadata = {
    ...(hidden === undefined ? {} : { labels: { [NETWORK_LABEL]: "" } }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
  return {
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...(sourceRanges.length === 0 ? {} : { spec: { loadBalancerSourceRanges: sourceRanges } }),
  };
}

/** Whether these options of a gateway hide it; what istiod cannot read hides nothing. */
export function isHiddenBy(options: KubernetesObject): boolean {
  const data = options["data"];
  const text = isRecord(data) ? data["service"] : undefined;
  const service = typeof text === "string" ? readYaml(text) : undefined;
  const metadata = isRecord(service) ? service["metadata"] : undefined;
  const labels = isRecord(metadata) ? metadata["labels"] : undefined;
  return isRecord(labels) && labels[NETWORK_LABEL] === "";
}

/** The gateways that these Services and their EndpointSlices are, by the names of the Services. */
export function gatewayStates(
  services: readonly KubernetesObject[],
  slices: readonly KubernetesObject[],
): GatewayState[] {
  const serving = servingServices(slices);
  return services.filter(listensForNetworks).map((service) => {
    const { name, labels = {}, annotations = {} } = service.metadata;
    return {
      service: name,
      gateway: labels[GATEWAY_NAME_LABEL],
      network: labels[NETWORK_LABEL] ?? "",
      settings: annotations[GATEWAY_SETTINGS],
      exposure: annotations[LOAD_BALANCER_TYPE] === "Internal" ? "internal" : "external",
      addresses: addressesOf(service),
      isServing: serving.has(name),
      settlingSince: timeOf(annotations[SETTLING_SINCE]),
    };
  });
}

function timeOf(note = ""): Date | undefined {
  const time = Date.parse(note);
  return Number.isNaN(time) ? undefined : new Date(time);
}

/**
 * istiod passes over a Service with the label of a network that does not listen on the gateway's port; Istio
 * `pilot/pkg/serviceregistry/kube/controller/network.go`.
 */
function listensForNetworks(service: KubernetesObject): boolean {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 Service
  const { ports = [] } = (service["spec"] ?? {}) as { readonly ports?: readonly { readonly port: number }[] };
  const label = service.metadata.labels?.[GATEWAY_PORT_LABEL] ?? "";
  const wanted = /^[0-9]+$/.test(label) ? Number(label) : GATEWAY_PORT;
  return ports.some(({ port }) => port === wanted);
}

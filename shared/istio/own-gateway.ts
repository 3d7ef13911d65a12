import { annotation, gatewayOptionsName } from "../core/names.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { ObjectRef } from "../ports/member-api.ts";
import { ownershipLabels } from "./ownership.ts";

export const GATEWAY_KIND = { apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway" } as const;
/** On the Service of a Gateway; https://gateway-api.sigs.k8s.io/geps/gep-1762/ */
export const GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name";
/** Stands on the Service, too, so that one list of Services tells whether a gateway is as it should be. */
export const GATEWAY_SETTINGS = annotation("gateway-settings");
/** Of istiod's gateway controller, which makes Deployment, Service and account of each Gateway. */
const CLASS = "istio";
/** On an EndpointSlice: the name of its Service. */
const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

export interface GatewayPlace {
  readonly namespace: string;
  readonly name: string;
}

export interface OwnGateway {
  readonly meshId: string;
  readonly place: GatewayPlace;
  /** Of the Gateway itself, beside those of its owner. */
  readonly labels: Readonly<Record<string, string>>;
  /** Of all that istiod makes of it. */
  readonly infrastructureLabels: Readonly<Record<string, string>>;
  /** By which a look tells whether it is as it should be. */
  readonly settings: string;
  readonly listeners: readonly object[];
  /** What istiod lays over the Service. */
  readonly service: object;
}

/** A Gateway of Meshjoin's, after the parameters of what istiod makes of it. */
export function ownGateway(gateway: OwnGateway): readonly [KubernetesObject, KubernetesObject] {
  const { meshId, place, labels, infrastructureLabels, settings, listeners } = gateway;
  const [{ apiVersion, kind, namespace }, options] = ownGatewayRefs(place);
  const owned = { ...(namespace === undefined ? {} : { namespace }), labels: ownershipLabels(meshId) };
  return [
    {
      apiVersion: options.apiVersion,
      kind: options.kind,
      metadata: { ...owned, name: options.name },
      data: Object.fromEntries(
        Object.entries(optionsOf(gateway)).map(([key, value]) => [key, JSON.stringify(value)]),
      ),
    },
    {
      apiVersion,
      kind,
      metadata: { ...owned, name: place.name, labels: { ...owned.labels, ...labels } },
      spec: {
        gatewayClassName: CLASS,
        infrastructure: {
          labels: infrastructureLabels,
          annotations: { [GATEWAY_SETTINGS]: settings },
          parametersRef: { group: "", kind: options.kind, name: options.name },
        },
        listeners,
      },
    },
  ];
}

/** What uses another goes first. */
export function ownGatewayRefs({ namespace, name }: GatewayPlace): readonly [ObjectRef, ObjectRef] {
  return [
    { ...GATEWAY_KIND, namespace, name },
    { apiVersion: "v1", kind: "ConfigMap", namespace, name: gatewayOptionsName(name) },
  ];
}

/**
 * What istiod lays over its own Deployment and Service, and makes beside them; keys as in
 * https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/#automated-deployment. The number
 * of pods is the autoscaler's, which keeps two at least.
 */
function optionsOf({ place, service }: OwnGateway): Readonly<Record<string, object>> {
  return {
    deployment: {
      spec: {
        template: {
          spec: {
            topologySpreadConstraints: ["topology.kubernetes.io/zone", "kubernetes.io/hostname"].map(
              (topologyKey) => ({
                topologyKey,
                maxSkew: 1,
                whenUnsatisfiable: "ScheduleAnyway",
                labelSelector: { matchLabels: { [GATEWAY_NAME_LABEL]: place.name } },
              }),
            ),
          },
        },
      },
    },
    service,
    horizontalPodAutoscaler: { spec: { minReplicas: 2, maxReplicas: 5 } },
    podDisruptionBudget: { spec: { minAvailable: 1 } },
  };
}

/** Names of the Services behind which a pod is ready. */
export function servingServices(slices: readonly KubernetesObject[]): ReadonlySet<string | undefined> {
  return new Set(
    slices.filter(hasReadyEndpoint).map(({ metadata }) => metadata.labels?.[SERVICE_NAME_LABEL]),
  );
}

/** That the load balancer of the Service has. */
export function addressesOf(service: KubernetesObject): string[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 Service
  const status = service["status"] as
    | { readonly loadBalancer?: { readonly ingress?: readonly { ip?: string; hostname?: string }[] } }
    | undefined;
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
}

/** A condition that is not known counts as ready; https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#ready */
function hasReadyEndpoint(slice: KubernetesObject): boolean {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- discovery/v1 EndpointSlice
  const endpoints = (slice["endpoints"] ?? []) as readonly { conditions?: { ready?: boolean } }[];
  return endpoints.some(({ conditions }) => conditions?.ready !== false);
}

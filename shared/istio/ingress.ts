import { fnv1a } from "../core/hash.ts";
import { INGRESS, INGRESS_NAMESPACE } from "../core/names.ts";
import type { IngressState, IngressTls } from "../core/network/ingress.ts";
import type { MeshSpec } from "../core/spec.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { ObjectQuery, ObjectRef } from "../ports/member-api.ts";
import {
  addressesOf,
  GATEWAY_NAME_LABEL,
  GATEWAY_SETTINGS,
  ownGateway,
  ownGatewayRefs,
  servingServices,
} from "./own-gateway.ts";
import { ownershipLabels } from "./ownership.ts";

const RBAC = "rbac.authorization.k8s.io";
const ROLE_KIND = { apiVersion: `${RBAC}/v1`, kind: "Role" };
const ROLE_BINDING_KIND = { ...ROLE_KIND, kind: "RoleBinding" };
const PLACE = { namespace: INGRESS_NAMESPACE, name: INGRESS };
/** On the pods, for the selector of an Istio Gateway; as Istio's own ingress gateway has it. */
export const INGRESS_SELECTED = { istio: "ingressgateway" };
/** Of the Service and of the account that istiod makes: the Gateway's name and class. */
const MADE = `${INGRESS}-istio`;
const HTTPS = "https";

/** Service and EndpointSlices of the ingress, by the labels that istiod gives them. */
export const INGRESS_SERVICES: ObjectQuery = {
  apiVersion: "v1",
  kind: "Service",
  namespace: INGRESS_NAMESPACE,
  labelSelector: `${GATEWAY_NAME_LABEL}=${INGRESS}`,
};
export const INGRESS_ENDPOINTS: ObjectQuery = {
  ...INGRESS_SERVICES,
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
};

export const INGRESS_GATEWAY: ObjectRef = ownGatewayRefs(PLACE)[0];
/** What Meshjoin deletes of an ingress, the Gateway last: as long as that is there, a run finds the rest. */
export const INGRESS_REFS: readonly ObjectRef[] = [
  { ...ROLE_BINDING_KIND, ...PLACE },
  { ...ROLE_KIND, ...PLACE },
  ...ownGatewayRefs(PLACE).toReversed(),
];

type IngressSettings = Pick<MeshSpec, "meshId" | "ingressTlsSecret">;

/** Of the objects below. A new version reaches ingresses that are there already. */
const SETTINGS_VERSION = 1;

export function ingressSettings({ meshId, ingressTlsSecret = "" }: IngressSettings): string {
  return fnv1a(JSON.stringify([SETTINGS_VERSION, meshId, ingressTlsSecret]));
}

/** Whoever else has put something into the namespace keeps it. */
function ingressNamespace(meshId: string): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: INGRESS_NAMESPACE, labels: ownershipLabels(meshId) },
  };
}

/**
 * In the order in which they are written: the Gateway is the last one, and what istiod makes of it shows that
 * all are there. It takes requests from outside the mesh for routes of all namespaces. Its pods also serve
 * Istio Gateways of its own namespace that select them.
 */
export function ingressObjects(settings: IngressSettings): readonly KubernetesObject[] {
  const { meshId, ingressTlsSecret } = settings;
  const allowedRoutes = { namespaces: { from: "All" } };
  const gateway = ownGateway({
    meshId,
    place: PLACE,
    labels: {},
    infrastructureLabels: INGRESS_SELECTED,
    settings: ingressSettings(settings),
    listeners: [
      { name: "http", port: 80, protocol: "HTTP", allowedRoutes },
      ...(ingressTlsSecret === undefined
        ? []
        : [
            {
              name: HTTPS,
              port: 443,
              protocol: "HTTPS",
              tls: { mode: "Terminate", certificateRefs: [{ kind: "Secret", name: ingressTlsSecret }] },
              allowedRoutes,
            },
          ]),
    ],
    service: {},
  });
  return [ingressNamespace(meshId), ...ingressRights(settings), ...gateway];
}

/**
 * istiod gives a certificate that an Istio Gateway names to pods alone whose account may list the Secrets of
 * their namespace; Istio `pilot/pkg/credentials/kube/secrets.go`. Without 443 the account gets no right.
 */
function ingressRights({ meshId, ingressTlsSecret }: IngressSettings): KubernetesObject[] {
  const metadata = { ...PLACE, labels: ownershipLabels(meshId) };
  const listing = { apiGroups: [""], resources: ["secrets"], verbs: ["list"] };
  return [
    { ...ROLE_KIND, metadata, rules: ingressTlsSecret === undefined ? [] : [listing] },
    {
      ...ROLE_BINDING_KIND,
      metadata,
      roleRef: { apiGroup: RBAC, kind: ROLE_KIND.kind, name: INGRESS },
      subjects: [{ kind: "ServiceAccount", name: MADE, namespace: INGRESS_NAMESPACE }],
    },
  ];
}

/**
 * The ingress that these are; undefined without a Service. Of several with the label it is that of istiod's
 * making, by its name. `gateway` is undefined where it was not read.
 */
export function ingressState(
  services: readonly KubernetesObject[],
  slices: readonly KubernetesObject[],
  gateway: KubernetesObject | undefined,
): IngressState | undefined {
  const service = services.find(({ metadata }) => metadata.name === MADE) ?? services[0];
  if (service === undefined) return undefined;
  const { name, annotations = {} } = service.metadata;
  return {
    state: "present",
    service: name,
    settings: annotations[GATEWAY_SETTINGS],
    addresses: addressesOf(service),
    isServing: servingServices(slices).has(name),
    tls: hasHttps(service) ? tlsOf(gateway) : { state: "none" },
  };
}

function hasHttps(service: KubernetesObject): boolean {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 Service
  const { ports = [] } = (service["spec"] ?? {}) as { readonly ports?: readonly { readonly port: number }[] };
  return ports.some(({ port }) => port === 443);
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message: string;
  readonly observedGeneration?: number;
}

/**
 * The Secret, without its data. The API server holds one of this type to have a certificate and a key; of
 * another type istiod may take it, or not.
 */
export function tlsSecretQuery(name: string): ObjectQuery {
  return {
    apiVersion: "v1",
    kind: "Secret",
    namespace: INGRESS_NAMESPACE,
    fieldSelector: `metadata.name=${name},type=kubernetes.io/tls`,
    metadataOnly: true,
  };
}

function secretOf(gateway: KubernetesObject | undefined): string | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- gateway.networking.k8s.io/v1 Gateway
  const { listeners = [] } = (gateway?.["spec"] ?? {}) as {
    readonly listeners?: readonly {
      readonly name: string;
      readonly tls?: { readonly certificateRefs?: readonly { readonly name: string }[] };
    }[];
  };
  return listeners.find(({ name }) => name === HTTPS)?.tls?.certificateRefs?.[0]?.name;
}

/** By what istiod says of the listener's references, for the present Gateway and no earlier one. */
function tlsOf(gateway: KubernetesObject | undefined): IngressTls {
  const secret = secretOf(gateway);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- gateway.networking.k8s.io/v1 Gateway
  const { listeners = [] } = (gateway?.["status"] ?? {}) as {
    readonly listeners?: readonly { readonly name: string; readonly conditions: readonly Condition[] }[];
  };
  const said = listeners
    .find(({ name }) => name === HTTPS)
    ?.conditions.find(({ type }) => type === "ResolvedRefs");
  if (said === undefined || (said.observedGeneration ?? 0) < (gateway?.metadata.generation ?? 0))
    return { state: "unknown", secret };
  return said.status === "True" ? { state: "served", secret } : { state: "refused", because: said.message };
}

import { fnv1a } from "../../../../shared/core/hash.ts";
import type { KubernetesObject } from "../../../../shared/ports/kubernetes-object.ts";
import type { ObjectStore } from "./object-store.ts";

/** How gateways of this cluster behave; call `settle` after a change. */
export interface GatewayBehaviour {
  /** GKE gives load balancers an address. */
  hasAddress: boolean;
  /** The one that they give; undefined for one of each load balancer's own. */
  address: string | undefined;
  /** Names of Gateways whose load balancers get none all the same. */
  readonly withoutAddress: Set<string>;
  /** Their pods become ready. */
  isServing: boolean;
  /** Names of Gateways whose pods do not all the same. */
  readonly notServing: Set<string>;
}

export interface SimulatedGateways {
  readonly behaviour: GatewayBehaviour;
  /** Looks at the objects; called after every change. */
  settle(): void;
}

interface Listener {
  readonly name: string;
  readonly port: number;
  readonly tls?: { readonly certificateRefs?: readonly { readonly name: string }[] };
}

interface Spec {
  readonly infrastructure?: Infrastructure;
  readonly listeners?: readonly Listener[];
}

interface Infrastructure {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly parametersRef?: { readonly name: string };
}

const GATEWAYS = { apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway" };
const SERVICES = { apiVersion: "v1", kind: "Service" };
const SLICES = { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" };
const NAME_LABEL = "gateway.networking.k8s.io/gateway-name";

/** istiod's gateway controller, the controller of load balancers, and that of EndpointSlices. */
export function simulatedGateways(store: ObjectStore): SimulatedGateways {
  const behaviour: GatewayBehaviour = {
    hasAddress: true,
    address: undefined,
    withoutAddress: new Set(),
    isServing: true,
    notServing: new Set(),
  };
  return {
    behaviour,
    settle() {
      const gateways = store.list(GATEWAYS).filter(isMadeReal);
      const names = new Set(gateways.map(({ metadata }) => metadata.name));
      for (const query of [SERVICES, SLICES]) {
        for (const { metadata } of store.list({ ...query, labelSelector: NAME_LABEL })) {
          const { name, namespace = "", labels = {} } = metadata;
          if (!names.has(labels[NAME_LABEL] ?? "")) store.delete({ ...query, namespace, name });
        }
      }
      for (const gateway of gateways) write(store, gateway, behaviour);
    },
  };
}

/** istiod deploys nothing for a Gateway of class `istio-remote`. */
function isMadeReal(gateway: KubernetesObject): boolean {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- gateway.networking.k8s.io/v1 Gateway
  const { gatewayClassName } = gateway["spec"] as { gatewayClassName?: string };
  return gatewayClassName !== "istio-remote";
}

function write(store: ObjectStore, gateway: KubernetesObject, behaviour: GatewayBehaviour): void {
  const { name, namespace = "" } = gateway.metadata;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- gateway.networking.k8s.io/v1 Gateway
  const { infrastructure = {}, listeners = [] } = gateway["spec"] as Spec;
  sayOfReferences(store, gateway, listeners);
  const service = `${name}-istio`;
  const overlay = serviceOverlay(store, namespace, infrastructure);
  const labels = { ...infrastructure.labels, [NAME_LABEL]: name, ...overlay.labels };
  const annotations = { ...infrastructure.annotations, ...overlay.annotations };
  const ingress =
    behaviour.hasAddress && !behaviour.withoutAddress.has(name)
      ? [{ ip: behaviour.address ?? addressOf(namespace, name, infrastructure.labels) }]
      : [];
  store.write(
    {
      ...SERVICES,
      metadata: { name: service, namespace, labels, annotations },
      spec: {
        type: "LoadBalancer",
        ports: [15_021, ...listeners.map(({ port }) => port)].map((port) => ({ port })),
      },
      status: { loadBalancer: { ingress } },
    },
    "istio.io/gateway-controller",
  );
  store.write(
    {
      ...SLICES,
      metadata: {
        name: `${service}-x`,
        namespace,
        labels: { ...labels, "kubernetes.io/service-name": service },
      },
      endpoints: [
        {
          addresses: ["10.0.0.9"],
          conditions: { ready: behaviour.isServing && !behaviour.notServing.has(name) },
        },
      ],
    },
    "endpointslice-controller",
  );
}

/** In istiod's words, whether the Secrets that listeners name hold what a certificate needs. */
function sayOfReferences(
  store: ObjectStore,
  gateway: KubernetesObject,
  listeners: readonly Listener[],
): void {
  const { namespace = "", generation = 1 } = gateway.metadata;
  const said = listeners.flatMap(({ name, tls }) => {
    const [secret] = tls?.certificateRefs ?? [];
    if (secret === undefined) return [];
    const found = store.get({ apiVersion: "v1", kind: "Secret", namespace, name: secret.name });
    const keys = Object.keys(found?.["data"] ?? {});
    const isGood = keys.includes("tls.crt") && keys.includes("tls.key");
    const why =
      found === undefined
        ? `secret ${namespace}/${secret.name} not found`
        : `found secret, but didn't have expected keys (cert and key) or (tls.crt and tls.key); found: ${keys.join(", ")}`;
    const message = isGood
      ? "No errors found"
      : `invalid certificate reference /Secret/${secret.name}., ${why}`;
    const status = isGood ? "True" : "False";
    return [
      { name, conditions: [{ type: "ResolvedRefs", status, message, observedGeneration: generation }] },
    ];
  });
  if (said.length > 0)
    store.write({ ...gateway, status: { listeners: said } }, "istio.io/gateway-controller");
}

/** istiod reads the options as YAML; Meshjoin writes the part of it that is JSON. */
function serviceOverlay(
  store: ObjectStore,
  namespace: string,
  { parametersRef }: Infrastructure,
): Pick<Infrastructure, "labels" | "annotations"> {
  if (parametersRef === undefined) return {};
  const options = store.get({ apiVersion: "v1", kind: "ConfigMap", namespace, name: parametersRef.name });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 ConfigMap
  const { service = "{}" } = (options?.["data"] ?? {}) as { service?: string };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a part of a core/v1 Service
  const { metadata = {} } = JSON.parse(service) as { metadata?: Infrastructure };
  return metadata;
}

function addressOf(...parts: readonly unknown[]): string {
  const digits = fnv1a(JSON.stringify(parts));
  return `198.51.100.${Number.parseInt(digits.slice(0, 2), 16)}`;
}

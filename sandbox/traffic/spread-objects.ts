import {
  accountManifest,
  CORE,
  istioManifest,
  type Manifest,
  NAMESPACE,
  NETWORKING,
  offeredPort,
  STRICT,
} from "./objects.ts";

/** Pure: what the members get for a spread, in the order in which it can be made. */

/** The pod whose sidecar sends all requests; in the first member. */
export const CLIENT = "spread-client";

/** A host that is known in the mesh, and outside of it. */
const OUTSIDE = "outside.example.com";

/** A Service, with its servers in some of the members. */
export interface SpreadService {
  readonly name: string;
  /** Of the Service, and where the client's sidecar offers it on loopback. */
  readonly port: number;
  /** By names; undefined: all. */
  readonly members?: readonly string[];
  /** Of a DestinationRule of its own; undefined: the rule for all Services holds. */
  readonly ownPolicy?: object;
}

export function hostOf({ name }: Pick<SpreadService, "name">): string {
  return `${name}.${NAMESPACE}.svc.cluster.local`;
}

/** The label of the pods that are servers of the Service. */
export function labelOf({ name }: Pick<SpreadService, "name">): string {
  return `serves-${name}`;
}

/** The same in every member; behind the Services each member has a port of its own. */
export function spreadManifests(services: readonly SpreadService[], sidecarPort: number): Manifest[] {
  return [
    { path: "/api/v1/namespaces", object: { metadata: { name: NAMESPACE } } },
    STRICT,
    ...services.flatMap((service) => manifestsOf(service, sidecarPort)),
  ];
}

function manifestsOf(service: SpreadService, sidecarPort: number): Manifest[] {
  const { name, port, ownPolicy } = service;
  const host = hostOf(service);
  const object = {
    metadata: { name, namespace: NAMESPACE },
    spec: {
      selector: { [labelOf(service)]: "true" },
      ports: [{ name: "http", port, targetPort: sidecarPort }],
    },
  };
  const ownRule = { host, trafficPolicy: ownPolicy };
  return [
    { path: `${CORE}/services`, object },
    // A retry would hide failures.
    istioManifest(NETWORKING, "VirtualService", "virtualservices", name, {
      hosts: [host],
      http: [{ route: [{ destination: { host } }], retries: { attempts: 0 } }],
    }),
    ...(ownPolicy === undefined
      ? []
      : [istioManifest(NETWORKING, "DestinationRule", "destinationrules", name, ownRule)]),
  ];
}

export function clientManifests(services: readonly SpreadService[]): Manifest[] {
  const [first] = services;
  return [
    accountManifest(CLIENT),
    istioManifest(NETWORKING, "ServiceEntry", "serviceentries", "outside", {
      hosts: [OUTSIDE],
      location: "MESH_EXTERNAL",
      resolution: "STATIC",
      ports: [{ number: first?.port, name: "http", protocol: "HTTP" }],
      endpoints: [{ address: "192.0.2.1" }],
    }),
    istioManifest(NETWORKING, "Sidecar", "sidecars", CLIENT, {
      workloadSelector: { labels: { app: CLIENT } },
      egress: services.map((service) =>
        // By the first one the client reaches what else of the namespace has a port of this number.
        offeredPort(service.port, [service === first ? "*" : hostOf(service)]),
      ),
    }),
  ];
}

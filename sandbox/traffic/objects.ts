import { HOST_ADDRESS_ANNOTATION } from "../cluster/traffic-support.ts";

/** Pure: everything that is made in a member for the traffic, in the order in which it can be made. */

export const NAMESPACE = "shop";

/** The names of the two ends: of pods, accounts, and of the server's Service. */
export interface Apps {
  readonly client: string;
  readonly server: string;
}

export const APPS: Apps = { client: "client", server: "hello" };

export function serviceHost({ server }: Apps): string {
  return `${server}.${NAMESPACE}.svc.cluster.local`;
}

export interface TrafficPorts {
  /** Of the Service, and of the listener by which the client's sidecar offers it on loopback. */
  readonly service: number;
  /** Of the server's sidecar: on the address of its pod, as other pods reach it, and where it listens. */
  readonly sidecar: number;
  /** Of the server itself, on loopback. */
  readonly server: number;
}

export interface Manifest {
  /** Of the collection, as kube-apiserver serves it. */
  readonly path: string;
  readonly object: object;
}

export const CORE = `/api/v1/namespaces/${NAMESPACE}`;
export const NETWORKING = "networking.istio.io/v1";
const SECURITY = "security.istio.io/v1";

/** An object of Istio in the traffic's namespace. */
export function istioManifest(
  apiVersion: string,
  kind: string,
  plural: string,
  name: string,
  spec: object,
): Manifest {
  return {
    path: `/apis/${apiVersion}/namespaces/${NAMESPACE}/${plural}`,
    object: { apiVersion, kind, metadata: { name, namespace: NAMESPACE }, spec },
  };
}

export function accountManifest(name: string): Manifest {
  return { path: `${CORE}/serviceaccounts`, object: { metadata: { name, namespace: NAMESPACE } } };
}

/** No proxy of the namespace takes a request without mutual TLS. */
export const STRICT: Manifest = istioManifest(
  SECURITY,
  "PeerAuthentication",
  "peerauthentications",
  "default",
  { mtls: { mode: "STRICT" } },
);

/** A client's sidecar offers the hosts on loopback, at the port of their Service. */
export function offeredPort(port: number, hosts: readonly string[]): object {
  return {
    port: { number: port, name: "http", protocol: "HTTP" },
    bind: "127.0.0.1",
    captureMode: "NONE",
    hosts: hosts.map((host) => `./${host}`),
  };
}

/** A server's sidecar listens where other pods reach it, and asks the server for nothing else. */
export function servedBy(
  app: string,
  { sidecar, server }: Omit<TrafficPorts, "service">,
  bind: string,
): Manifest {
  return istioManifest(NETWORKING, "Sidecar", "sidecars", app, {
    workloadSelector: { labels: { app } },
    ingress: [
      {
        port: { number: sidecar, name: "http", protocol: "HTTP" },
        bind,
        captureMode: "NONE",
        defaultEndpoint: `127.0.0.1:${server}`,
      },
    ],
    egress: [{ hosts: ["~/*"] }],
  });
}

/** The same in every member, as a mesh of several primaries wants it. */
export function meshManifests(apps: Apps, ports: TrafficPorts, bind: string): Manifest[] {
  const { client, server } = apps;
  const host = serviceHost(apps);
  return [
    { path: "/api/v1/namespaces", object: { metadata: { name: NAMESPACE } } },
    accountManifest(client),
    accountManifest(server),
    {
      path: `${CORE}/services`,
      object: {
        metadata: { name: server, namespace: NAMESPACE },
        spec: {
          selector: { app: server },
          ports: [{ name: "http", port: ports.service, targetPort: ports.sidecar }],
        },
      },
    },
    STRICT,
    // Nothing redirects the connections of a process of this machine: listeners are named, and asked by name.
    istioManifest(NETWORKING, "Sidecar", "sidecars", client, {
      workloadSelector: { labels: { app: client } },
      egress: [offeredPort(ports.service, [host])],
    }),
    servedBy(server, ports, bind),
    istioManifest(NETWORKING, "DestinationRule", "destinationrules", server, {
      host,
      trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } },
    }),
    istioManifest(NETWORKING, "VirtualService", "virtualservices", server, {
      hosts: [host],
      http: [{ route: [{ destination: { host } }], retries: { attempts: 0 } }],
    }),
  ];
}

/** Its containers are processes of this machine; to the API server it is a pod like any other. */
export function podManifest(app: string, labels: Readonly<Record<string, string>> = {}): Manifest {
  return {
    path: `${CORE}/pods`,
    object: {
      metadata: {
        name: app,
        namespace: NAMESPACE,
        labels: { ...labels, app, "security.istio.io/tlsMode": "istio", "sidecar.istio.io/inject": "false" },
        annotations: { [HOST_ADDRESS_ANNOTATION]: "true" },
      },
      spec: { serviceAccountName: app, containers: [{ name: app, image: `${app}:1` }] },
    },
  };
}

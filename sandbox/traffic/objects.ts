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

const CORE = `/api/v1/namespaces/${NAMESPACE}`;
const NETWORKING = "networking.istio.io/v1";
const SECURITY = "security.istio.io/v1";

function istio(apiVersion: string, kind: string, plural: string, name: string, spec: object): Manifest {
  return {
    path: `/apis/${apiVersion}/namespaces/${NAMESPACE}/${plural}`,
    object: { apiVersion, kind, metadata: { name, namespace: NAMESPACE }, spec },
  };
}

function serviceAccount(name: string): Manifest {
  return { path: `${CORE}/serviceaccounts`, object: { metadata: { name, namespace: NAMESPACE } } };
}

/** The same in every member, as a mesh of several primaries wants it. */
export function meshManifests(apps: Apps, ports: TrafficPorts, bind: string): Manifest[] {
  const { client, server } = apps;
  const host = serviceHost(apps);
  const http = { name: "http", protocol: "HTTP" };
  return [
    { path: "/api/v1/namespaces", object: { metadata: { name: NAMESPACE } } },
    serviceAccount(client),
    serviceAccount(server),
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
    istio(SECURITY, "PeerAuthentication", "peerauthentications", "default", { mtls: { mode: "STRICT" } }),
    // Nothing redirects the connections of a process of this machine: listeners are named, and asked by name.
    istio(NETWORKING, "Sidecar", "sidecars", client, {
      workloadSelector: { labels: { app: client } },
      egress: [
        {
          port: { ...http, number: ports.service },
          bind: "127.0.0.1",
          captureMode: "NONE",
          hosts: [`./${host}`],
        },
      ],
    }),
    istio(NETWORKING, "Sidecar", "sidecars", server, {
      workloadSelector: { labels: { app: server } },
      ingress: [
        {
          port: { ...http, number: ports.sidecar },
          bind,
          captureMode: "NONE",
          defaultEndpoint: `127.0.0.1:${ports.server}`,
        },
      ],
      egress: [{ hosts: ["~/*"] }],
    }),
    istio(NETWORKING, "DestinationRule", "destinationrules", server, {
      host,
      trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } },
    }),
    istio(NETWORKING, "VirtualService", "virtualservices", server, {
      hosts: [host],
      http: [{ route: [{ destination: { host } }], retries: { attempts: 0 } }],
    }),
  ];
}

/** Its containers are processes of this machine; to the API server it is a pod like any other. */
export function podManifest(app: string): Manifest {
  return {
    path: `${CORE}/pods`,
    object: {
      metadata: {
        name: app,
        namespace: NAMESPACE,
        labels: { app, "security.istio.io/tlsMode": "istio", "sidecar.istio.io/inject": "false" },
        annotations: { [HOST_ADDRESS_ANNOTATION]: "true" },
      },
      spec: { serviceAccountName: app, containers: [{ name: app, image: `${app}:1` }] },
    },
  };
}

import { HOST_ADDRESS_ANNOTATION } from "../cluster/traffic-support.ts";

/** Pure: everything that is made in a member for the traffic, in the order in which it can be made. */

export const NAMESPACE = "shop";
export const CLIENT = "client";
export const SERVER = "hello";
export const SERVICE_HOST = `${SERVER}.${NAMESPACE}.svc.cluster.local`;

export type AppName = typeof CLIENT | typeof SERVER;

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
export function meshManifests(ports: TrafficPorts, bind: string): Manifest[] {
  const http = { name: "http", protocol: "HTTP" };
  return [
    { path: "/api/v1/namespaces", object: { metadata: { name: NAMESPACE } } },
    serviceAccount(CLIENT),
    serviceAccount(SERVER),
    {
      path: `${CORE}/services`,
      object: {
        metadata: { name: SERVER, namespace: NAMESPACE },
        spec: {
          selector: { app: SERVER },
          ports: [{ name: "http", port: ports.service, targetPort: ports.sidecar }],
        },
      },
    },
    istio(SECURITY, "PeerAuthentication", "peerauthentications", "default", { mtls: { mode: "STRICT" } }),
    // Nothing redirects the connections of a process of this machine: listeners are named, and asked by name.
    istio(NETWORKING, "Sidecar", "sidecars", CLIENT, {
      workloadSelector: { labels: { app: CLIENT } },
      egress: [
        {
          port: { ...http, number: ports.service },
          bind: "127.0.0.1",
          captureMode: "NONE",
          hosts: [`./${SERVICE_HOST}`],
        },
      ],
    }),
    istio(NETWORKING, "Sidecar", "sidecars", SERVER, {
      workloadSelector: { labels: { app: SERVER } },
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
    istio(NETWORKING, "DestinationRule", "destinationrules", SERVER, {
      host: SERVICE_HOST,
      trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } },
    }),
    istio(NETWORKING, "VirtualService", "virtualservices", SERVER, {
      hosts: [SERVICE_HOST],
      http: [{ route: [{ destination: { host: SERVICE_HOST } }], retries: { attempts: 0 } }],
    }),
  ];
}

/** Its containers are processes of this machine; to the API server it is a pod like any other. */
export function podManifest(app: AppName): Manifest {
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

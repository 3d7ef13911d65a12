import { createServer, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxFleet } from "../fleet/fleet.ts";
import type { FleetMember } from "../google/member.ts";
import { freePort } from "../os/free-port.ts";
import { createUndo, type Undo } from "../os/undo.ts";
import { memberApi } from "./member-api.ts";
import { type Manifest, NAMESPACE, podManifest } from "./objects.ts";
import { type Answer, sendRequest } from "./request.ts";
import { startSender } from "./sender.ts";
import { type Sidecar, startSidecar } from "./sidecar.ts";

/**
 * One Service with a server in several members, and a client in the first of them. Other than
 * `startTraffic`'s, the Service has no DestinationRule of its own, so the rule for all Services holds. There
 * are no retries.
 */
export interface Spread {
  /** By the name of the member. */
  readonly servers: ReadonlyMap<string, SpreadServer>;
  /**
   * By the name of the member: the priority that istiod has given its endpoint in the client's sidecar. Those
   * behind a gateway are named after the gateway's cluster; undefined while the sidecar has no such endpoint.
   */
  priorities(): Promise<Readonly<Record<string, number>>>;
  /** `GET /config_dump?resource=dynamic_active_clusters`, or another page, of the client's Envoy. */
  admin(path: string): Promise<string>;
  request(): Promise<Answer>;
  /** Sends for so long, at 40 a second. */
  send(ms: number): Promise<Counted>;
  stop(): Promise<void>;
}

/** How often by whom requests were answered: a member's name, or a status that is not 200 and the body. */
export type Counted = Readonly<Record<string, number>>;

export interface SpreadServer {
  /** `200` answers with the name of the member. `"dead"`: nothing listens where the sidecar looks for it. */
  behave(how: number | "dead"): Promise<void>;
  /** Ends pilot-agent and its Envoy; the pod stays as it is. */
  stopSidecar(): Promise<void>;
}

const HOST = `spread.${NAMESPACE}.svc.cluster.local`;
/** Known in the mesh, and outside of it. */
const OUTSIDE = "outside.example.com";
const CLIENT = "spread-client";
const PER_SECOND = 40;
const POLL_MS = 200;
const PATIENCE_MS = 60_000;
const FAILURE_CHARACTERS = 60;
const NETWORKING = "networking.istio.io/v1";
const SECURITY = "security.istio.io/v1";
const CORE = `/api/v1/namespaces/${NAMESPACE}`;

/** Returns once a request has passed. `names`: of the members with a server; default all. */
export async function startSpread(fleet: SandboxFleet, names?: readonly string[]): Promise<Spread> {
  const undo = createUndo();
  fleet.beforeStop(() => undo.run());
  try {
    return await start(fleet, names, undo);
  } catch (error) {
    await undo.run();
    throw error;
  }
}

async function start(fleet: SandboxFleet, names: readonly string[] | undefined, undo: Undo): Promise<Spread> {
  const { members } = fleet.file();
  const [first] = members;
  const { traffic } = fleet;
  if (traffic?.vpc === undefined || first === undefined)
    throw new Error("a spread needs --traffic, a member, and Linux, where pods have addresses of their own");
  const { vpc, hostAddress } = traffic;
  const servicePort = await freePort();
  const shared = { traffic, logDir: fleet.file().logDir };
  const servers = new Map<string, SpreadServer>();
  const addresses = new Map<string, string>();
  for (const member of members) {
    const isServer = names === undefined || names.includes(member.name);
    const port = await freePort(hostAddress);
    const pod = vpc.addPod(member.clusterId);
    const app = await startApp(member.name);
    undo.add(() => app.stop());
    const bind = { host: pod.loopback, port, server: app.port };
    await createAll(member, manifests(member, servicePort, bind, { isServer, isClient: member === first }));
    if (!isServer) continue;
    await vpc.expose(pod, port);
    addresses.set(`${hostAddress}:${port}`, member.name);
    const api = memberApi(member);
    const own = createUndo();
    undo.add(() => own.run());
    await startSidecar({ app: podOf(member), member, api, pod, ...shared }, own);
    servers.set(member.name, { behave: (how) => app.behave(how), stopSidecar: () => own.run() });
  }
  for (const { name, gateway } of members)
    if (gateway !== null) addresses.set(`${gateway.address}:${gateway.port}`, name);
  const clientPod = vpc.addPod(first.clusterId);
  const client = await startSidecar(
    { app: CLIENT, member: first, api: memberApi(first), pod: clientPod, ...shared },
    undo,
  );
  const request = () => sendRequest({ port: servicePort, host: HOST });
  await firstAnswer(request);
  return {
    servers,
    request,
    priorities: async () => prioritiesIn(await adminPage(client, "/clusters"), servicePort, addresses),
    admin: (path) => adminPage(client, path),
    async send(ms) {
      const counts: Record<string, number> = {};
      const count = (key: string) => {
        counts[key] = (counts[key] ?? 0) + 1;
      };
      const sender = startSender({
        perSecond: PER_SECOND,
        async send() {
          const answer = await request();
          if (answer.status === 200) count(answer.body);
          return answer;
        },
        onResult({ status, failure }) {
          if (failure !== undefined) count(`${status} ${failure.slice(0, FAILURE_CHARACTERS)}`);
        },
      });
      await sleep(ms);
      await sender.stop();
      return counts;
    },
    stop: () => undo.run(),
  };
}

const podOf = ({ name }: FleetMember) => `spread-${name}`;

/** Reads `GET /clusters`: `outbound|PORT||HOST::ADDRESS::priority::N`. */
function prioritiesIn(
  page: string,
  servicePort: number,
  addresses: ReadonlyMap<string, string>,
): Record<string, number> {
  const prefix = `outbound|${servicePort}||${HOST}::`;
  return Object.fromEntries(
    page.split("\n").flatMap((line) => {
      if (!line.startsWith(prefix)) return [];
      const [, address, priority] = /^(.*)::priority::(\d+)$/.exec(line.slice(prefix.length)) ?? [];
      if (address === undefined) return [];
      return [[addresses.get(address) ?? address, Number(priority)] as const];
    }),
  );
}

async function adminPage({ clustersUrl }: Sidecar, path: string): Promise<string> {
  return await (await fetch(new URL(path, clustersUrl))).text();
}

interface App {
  readonly port: number;
  behave(how: number | "dead"): Promise<void>;
  stop(): Promise<void>;
}

/** On loopback. */
async function startApp(name: string): Promise<App> {
  const port = await freePort();
  let status = 200;
  let server: Server | undefined;
  const close = async () => {
    const open = server;
    server = undefined;
    if (open === undefined) return;
    const closed = new Promise((resolve) => open.close(resolve));
    open.closeAllConnections();
    await closed;
  };
  const listen = async () => {
    const made = createServer((_, response) => {
      response.writeHead(status).end(name);
    });
    server = made;
    await new Promise<void>((resolve) => made.listen(port, "127.0.0.1", resolve));
  };
  await listen();
  return {
    port,
    async behave(how) {
      if (how === "dead") return await close();
      status = how;
      if (server === undefined) await listen();
    },
    stop: close,
  };
}

interface Bind {
  readonly host: string;
  /** Of the sidecar. */
  readonly port: number;
  readonly server: number;
}

const STRICT = { mtls: { mode: "STRICT" } };

function manifests(
  member: FleetMember,
  servicePort: number,
  bind: Bind,
  { isServer, isClient }: { readonly isServer: boolean; readonly isClient: boolean },
): Manifest[] {
  const http = { name: "http", protocol: "HTTP" };
  const pod = podOf(member);
  const accounts = [...(isServer ? [pod] : []), ...(isClient ? [CLIENT] : [])];
  const ofClient = [
    istio("Sidecar", "sidecars", CLIENT, {
      workloadSelector: { labels: { app: CLIENT } },
      egress: [
        {
          port: { ...http, number: servicePort },
          bind: "127.0.0.1",
          captureMode: "NONE",
          hosts: ["./*"],
        },
      ],
    }),
    istio("VirtualService", "virtualservices", "spread", {
      hosts: [HOST],
      http: [{ route: [{ destination: { host: HOST } }], retries: { attempts: 0 } }],
    }),
    istio("ServiceEntry", "serviceentries", "outside", {
      hosts: [OUTSIDE],
      location: "MESH_EXTERNAL",
      resolution: "STATIC",
      ports: [{ ...http, number: servicePort }],
      endpoints: [{ address: "192.0.2.1" }],
    }),
    podManifest(CLIENT),
  ];
  const ofServer = [
    istio("Sidecar", "sidecars", pod, {
      workloadSelector: { labels: { app: pod } },
      ingress: [
        {
          port: { ...http, number: bind.port },
          bind: bind.host,
          captureMode: "NONE",
          defaultEndpoint: `127.0.0.1:${bind.server}`,
        },
      ],
      egress: [{ hosts: ["~/*"] }],
    }),
    podManifest(pod),
  ];
  return [
    { path: "/api/v1/namespaces", object: { metadata: { name: NAMESPACE } } },
    ...accounts.map((name) => ({ path: `${CORE}/serviceaccounts`, object: { metadata: { name } } })),
    {
      path: `${CORE}/services`,
      object: {
        metadata: { name: "spread" },
        spec: {
          selector: { app: pod },
          ports: [{ name: "http", port: servicePort, targetPort: bind.port }],
        },
      },
    },
    {
      path: `/apis/${SECURITY}/namespaces/${NAMESPACE}/peerauthentications`,
      object: {
        metadata: { name: "default" },
        apiVersion: SECURITY,
        kind: "PeerAuthentication",
        spec: STRICT,
      },
    },
    ...(isClient ? ofClient : []),
    ...(isServer ? ofServer : []),
  ];
}

function istio(kind: string, plural: string, name: string, spec: object): Manifest {
  return {
    path: `/apis/${NETWORKING}/namespaces/${NAMESPACE}/${plural}`,
    object: { apiVersion: NETWORKING, kind, metadata: { name, namespace: NAMESPACE }, spec },
  };
}

async function createAll(member: FleetMember, all: readonly Manifest[]): Promise<void> {
  const api = memberApi(member);
  for (const { path, object } of all) await api.create(path, object);
}

async function firstAnswer(request: () => Promise<Answer>): Promise<void> {
  let last = "no answer";
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(POLL_MS)) {
    try {
      const { status, body } = await request();
      if (status === 200) return;
      last = `${status} ${body}`;
    } catch (error) {
      last = String(error);
    }
  }
  throw new Error(`no request passes: ${last}; see the logs of the sidecars spread-… and of istiod`);
}

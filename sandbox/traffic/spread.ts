import { Resolver } from "node:dns/promises";
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { V1Pod } from "@kubernetes/client-node";
import type { ApiClient } from "../cluster/api-client.ts";
import type { SandboxFleet } from "../fleet/fleet.ts";
import type { FleetMember } from "../google/member.ts";
import { freePort } from "../os/free-port.ts";
import { createUndo, type Undo } from "../os/undo.ts";
import { createIfAbsent, memberApi } from "./member-api.ts";
import { accountManifest, CORE, type Manifest, podManifest, servedBy } from "./objects.ts";
import { type Answer, firstAnswer, OK, sendRequest, type Target } from "./request.ts";
import { startSender } from "./sender.ts";
import { SLOW_PATH, startServer } from "./server.ts";
import { type Sidecar, startSidecar } from "./sidecar.ts";
import {
  CLIENT,
  clientManifests,
  hostOf,
  labelOf,
  type SpreadService,
  spreadManifests,
} from "./spread-objects.ts";

/**
 * Services with a server in several members, and a client in the first of them. Other than `startTraffic`'s
 * Service, they need no DestinationRule of their own, so the rule for all Services holds. There are no
 * retries.
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
  /** To the Service of this name, or to the first. */
  request(service?: string, path?: string): Promise<Answer>;
  /** The addresses that the client's sidecar answers with, where the mesh captures DNS queries. */
  resolve(host: string): Promise<readonly string[]>;
  /** At which the client reaches the first Service, and others of the namespace with a port of its number. */
  readonly port: number;
  /** Sends to the first Service for so long, at 40 a second. */
  send(ms: number): Promise<Counted>;
  /** Sends to it until it is stopped; `stop` resolves when every request has its answer. */
  begin(how?: Sending): { stop(): Promise<Counted> };
  stop(): Promise<void>;
}

export interface Sending {
  /** The client uses its connections for one request after the other. */
  readonly keepsAlive?: boolean;
  /** The server takes two seconds for each. */
  readonly isSlow?: boolean;
}

/** How often by whom requests were answered: a member's name, or a status that is not 200 and the body. */
export type Counted = Readonly<Record<string, number>>;

/** A pod with an application and a sidecar, whose parts die and come back one by one. */
export interface SpreadServer {
  readonly member: FleetMember;
  /** Of its sidecar, behind every Service. */
  readonly port: number;
  /** `200` answers with the name of the member. `"dead"`: nothing listens where the sidecar looks for it. */
  behave(how: number | "dead"): Promise<void>;
  /** What the kubelet says of the pod. */
  setReady(isReady: boolean): Promise<void>;
  /** Kills pilot-agent and its Envoy; the pod stays as it is. */
  stopSidecar(): Promise<void>;
  startSidecar(): Promise<void>;
}

/** Of requests, nominal: a busy machine sends less. */
export const PER_SECOND = 40;

const DNS_TIMEOUT_MS = 2000;
const FAILURE_CHARACTERS = 60;

/** Returns once a request to each Service has passed. One Service `spread` in all members unless given. */
export async function startSpread(
  fleet: SandboxFleet,
  services: readonly Omit<SpreadService, "port">[] = [{ name: "spread" }],
): Promise<Spread> {
  const undo = createUndo();
  fleet.beforeStop(() => undo.run());
  try {
    const offered: SpreadService[] = [];
    for (const service of services) offered.push({ ...service, port: await freePort() });
    return await start(fleet, offered, undo);
  } catch (error) {
    await undo.run();
    throw error;
  }
}

async function start(fleet: SandboxFleet, services: readonly SpreadService[], undo: Undo): Promise<Spread> {
  const { members } = fleet.file();
  const [client] = members;
  const [first] = services;
  if (client === undefined || first === undefined) throw new Error("a spread needs a member and a Service");
  const addresses = new Map<string, string>();
  const servers = new Map<string, SpreadServer>();
  const pods = await Promise.all(members.map((member) => startPod(fleet, member, services, undo)));
  for (const { server, address } of pods) {
    servers.set(server.member.name, server);
    addresses.set(address, server.member.name);
  }
  for (const { name, gateway } of members)
    if (gateway !== null) addresses.set(`${gateway.address}:${gateway.port}`, name);
  const { clustersUrl, dns } = await startClient(fleet, client, services, undo);
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 1 });
  resolver.setServers([dns]);
  const request = async (name = first.name, path = "/"): Promise<Answer> => {
    const service = services.find((each) => each.name === name);
    if (service === undefined) throw new Error(`the spread has no Service ${name}`);
    return await sendRequest({ port: service.port, host: hostOf(service), path });
  };
  for (const { name } of services) await firstAnswer(name, () => request(name));
  const admin = async (path: string) => await (await fetch(new URL(path, clustersUrl))).text();
  const begin = (how: Sending = {}) => sendTo({ port: first.port, host: hostOf(first) }, how);
  return {
    servers,
    request,
    resolve: async (host) => (await resolver.resolve4(host)).toSorted(),
    port: first.port,
    admin,
    priorities: async () => prioritiesIn(await admin("/clusters"), first, addresses),
    begin,
    async send(ms) {
      const sending = begin();
      await sleep(ms);
      return await sending.stop();
    },
    stop: () => undo.run(),
  };
}

/** `target`: what every request goes to. */
function sendTo(
  target: Target,
  { keepsAlive = false, isSlow = false }: Sending,
): { stop(): Promise<Counted> } {
  const counts: Record<string, number> = {};
  const kept = keepsAlive ? new Agent({ keepAlive: true }) : undefined;
  const path = isSlow ? { path: SLOW_PATH } : {};
  const count = (key: string) => {
    counts[key] = (counts[key] ?? 0) + 1;
  };
  const sender = startSender({
    perSecond: PER_SECOND,
    async send() {
      const answer = await sendRequest({ ...target, ...path, ...(kept && { agent: kept }) });
      if (answer.status === OK) count(answer.body);
      return answer;
    },
    onResult({ status, failure }) {
      if (failure !== undefined) count(`${status} ${failure.slice(0, FAILURE_CHARACTERS)}`);
    },
  });
  return {
    async stop() {
      await sender.stop();
      kept?.destroy();
      return counts;
    },
  };
}

/** A pod and the network that its processes are in. */
interface Place {
  readonly api: ApiClient;
  readonly app: string;
  readonly startSidecar: (undo: Undo) => ReturnType<typeof startSidecar>;
  /** Where its sidecar listens. */
  readonly bind: string;
  /** Lets other pods reach a port of it; answers `address:port` as they see it. */
  readonly expose: (port: number) => Promise<string>;
}

function placeOf(fleet: SandboxFleet, member: FleetMember, app: string): Place {
  const { traffic } = fleet;
  const { logDir } = fleet.file();
  if (traffic?.vpc === undefined)
    throw new Error("a spread needs --traffic, and Linux, where pods have addresses of their own");
  const { vpc, hostAddress } = traffic;
  const pod = vpc.addPod(member.clusterId);
  const api = memberApi(member);
  return {
    api,
    app,
    bind: pod.loopback,
    startSidecar: (undo) => startSidecar({ app, member, api, traffic, pod, logDir }, undo),
    async expose(port) {
      await vpc.expose(pod, port);
      return `${hostAddress}:${port}`;
    },
  };
}

async function startClient(
  fleet: SandboxFleet,
  member: FleetMember,
  services: readonly SpreadService[],
  undo: Undo,
): Promise<Sidecar> {
  const place = placeOf(fleet, member, CLIENT);
  await createAll(place.api, [...clientManifests(services), podManifest(CLIENT)]);
  return await place.startSidecar(undo);
}

async function startPod(
  fleet: SandboxFleet,
  member: FleetMember,
  services: readonly SpreadService[],
  undo: Undo,
): Promise<{ readonly server: SpreadServer; readonly address: string }> {
  const { name } = member;
  const place = placeOf(fleet, member, `spread-${name}`);
  const { api, app } = place;
  let status = OK;
  const server = await startServer(() => ({ status, body: name }));
  undo.add(() => server.stop());
  const port = await freePort();
  const address = await place.expose(port);
  const own = services.filter(({ members }) => members === undefined || members.includes(name));
  const labels = Object.fromEntries(own.map((service) => [labelOf(service), "true"]));
  await createAll(api, [
    ...spreadManifests(services, port),
    accountManifest(app),
    servedBy(app, { sidecar: port, server: server.port }, place.bind),
    podManifest(app, labels),
  ]);
  let sidecar = createUndo();
  undo.add(() => sidecar.run());
  await place.startSidecar(sidecar);
  return {
    address,
    server: {
      member,
      port,
      async behave(how) {
        if (how === "dead") return await server.stop();
        status = how;
        await server.start();
      },
      setReady: (isReady) => setReady(api, app, isReady),
      stopSidecar: () => sidecar.run(),
      async startSidecar() {
        sidecar = createUndo();
        await place.startSidecar(sidecar);
      },
    },
  };
}

async function createAll(api: ApiClient, manifests: readonly Manifest[]): Promise<void> {
  for (const manifest of manifests) await createIfAbsent(api, manifest);
}

async function setReady(api: ApiClient, pod: string, isReady: boolean): Promise<void> {
  const path = `${CORE}/pods/${pod}`;
  const { status } = await api.get<V1Pod>(path);
  const now = { status: isReady ? "True" : "False", lastTransitionTime: new Date().toISOString() };
  const conditions = (status?.conditions ?? []).map((each) =>
    ["Ready", "ContainersReady"].includes(each.type) ? Object.assign({}, each, now) : each,
  );
  await api.mergePatch(`${path}/status`, { status: { conditions } });
}

/** Reads `GET /clusters`: `outbound|PORT||HOST::ADDRESS::priority::N`. */
function prioritiesIn(
  page: string,
  service: SpreadService,
  addresses: ReadonlyMap<string, string>,
): Record<string, number> {
  const prefix = `outbound|${service.port}||${hostOf(service)}::`;
  return Object.fromEntries(
    page.split("\n").flatMap((line) => {
      if (!line.startsWith(prefix)) return [];
      const [, address, priority] = /^(.*)::priority::(\d+)$/.exec(line.slice(prefix.length)) ?? [];
      if (address === undefined) return [];
      return [[addresses.get(address) ?? address, Number(priority)] as const];
    }),
  );
}

import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient } from "../cluster/api-client.ts";
import type { SandboxFleet } from "../fleet/fleet.ts";
import { freePort } from "../os/free-port.ts";
import { createUndo, type Undo } from "../os/undo.ts";
import { knock } from "./knock.ts";
import { createIfAbsent, memberApi } from "./member-api.ts";
import { APPS, type Apps, meshManifests, podManifest, serviceHost, type TrafficPorts } from "./objects.ts";
import { type RawAddresses, watchRawAddresses } from "./raw-addresses.ts";
import { type Answer, firstAnswer, sendRequest, type Target } from "./request.ts";
import { type Result, startSender } from "./sender.ts";
import { startEchoServer } from "./server.ts";
import type { Sent, Side } from "./side.ts";
import { startSidecar } from "./sidecar.ts";
import { type Counts, createTally, type StepCounts } from "./tally.ts";

/** Requests from a pod of one member to a pod of another, each over a mutual TLS connection of its own. */
export interface Traffic {
  /** Where the client's sidecar offers the service. */
  readonly target: Target;
  /**
   * A request without TLS from another pod of this cluster to the server's sidecar: the code of the error
   * that it ends with, or `no answer`. Where pods cannot be told apart, it is one of the machine.
   */
  knock(clusterId: string): Promise<string>;
  /** One more request, which is not counted; answers with the server's `x-forwarded-client-cert`. */
  request(): Promise<Answer>;
  counts(): Counts;
  /**
   * Runs the work, waits a moment for what it sets off, and counts all requests since the step before it
   * ended, or since the start.
   */
  step(name: string, work: () => Promise<void>): Promise<StepCounts>;
  sides(): Promise<{ readonly client: Side | undefined; readonly server: Side | undefined }>;
  /** By the client's sidecar, since its start, counted by Envoy. */
  sent(): Promise<Sent>;
  /** How often the client's sidecar was seen with the pod's own address of a server in another network. */
  rawAddresses(): number;
  /** Of the failures so far, the latest. */
  lastFailure(): Result | undefined;
  stop(): Promise<void>;
}

const PER_SECOND = 40;
/** What a change sets off in sidecars comes a moment after it is done in clusters. */
const AFTERMATH_MS = 2000;

export interface TrafficOptions {
  /** `false` where no request is to pass yet. */
  readonly waitForAnswer?: boolean;
  /** From the second member to the first, with a client and a server of their own. */
  readonly isBack?: boolean;
  /** Of Istio, of both sidecars: as of pods that started before an upgrade. Unless given, that of istiod. */
  readonly release?: string;
}

const BACK: Apps = { client: "client-back", server: "hello-back" };

/**
 * Starts a client in the first member and a server in the second, and returns after the first answer. Nothing
 * is tried twice: there are no retries in the mesh and none in the client. It stops with the fleet, if not
 * before.
 */
export async function startTraffic(fleet: SandboxFleet, options: TrafficOptions = {}): Promise<Traffic> {
  const undo = createUndo();
  fleet.beforeStop(() => undo.run());
  try {
    return await start(fleet, options, undo);
  } catch (error) {
    await undo.run();
    throw error;
  }
}

async function start(
  fleet: SandboxFleet,
  { waitForAnswer = true, isBack = false, release }: TrafficOptions,
  undo: Undo,
): Promise<Traffic> {
  const { members, logDir } = fleet.file();
  const [clientMember, serverMember] = isBack ? members.slice(0, 2).toReversed() : members;
  const apps = isBack ? BACK : APPS;
  const { traffic } = fleet;
  if (traffic === undefined) throw new Error("the fleet was started without traffic; use --traffic");
  if (clientMember === undefined || serverMember === undefined) {
    throw new Error("traffic needs two members; use --members 2");
  }
  const server = await startEchoServer();
  undo.add(() => server.stop());
  const ports = {
    service: await freePort(),
    sidecar: await freePort(),
    server: server.port,
  };
  const apis = { client: memberApi(clientMember), server: memberApi(serverMember) };
  const pods = {
    client: traffic.vpc?.addPod(clientMember.clusterId),
    server: traffic.vpc?.addPod(serverMember.clusterId),
  };
  if (pods.server !== undefined) await traffic.vpc?.expose(pods.server, ports.sidecar);
  await deploy(apis, apps, ports, pods.server?.loopback ?? traffic.hostAddress);
  const shared = { traffic, logDir, release };
  const [client, behind] = await Promise.all([
    startSidecar(
      { app: apps.client, member: clientMember, api: apis.client, pod: pods.client, ...shared },
      undo,
    ),
    startSidecar(
      { app: apps.server, member: serverMember, api: apis.server, pod: pods.server, ...shared },
      undo,
    ),
  ]);
  const target = { port: ports.service, host: serviceHost(apps) };
  const request = () => sendRequest(target);
  if (waitForAnswer) await firstAnswer(`${apps.server}, from ${clientMember.name},`, request);

  const { proxies } = traffic;
  const known = proxies.get(clientMember.clusterId) ?? [];
  proxies.set(clientMember.clusterId, [...known, { pod: apps.client, clusters: client.clustersUrl }]);
  const raw = watchRaw(client.clustersUrl, `${traffic.hostAddress}:${ports.sidecar}`, [
    clientMember.network,
    serverMember.network,
  ]);
  undo.add(() => raw.stop());
  const tally = createTally();
  let lastFailure: Result | undefined;
  const log = join(logDir, isBack ? "traffic-back.jsonl" : "traffic.jsonl");
  let writing = Promise.resolve();
  const sender = startSender({
    send: request,
    perSecond: PER_SECOND,
    onResult(result) {
      tally.add(result);
      if (result.failure !== undefined) lastFailure = result;
      writing = writing.then(() => appendFile(log, `${JSON.stringify(result)}\n`));
    },
  });
  undo.add(async () => {
    await sender.stop();
    await writing;
  });
  return {
    target,
    knock: (clusterId) =>
      knock({
        host: traffic.hostAddress,
        port: ports.sidecar,
        localAddress: traffic.vpc?.addPod(clusterId).loopback,
      }),
    request,
    counts: () => tally.counts(),
    async step(name, work) {
      await work();
      await sleep(AFTERMATH_MS);
      return tally.endStep(name);
    },
    async sides() {
      const [left, right] = await Promise.all([client.side(), behind.side()]);
      return { client: left, server: right };
    },
    sent: () => client.sent(),
    rawAddresses: () => raw.count(),
    lastFailure: () => lastFailure,
    stop: () => undo.run(),
  };
}

/** Within one network the pod's own address is the right one. */
function watchRaw(url: string, address: string, [from, to]: readonly [string, string]): RawAddresses {
  return watchRawAddresses(from === to ? [] : [{ url, address }]);
}

interface Apis {
  readonly client: ApiClient;
  readonly server: ApiClient;
}

/** `bind`: where the server's sidecar listens. */
async function deploy(apis: Apis, apps: Apps, ports: TrafficPorts, bind: string): Promise<void> {
  const everywhere = meshManifests(apps, ports, bind);
  await Promise.all(
    Object.values(apis).map(async (api: ApiClient) => {
      for (const manifest of everywhere) await createIfAbsent(api, manifest);
    }),
  );
  await createIfAbsent(apis.client, podManifest(apps.client));
  await createIfAbsent(apis.server, podManifest(apps.server));
}

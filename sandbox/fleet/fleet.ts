import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { networkName, rootSecretName } from "../../shared/core/names.ts";
import { formatRootNotes, NO_NOTES } from "../../shared/core/roots/notes.ts";
import { makeRoot } from "../../shared/pki/make-root.ts";
import type { ClusterConnections } from "../cluster/audit-log.ts";
import { type CloudClient, createCloudClient } from "../google/client.ts";
import { type GoogleCloud, PROJECT, startGoogleCloud } from "../google/cloud.ts";
import type { ComputeQuotas } from "../google/compute/quotas.ts";
import type { FaultBoard } from "../google/faults/faults.ts";
import type { FunctionName } from "../google/functions/function-process.ts";
import { type SandboxFunctions, startFunctions } from "../google/functions/functions.ts";
import type { RequestLedger } from "../google/http/ledger.ts";
import type { Accounts } from "../google/identity/accounts.ts";
import { startMetadataServer } from "../google/identity/metadata.ts";
import type { FleetMember } from "../google/member.ts";
import type { Iam } from "../google/permissions/iam.ts";
import type { ProjectState } from "../google/project/state.ts";
import { CLUSTER_EVENTS, ROTATION } from "../google/pubsub/pubsub.ts";
import type { Delivery } from "../google/pubsub/push.ts";
import { lockDirectory } from "../os/directory-lock.ts";
import { createUndo, type Undo } from "../os/undo.ts";
import { deployBundle } from "./deployment.ts";
import type { FleetFile } from "./fleet-file.ts";
import { type FleetTraffic, prepareTraffic, type TrafficBasis } from "./fleet-traffic.ts";
import { gcloudEnvironmentFile, renderGcloudEnvironment } from "./gcloud-environment.ts";
import { waitUntilSynced } from "./istiod-sync.ts";
import { keepFleetFile } from "./keep-fleet-file.ts";
import { meshjoinEnvironmentFile, renderMeshjoinEnvironment } from "./meshjoin-environment.ts";
import { startVpc } from "./vpc.ts";

export interface FleetOptions {
  /** How many clusters to begin with. */
  readonly members: number;
  /** Everything is written below it; refused while another sandbox uses it. */
  readonly dir: string;
  /** Label the clusters and wait until they are one mesh; otherwise they stay unlabelled. */
  readonly join: boolean;
  /** Heed Istio's autoscaler and disruption budget, as GKE does: each member runs two istiods. */
  readonly autoscaler?: boolean;
  /** Run istiod so that sidecars of a vanilla Envoy may talk to each other; `startTraffic` starts them. */
  readonly traffic?: boolean;
  /** Over how many VPC networks the clusters are spread, in turn; 1 unless given. */
  readonly networks?: number;
  /** `false` leaves the firewall rule for pods out. */
  readonly firewall?: boolean;
  readonly progress: (line: string) => void;
  /** What `npm run build` made; by default that is done now. A copy of it runs. `false` runs no functions. */
  readonly bundle?: string | false;
  /** `MESHJOIN_*` of it reach the functions, and `PUBSUB_EMULATOR_HOST` replaces the own Pub/Sub server. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Ends a start that has not finished. */
  readonly signal?: AbortSignal;
}

/** A whole fleet on this machine: clusters, Google's APIs, Meshjoin's functions. */
export interface SandboxFleet {
  /** The same as `<dir>/fleet.json`, as of now. */
  file(): FleetFile;
  readonly accounts: Accounts;
  readonly faults: FaultBoard;
  readonly ledger: RequestLedger;
  /** What the functions may do, and what they were asked for. */
  readonly iam: Iam;
  /** Billing, APIs, rights, policies and quotas of the project. */
  readonly state: ProjectState;
  readonly computeQuotas: ComputeQuotas;
  /** What was pushed to the functions so far, oldest first. */
  readonly deliveries: readonly Delivery[];
  /** Through the GKE API, as any client does; resolves when the cluster is RUNNING. */
  createCluster(name: string, options?: ClusterOptions): Promise<FleetMember>;
  /** Through the GKE API; resolves when the cluster is gone. */
  deleteCluster(name: string): Promise<void>;
  /** The clusters that carry the label of the mesh. */
  meshMembers(): readonly FleetMember[];
  /** Until every labelled member's istiod lists every other one as synced. */
  waitUntilSynced(): Promise<void>;
  /**
   * Until the functions have accepted, or failed for good on, everything published so far; a fault may hold
   * events back.
   */
  waitUntilDelivered(): Promise<void>;
  /** Of the instance that runs now; undefined if the bundle does not have the function. */
  functionPid(name: FunctionName): number | undefined;
  /** What sidecars need; undefined without the option `traffic`. */
  readonly traffic: FleetTraffic | undefined;
  /** Before anything of the fleet ends; at once if it is ending. */
  beforeStop(step: () => Promise<unknown>): void;
  /** Requests of one account to the API servers of all members. */
  clusterRequests(email: string, sinceMs?: number): Promise<number>;
  /** Over how many connections those came; on Linux only. */
  clusterConnections(email: string, sinceMs?: number): Promise<ClusterConnections>;
  publish(topic: typeof CLUSTER_EVENTS | typeof ROTATION, message: object): Promise<void>;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  readonly location?: string;
  /** Default: those that make it a member if the fleet joins, none otherwise. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Default: a Standard cluster. */
  readonly autopilot?: boolean;
  /** Default: `default`. */
  readonly network?: string;
  /** `false`: GKE brings no Gateway API. */
  readonly gatewayApi?: boolean;
}

const DEFAULT_NETWORK = "default";
const DELIVERY_POLL_MS = 50;
const BUILD = fileURLToPath(new URL("../../scripts/build/build.ts", import.meta.url));
const DIST = fileURLToPath(new URL("../../dist", import.meta.url));
/** Regional and zonal ones: their names are spelt differently in the audit log. */
const LOCATIONS = ["europe-west1", "us-central1-a", "asia-northeast1", "europe-north1-b"] as const;

/** Everything is undone if the start fails, and when this process dies its children die with it. */
export async function startFleet(options: FleetOptions): Promise<SandboxFleet> {
  const undo = createUndo();
  try {
    const starting = start(options, undo);
    return await (options.signal === undefined
      ? starting
      : Promise.race([starting, aborted(options.signal)]));
  } catch (error) {
    await undo.run().catch((failure: unknown) => options.progress(String(failure)));
    throw error;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const give = () => reject(new Error("the start was stopped; start again"));
  if (signal.aborted) give();
  else signal.addEventListener("abort", give, { once: true });
  return promise;
}

async function start(options: FleetOptions, undo: Undo): Promise<SandboxFleet> {
  const env = options.env ?? process.env;
  const dir = resolve(options.dir);
  const lock = await lockDirectory(dir);
  undo.add(() => lock.release());
  const logDir = join(dir, "logs");
  for (const name of ["clusters", "functions", "gcloud", "logs", "traffic", "fleet.json"]) {
    await rm(join(dir, name), { recursive: true, force: true });
  }
  await mkdir(logDir, { recursive: true });
  options.progress("starting the stand-ins of Google's APIs and Meshjoin's functions");

  const meshId = env["MESHJOIN_MESH_ID"] || "sandbox";
  const traffic = options.traffic === true ? await prepareTraffic(options.progress) : undefined;
  const google = await startGoogleCloud(
    {
      dir,
      logDir,
      env,
      progress: options.progress,
      autoscaler: options.autoscaler === true,
      firewall: options.firewall ?? true,
      networks: networksOf(options),
      enforcesFirewall: traffic?.tellsPodsApart === true,
      ...(traffic !== undefined && { traffic }),
    },
    undo,
  );
  const gcloudFile = gcloudEnvironmentFile(dir);
  await writeFile(gcloudFile, renderGcloudEnvironment(dir, { ...google, project: PROJECT.id }));
  undo.add(() => rm(gcloudFile, { force: true }));
  // After the binaries are there: their first build takes minutes and shows its progress.
  const built = options.bundle ?? (await build(env));
  const bundle = built === false ? false : await deployBundle(built, join(dir, "functions"));
  const client = createCloudClient({ ...google, project: PROJECT.id });
  await createRoot(client, meshId);
  const settings = settingsOf(google, meshId, env);
  await serveCommandLine(dir, google, settings, undo);
  const functions = await startMeshjoin({ google, bundle, settings, logDir, env }, undo);
  const parts = { options, env, meshId, dir, logDir, google, client, functions };
  const fleet = assemble({ ...parts, traffic: traffic && connectPods(traffic, parts, undo) }, undo);
  await populate(fleet, options);
  const kept = await keepFleetFile(dir, () => fleet.file());
  undo.add(() => kept.stop());
  return fleet;
}

/** In a process of its own: nothing of the bundler stays in this one. */
async function build(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  await promisify(execFile)(process.execPath, [BUILD], { env: { ...process.env, ...env } });
  return DIST;
}

/** As `meshjoin root init` leaves it. */
async function createRoot(client: CloudClient, meshId: string): Promise<void> {
  const { certificate, privateKey } = await makeRoot({ organization: meshId, now: new Date() });
  const annotations = formatRootNotes({ ...NO_NOTES, origin: "generated" }, {});
  await client.createSecret(rootSecretName(meshId), `${certificate}${privateKey}`, "signing", annotations);
}

/** What the functions and the command line are told. */
function settingsOf(
  google: GoogleCloud,
  meshId: string,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const own = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[0].startsWith("MESHJOIN_") && entry[1] !== undefined,
  );
  return {
    MESHJOIN_MESH_ID: meshId,
    MESHJOIN_PROJECTS: PROJECT.id,
    MESHJOIN_ROOT_PROJECT: PROJECT.id,
    // A load balancer of the sandbox leads to its pods when it has its address.
    MESHJOIN_GATEWAY_SETTLE: "0s",
    ...Object.fromEntries(own),
    MESHJOIN_CONTAINER_ENDPOINT: google.containerEndpoint,
    MESHJOIN_SECRETMANAGER_ENDPOINT: google.secretManagerEndpoint,
    MESHJOIN_COMPUTE_ENDPOINT: google.computeEndpoint,
    MESHJOIN_PROJECT_ENDPOINT: google.projectEndpoint,
  };
}

/** The command line runs as the person who uses the sandbox, and gets credentials as the functions do. */
async function serveCommandLine(
  dir: string,
  google: GoogleCloud,
  settings: Readonly<Record<string, string>>,
  undo: Undo,
): Promise<void> {
  const project = { project: PROJECT.id, projectNumber: PROJECT.number };
  const metadata = await startMetadataServer({ ...google, ...project, email: google.accounts.developer });
  undo.add(() => metadata.close());
  const file = meshjoinEnvironmentFile(dir);
  const target = { project: PROJECT.id, metadataHost: metadata.host, settings };
  await writeFile(file, renderMeshjoinEnvironment(dir, target));
  undo.add(() => rm(file, { force: true }));
}

interface MeshjoinOptions {
  readonly google: GoogleCloud;
  readonly bundle: string | false;
  readonly settings: Readonly<Record<string, string>>;
  readonly logDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Starts the functions, and subscribes them to their topics. */
async function startMeshjoin(options: MeshjoinOptions, undo: Undo): Promise<SandboxFunctions> {
  if (options.bundle === false) return { urls: {}, pid: () => undefined, stop: () => Promise.resolve() };
  const { google, bundle, logDir, settings } = options;
  const functions = await startFunctions({
    ...google,
    project: PROJECT.id,
    projectNumber: PROJECT.number,
    bundle,
    logDir,
    env: settings,
  });
  undo.add(() => functions.stop());
  google.setSignerRuns(
    functions.urls["sign-intermediate"] !== undefined && options.env["MESHJOIN_SIGNER_URL"] === undefined,
  );
  const subscribers = { [CLUSTER_EVENTS]: "on-cluster-event", [ROTATION]: "on-rotation-request" } as const;
  for (const topic of [CLUSTER_EVENTS, ROTATION] as const) {
    const url = functions.urls[subscribers[topic]];
    if (url !== undefined) await google.pubsub.push(topic, url);
  }
  return functions;
}

interface Parts {
  readonly options: FleetOptions;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly meshId: string;
  readonly dir: string;
  readonly logDir: string;
  readonly google: GoogleCloud;
  readonly client: CloudClient;
  readonly functions: SandboxFunctions;
  readonly traffic: FleetTraffic | undefined;
}

function connectPods(
  basis: TrafficBasis,
  { dir, google }: Pick<Parts, "dir" | "google">,
  undo: Undo,
): FleetTraffic {
  const { hostAddress, tellsPodsApart } = basis;
  const vpc = tellsPodsApart ? startVpc({ hostAddress, firewall: google.firewall }) : undefined;
  undo.add(async () => await vpc?.stop());
  if (vpc !== undefined) basis.connect(vpc);
  return {
    ...basis,
    dir: join(dir, "traffic"),
    proxies: new Map(),
    vpc,
    xdsAddress: (clusterId) =>
      google.members().find((member) => member.clusterId === clusterId)?.istiods[0]?.xds,
  };
}

function assemble(parts: Parts, undo: Undo): SandboxFleet {
  const { options, google, client, meshId } = parts;
  const meshLabel = parts.env["MESHJOIN_MESH_LABEL"] || "mesh_id";
  const stopping = new AbortController();
  undo.add(async () => stopping.abort(new Error("the sandbox is stopping")));
  const memberNamed = (name: string): FleetMember => {
    const member = google.members().find((candidate) => candidate.name === name);
    if (member === undefined)
      throw new Error(`no cluster is named ${name}; see fleet.json for those that run`);
    return member;
  };
  const meshMembers = () => google.members().filter(({ labels }) => labels[meshLabel] === meshId);
  return {
    meshMembers,
    accounts: google.accounts,
    faults: google.faults,
    ledger: google.ledger,
    iam: google.iam,
    state: google.state,
    computeQuotas: google.computeQuotas,
    deliveries: google.deliveries,
    traffic: parts.traffic,
    beforeStop: (step) => undo.add(step),
    functionPid: (name) => parts.functions.pid(name),
    clusterRequests: (email, sinceMs) => google.clusterRequests(email, sinceMs),
    clusterConnections: (email, sinceMs) => google.clusterConnections(email, sinceMs),
    publish: (topic, message) => google.pubsub.publish(topic, message),
    stop: () => undo.run(),
    file: () => ({
      project: PROJECT.id,
      meshId,
      containerEndpoint: google.containerEndpoint,
      secretManagerEndpoint: google.secretManagerEndpoint,
      computeEndpoint: google.computeEndpoint,
      projectEndpoint: google.projectEndpoint,
      pubsubEmulatorHost: google.pubsub.host,
      topics: { clusterEvents: CLUSTER_EVENTS, rotation: ROTATION },
      accessTokenFile: google.accessTokenFile,
      controlUrl: google.controlUrl,
      logDir: parts.logDir,
      clients: google.clients,
      functions: parts.functions.urls,
      networks: istioNetworksOf(options),
      members: google.members().map((member) => ({
        ...member,
        proxies: parts.traffic?.proxies.get(member.clusterId) ?? [],
      })),
    }),
    async createCluster(name, { location = LOCATIONS[0], labels, ...rest } = {}) {
      const joining = options.join ? { [meshLabel]: meshId } : {};
      await client.createCluster({ ...rest, name, location, labels: labels ?? joining });
      return memberNamed(name);
    },
    async deleteCluster(name) {
      await client.deleteCluster(memberNamed(name).location, name);
    },
    waitUntilSynced: () =>
      waitUntilSynced({
        members: meshMembers,
        signal: stopping.signal,
        progress: options.progress,
      }),
    async waitUntilDelivered() {
      while (google.pubsub.undelivered() > 0) {
        await sleep(DELIVERY_POLL_MS, undefined, { signal: stopping.signal });
      }
    },
  };
}

/** As Istio names the networks over which the clusters are spread. */
export function istioNetworksOf(options: Pick<FleetOptions, "networks">): string[] {
  return networksOf(options).map((name) => networkName({ project: PROJECT.id, name }));
}

/** Their names; the first is the one that every project has. */
function networksOf({ networks = 1 }: Pick<FleetOptions, "networks">): string[] {
  return Array.from({ length: networks }, (_, index) =>
    index === 0 ? DEFAULT_NETWORK : `network-${index + 1}`,
  );
}

/**
 * The first clusters, all asked for at once as a script would; then, if they join, until they are one mesh.
 */
async function populate(fleet: SandboxFleet, options: FleetOptions): Promise<void> {
  if (options.join && options.members > 0 && fleet.file().functions["on-cluster-event"] === undefined) {
    throw new Error("the bundle has no function on-cluster-event, so nothing would join; use --no-join");
  }
  const networks = networksOf(options);
  const names = Array.from({ length: options.members }, (_, index) => `mesh-${index + 1}`);
  if (names.length > 0) options.progress(`starting ${names.join(", ")}`);
  const created = await Promise.allSettled(
    names.map((name, index) =>
      fleet.createCluster(name, {
        location: LOCATIONS[index % LOCATIONS.length] ?? LOCATIONS[0],
        network: networks[index % networks.length] ?? DEFAULT_NETWORK,
      }),
    ),
  );
  const failed = created.filter((result) => result.status === "rejected");
  if (failed.length > 0)
    throw new AggregateError(
      failed.map(({ reason }) => reason),
      failed.map(({ reason }) => String(reason)).join("; "),
    );
  if (!options.join) return;
  options.progress("all clusters are up; waiting until they are one mesh");
  await fleet.waitUntilSynced();
}

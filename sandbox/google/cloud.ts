import { appendFileSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { clusterId, networkName } from "../../shared/core/names.ts";
import { type Pin, parsePin } from "../../shared/istio/pin.ts";
import { type Binaries, ensureBinaries } from "../binaries/build.ts";
import {
  type ClusterConnections,
  countClusterConnections,
  countClusterRequests,
} from "../cluster/audit-log.ts";
import { createImageRegistry, type ImageRegistry } from "../cluster/node/image-registry.ts";
import type { TrafficSupport } from "../cluster/traffic-support.ts";
import type { Undo } from "../os/undo.ts";
import { type ComputeApi, startCompute } from "./compute/api.ts";
import { createPodFirewall, type PodFirewall } from "./compute/pod-firewall.ts";
import type { ComputeQuotas } from "./compute/quotas.ts";
import { startControlServer } from "./faults/control-server.ts";
import { createFaultBoard, type FaultBoard } from "./faults/faults.ts";
import { type GkeApi, startGke } from "./gke/api.ts";
import { networkOf, POD_ADDRESSES } from "./gke/cluster.ts";
import { withFirewallRules } from "./gke/firewall.ts";
import { createRequestLedger, type RequestLedger } from "./http/ledger.ts";
import { type Accounts, accountsOf } from "./identity/accounts.ts";
import { createIdentityTokens, type IdentityTokens } from "./identity/identity-tokens.ts";
import { startTokenReview } from "./identity/token-review.ts";
import { createTokenRegistry, type TokenRegistry } from "./identity/tokens.ts";
import type { FleetMember } from "./member.ts";
import { startAccessReview } from "./permissions/access-review.ts";
import { grantedPermissions } from "./permissions/granted.ts";
import { createIam, type Iam } from "./permissions/iam.ts";
import { startProjectApis } from "./project/api.ts";
import { createProjectState, type ProjectState } from "./project/state.ts";
import { type SandboxPubSub, startPubSub } from "./pubsub/pubsub.ts";
import type { Delivery } from "./pubsub/push.ts";
import { createRunningClusters, type RunningClusters } from "./running-clusters.ts";
import { startSecretManager } from "./secret-manager/api.ts";

export const PROJECT = { id: "meshjoin-sandbox", number: "314159265358" } as const;

const DEFAULT_NETWORK = "default";

/** Of every cluster in a network that gets its pods' addresses from the sandbox. */
function podsRule(network: string) {
  return {
    name: network === DEFAULT_NETWORK ? "meshjoin-pods" : `meshjoin-pods-${network}`,
    network: `global/networks/${network}`,
    sourceRanges: [POD_ADDRESSES],
    allowed: [{ IPProtocol: "tcp" }, { IPProtocol: "udp" }, { IPProtocol: "icmp" }],
  };
}

/** A mirror that holds what Istio publishes, as Terraform's `image_mirror` makes one. */
export const MIRROR_HUB = "europe-west1-docker.pkg.dev/meshjoin-sandbox/meshjoin-docker-hub/istio";
const PIN = new URL("../../shared/istio/pin.json", import.meta.url);

export interface GoogleCloudOptions {
  readonly dir: string;
  readonly logDir: string;
  /** `PUBSUB_EMULATOR_HOST` of it replaces the own Pub/Sub server. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly progress: (line: string) => void;
  /** Where sidecars are to run. */
  readonly traffic?: TrafficSupport;
  /** Whether the clusters heed autoscalers and disruption budgets. */
  readonly autoscaler?: boolean;
  /** `false` leaves out the rule that lets pods of all clusters in a network reach each other. */
  readonly firewall?: boolean;
  /** Names of the networks that have that rule; `default` unless given. */
  readonly networks?: readonly string[];
  /** Whether something asks `GoogleCloud.firewall` before pods reach each other. */
  readonly enforcesFirewall?: boolean;
}

/** Google Cloud as far as Meshjoin needs it, with real Kubernetes behind it. */
export interface GoogleCloud {
  readonly containerEndpoint: string;
  readonly secretManagerEndpoint: string;
  readonly computeEndpoint: string;
  readonly projectEndpoint: string;
  readonly controlUrl: string;
  /** Paths of the programs that come with the control planes. */
  readonly clients: { readonly kubectl: string; readonly istioctl: string };
  readonly pubsub: SandboxPubSub;
  /** Of the developer, who may do everything. */
  readonly accessToken: string;
  readonly accessTokenFile: string;
  readonly accounts: Accounts;
  readonly tokens: TokenRegistry;
  readonly identityTokens: IdentityTokens;
  readonly faults: FaultBoard;
  readonly ledger: RequestLedger;
  readonly iam: Iam;
  /** Billing, APIs, rights, policies and quotas of the project. */
  readonly state: ProjectState;
  readonly computeQuotas: ComputeQuotas;
  readonly deliveries: readonly Delivery[];
  readonly firewall: PodFirewall;
  /** Every RUNNING cluster. */
  members(): FleetMember[];
  clusterRequests(email: string, sinceMs?: number): Promise<number>;
  clusterConnections(email: string, sinceMs?: number): Promise<ClusterConnections>;
  /** Whether root keys are for the signer alone. */
  setSignerRuns(runs: boolean): void;
}

export async function startGoogleCloud(options: GoogleCloudOptions, undo: Undo): Promise<GoogleCloud> {
  const pin = parsePin(await readFile(PIN, "utf8"));
  const binaries = await ensureBinaries(options.progress, pin.release);
  const accounts = accountsOf(PROJECT.id);
  const tokens = createTokenRegistry();
  const ledger = createRequestLedger();
  const faults = createFaultBoard();
  const deliveries: Delivery[] = [];
  let signerRuns = false;
  const granted = await grantedPermissions();
  const iam = createIam({ accounts, granted, signerRuns: () => signerRuns });
  const shared = { tokens, ledger, faults, projects: [PROJECT], allows: iam.allows };

  const pubsub = await startPubSubOf(options, { binaries, faults, deliveries }, undo);
  const tokenReview = await startTokenReview(tokens);
  undo.add(() => tokenReview.close());
  const accessReview = await startAccessReview(iam);
  undo.add(() => accessReview.close());
  const clusters = createRunningClusters({
    ...options,
    dir: join(options.dir, "clusters"),
    binaries,
    tokenReviewUrl: tokenReview.url,
    accessReviewUrl: accessReview.url,
    adminUsers: [accounts.developer],
    registry: registryOf(pin, options.env, faults),
  });
  undo.add(() => clusters.stop());
  const gke: GkeApi = await startGke({
    ...shared,
    backend: withFirewallRules({
      backend: clusters.backend,
      clusters: () => gke.clusters(),
      compute: () => compute,
    }),
    onAuditEntry: (entry) => {
      pubsub
        .publishAuditEntry(entry)
        .catch((error: unknown) => options.progress(`pub/sub: ${String(error)}`));
    },
  });
  undo.add(() => gke.close());
  const secretManager = await startSecretManager({ ...shared, wouldAllow: iam.wouldAllow });
  undo.add(() => secretManager.close());
  const state = createProjectState([PROJECT]);
  const projectApis = await startProjectApis({ ...shared, state });
  undo.add(() => projectApis.close());
  const made = options.networks ?? [DEFAULT_NETWORK];
  const compute: ComputeApi = await startCompute({
    ...shared,
    state,
    networks: () => [...made, ...networksOf(gke)],
  });
  undo.add(() => compute.close());
  for (const network of options.firewall === false ? [] : made) compute.create(PROJECT.id, podsRule(network));
  const firewall = createPodFirewall({
    clusters: () => gke.clusters(),
    rules: (project, network) => compute.rules(project, network),
    faults: () => faults.list(),
  });
  const counts = requestCounts(clusters);
  const control = await startControlServer({
    faults,
    ledger,
    members: clusters.faults,
    ...(options.enforcesFirewall === true && { firewall }),
    clusterRequests: counts.clusterRequests,
  });
  undo.add(() => control.close());
  const access = await writeAccessToken(options.dir, tokens.issue(accounts.developer), undo);
  return {
    containerEndpoint: gke.url,
    secretManagerEndpoint: secretManager.url,
    computeEndpoint: compute.url,
    projectEndpoint: projectApis.url,
    controlUrl: control.url,
    clients: { kubectl: binaries.kubectl, istioctl: binaries.istioctl },
    pubsub,
    ...access,
    accounts,
    tokens,
    identityTokens: createIdentityTokens(),
    faults,
    ledger,
    iam,
    state,
    computeQuotas: compute.quotas,
    deliveries,
    firewall,
    members: () => runningMembers(gke, clusters),
    ...counts,
    setSignerRuns(runs) {
      signerRuns = runs;
    },
  };
}

/**
 * Nodes get what Istio publishes from where it publishes, from the hub that the functions are told of, and
 * from one mirror.
 */
function registryOf(pin: Pin, env: GoogleCloudOptions["env"], faults: FaultBoard): ImageRegistry {
  return createImageRegistry({
    hubs: [pin.hub, MIRROR_HUB, env["MESHJOIN_ISTIO_HUB"] ?? pin.hub],
    tag: pin.tag,
    isKeptBack: (image) => faults.list().some((fault) => fault.kind === "imagePull" && fault.image === image),
  });
}

/** Over all API servers. */
function requestCounts(
  clusters: RunningClusters,
): Pick<GoogleCloud, "clusterRequests" | "clusterConnections"> {
  const auditLogs = () => clusters.all().map(({ auditLogPath }) => auditLogPath);
  return {
    async clusterRequests(email, sinceMs = 0) {
      const counts = await Promise.all(auditLogs().map((log) => countClusterRequests(log, email, sinceMs)));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    async clusterConnections(email, sinceMs = 0) {
      const counts = await Promise.all(
        auditLogs().map((log) => countClusterConnections(log, email, sinceMs)),
      );
      return {
        forRequests: counts.reduce((sum, { forRequests }) => sum + forRequests, 0),
        forPortForwards: counts.reduce((sum, { forPortForwards }) => sum + forPortForwards, 0),
      };
    },
  };
}

async function writeAccessToken(
  dir: string,
  accessToken: string,
  undo: Undo,
): Promise<Pick<GoogleCloud, "accessToken" | "accessTokenFile">> {
  const accessTokenFile = join(dir, "access-token");
  await writeFile(accessTokenFile, accessToken, { mode: 0o600 });
  undo.add(() => rm(accessTokenFile, { force: true }));
  return { accessToken, accessTokenFile };
}

interface PubSubParts {
  readonly binaries: Binaries;
  readonly faults: FaultBoard;
  readonly deliveries: Delivery[];
}

async function startPubSubOf(
  { env, logDir, progress }: GoogleCloudOptions,
  { binaries, faults, deliveries }: PubSubParts,
  undo: Undo,
): Promise<SandboxPubSub> {
  const emulatorHost = env["PUBSUB_EMULATOR_HOST"];
  const pubsub = await startPubSub({
    project: PROJECT.id,
    binary: binaries.pubsub,
    logDir,
    ...(emulatorHost === undefined || emulatorHost === "" ? {} : { emulatorHost }),
    faults,
    warn: progress,
    onDelivery: (delivery) => {
      deliveries.push(delivery);
      const { message, ...rest } = delivery;
      appendFileSync(
        join(logDir, "push.log"),
        `${JSON.stringify({ ...rest, messageId: message.messageId })}\n`,
      );
    },
  });
  undo.add(() => pubsub.stop());
  return pubsub;
}

/** No API of the sandbox makes networks: beside those of its start, those exist that a cluster is in. */
function networksOf(gke: GkeApi): string[] {
  return gke.clusters().map(({ request }) => networkOf(PROJECT.id, request.stated).name);
}

function runningMembers(gke: GkeApi, clusters: RunningClusters): FleetMember[] {
  return gke.clusters().flatMap(({ ref, status, labels, request }) => {
    const id = clusterId(ref);
    const running = clusters.get(id);
    if (status !== "RUNNING" || running === undefined) return [];
    const istiods = running.istiods();
    const [first] = istiods;
    return [
      {
        clusterId: id,
        ...ref,
        labels,
        network: networkName(networkOf(ref.project, request.stated)),
        gateway: running.loadBalancers.gateway() ?? null,
        ingress: running.loadBalancers.ingress() ?? null,
        kubeconfig: running.kubeconfigPath,
        istiods,
        ...(first === undefined ? {} : { istiodHttp: first.http }),
      },
    ];
  });
}

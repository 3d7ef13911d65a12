import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Binaries } from "../binaries/build.ts";
import { createUndo, type Undo } from "../os/undo.ts";
import { type ApiClient, createApiClient } from "./api-client.ts";
import { type AutopilotPolicy, enforceAutopilot } from "./autopilot.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { bringGatewayApi } from "./gateway-api.ts";
import { type ApiServer, startApiServer, startControllerManager, startEtcd } from "./kube-processes.ts";
import { renderKubeconfig } from "./kubeconfig.ts";
import { type LoadBalancers, startLoadBalancers } from "./load-balancers.ts";
import type { ImageRegistry } from "./node/image-registry.ts";
import { startKubeletServer } from "./node/kubelet-server.ts";
import { type IstiodOfPod, type NodeStandIn, startNode } from "./node/node.ts";
import { type PodNetwork, startPodNetwork } from "./pod-network.ts";
import { type PortForwardSockets, startPortForwards } from "./port-forwards.ts";
import { GOOGLES_SERVICE_RANGE } from "./service-range.ts";
import type { TrafficSupport } from "./traffic-support.ts";

export interface RunningClusterOptions {
  readonly name: string;
  /** Work files; made if absent, not removed by `stop`. */
  readonly dir: string;
  /** One file for each process, and the audit log. */
  readonly logDir: string;
  readonly binaries: Binaries;
  /**
   * Plain-HTTP webhook that answers `authentication.k8s.io/v1` TokenReviews; asked for every token that is
   * not the cluster's own.
   */
  readonly tokenReviewUrl: string;
  /**
   * Plain-HTTP webhook that answers `authorization.k8s.io/v1` SubjectAccessReviews; asked about all that RBAC
   * does not allow.
   */
  readonly accessReviewUrl?: string;
  /** Users that are bound to `cluster-admin` from the start. */
  readonly adminUsers?: readonly string[];
  /** Groups that are bound to `cluster-admin` from the start. */
  readonly adminGroups?: readonly string[];
  /** A region or a zone of Google Cloud; unless given, the node has no labels about it. */
  readonly location?: string;
  /** 0 to 99, another one for every cluster: pods get 10.(100 + index).0.0/16. */
  readonly podCidrIndex: number;
  /** Unless given, the one that GKE gives to all clusters. */
  readonly serviceRange?: string;
  readonly registry: ImageRegistry;
  /** Where the cluster is an Autopilot one. */
  readonly autopilot?: AutopilotPolicy;
  /** `false`: GKE brings no Gateway API. */
  readonly gatewayApi?: boolean;
  /** Where sidecars are to run. */
  readonly traffic?: TrafficSupport;
  /**
   * Whether autoscalers and disruption budgets are heeded: then there are as many istiods as the manifest
   * wants at least.
   */
  readonly autoscaler?: boolean;
}

/** An istiod pod whose process runs, with its listeners on 127.0.0.1. */
export interface RunningIstiod {
  readonly pod: string;
  readonly pid: number;
  /** `http://127.0.0.1:PORT` of the `:8080` debug port, as from inside its pod. */
  readonly http: string;
  /** `127.0.0.1:PORT` of the port that sidecars use, TLS. */
  readonly xds: string;
}

/**
 * A running cluster: real etcd, kube-apiserver, kube-controller-manager and istiod, everything else stood in
 * for.
 */
export interface RunningCluster {
  readonly name: string;
  /** `https://127.0.0.1:PORT`, through the proxy that faults are set on: what the GKE API should announce. */
  readonly server: string;
  /** The same kube-apiserver, out of reach of faults. */
  readonly directServer: string;
  readonly caPem: string;
  /** Of a cluster administrator, to `directServer`; its requests are not in the audit log. */
  readonly kubeconfigPath: string;
  /**
   * JSON lines (`audit.k8s.io/v1` events, level Metadata), written before each answer: every request of users
   * that are neither the cluster's own parts nor the administrator.
   */
  readonly auditLogPath: string;
  readonly podCidr: string;
  readonly proxy: Pick<FaultProxy, "setFault">;
  readonly loadBalancers: Pick<LoadBalancers, "withhold" | "gateway" | "ingress">;
  /** The oldest first. */
  istiods(): readonly RunningIstiod[];
  /** Of an Autopilot cluster; resolves when it is in force. */
  setAutopilot(policy: AutopilotPolicy): Promise<void>;
  stop(): Promise<void>;
}

/** The kubelet's usual port; it exists in the pod network only. */
const KUBELET_PORT = 10_250;
/** sun_path of sockaddr_un on macOS. */
const LONGEST_SOCKET_PATH = 103;
const CONTROLLERS_TIMEOUT_MS = 60_000;
/**
 * Where no traffic flows. Loopback, so that an Envoy of this machine could dial them; istiod takes them as
 * any other.
 */
const LOAD_BALANCERS = "127.65";

async function socketPaths(dir: string, undo: Undo): Promise<PortForwardSockets> {
  const inside = socketsIn(dir);
  if (Object.values(inside).every((path) => path.length <= LONGEST_SOCKET_PATH)) {
    for (const path of Object.values(inside)) await rm(path, { force: true });
    return inside;
  }
  const short = await mkdtemp(join(tmpdir(), "mj-"));
  undo.add(() => rm(short, { recursive: true, force: true }));
  return socketsIn(short);
}

function socketsIn(dir: string): PortForwardSockets {
  return { podNetwork: join(dir, "pod-network.sock"), portForwards: join(dir, "port-forwards.sock") };
}

async function bindAdministrators(api: ApiClient, options: RunningClusterOptions): Promise<void> {
  const subjects = [
    ...(options.adminUsers ?? []).map((name) => ({ kind: "User", name })),
    ...(options.adminGroups ?? []).map((name) => ({ kind: "Group", name })),
  ].map((subject) => ({ ...subject, apiGroup: "rbac.authorization.k8s.io" }));
  if (subjects.length > 0) {
    await api.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
      metadata: { name: "sandbox-administrators" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
      subjects,
    });
  }
}

/** Pods are only admitted once their namespace has its ServiceAccount. */
async function waitForControllers(api: ApiClient): Promise<void> {
  const deadline = Date.now() + CONTROLLERS_TIMEOUT_MS;
  for (;;) {
    try {
      await api.get("/api/v1/namespaces/default/serviceaccounts/default");
      await api.get("/api/v1/namespaces/default/configmaps/kube-root-ca.crt");
      return;
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error("kube-controller-manager makes no service accounts; see its log", { cause: error });
      }
      await delay(50);
    }
  }
}

interface NodeParts {
  readonly node: NodeStandIn;
  readonly api: ApiClient;
}

async function startNodeParts(
  options: RunningClusterOptions,
  apiServer: ApiServer,
  { network, sockets }: { readonly network: PodNetwork; readonly sockets: PortForwardSockets },
  undo: Undo,
): Promise<NodeParts> {
  const { server, caPem, tokens } = apiServer;
  const api = createApiClient({ server, caPem, token: tokens.node });
  const podPrefix = `10.${100 + options.podCidrIndex}`;
  const nodeIp = `${podPrefix}.255.254`;
  const kubelet = await startKubeletServer({
    certPem: apiServer.certPem,
    keyPem: apiServer.keyPem,
    recordOf: (namespace, pod) => node.recordOf(namespace, pod),
    portForwards: sockets.portForwards,
  });
  undo.add(() => kubelet.stop());
  network.setRoute(`${nodeIp}:${KUBELET_PORT}`, { port: kubelet.port, fromHost: false });
  const node = await startNode({
    api,
    clusterId: options.name,
    podPrefix,
    nodeName: `${options.name}-node`,
    nodeIp,
    ...(options.location !== undefined && { location: options.location }),
    kubeletPort: KUBELET_PORT,
    network,
    server,
    pilotDiscovery: options.binaries.pilotDiscovery,
    registry: options.registry,
    ...(options.traffic !== undefined && { traffic: options.traffic }),
    dir: join(options.dir, "pods"),
    logDir: options.logDir,
  });
  undo.add(() => node.stop());
  return { node, api };
}

async function start(options: RunningClusterOptions, undo: Undo): Promise<RunningCluster> {
  const { name, dir, logDir } = options;
  await mkdir(dir, { recursive: true });
  await mkdir(logDir, { recursive: true });
  const sockets = await socketPaths(dir, undo);
  const network = await startPodNetwork(sockets.podNetwork);
  undo.add(() => network.stop());
  const portForwards = await startPortForwards(options, sockets);
  undo.add(() => portForwards.stop({ graceMs: 0 }));
  const etcd = await startEtcd(options);
  undo.add(() => etcd.process.stop({ graceMs: 0 }));
  const apiServer = await startApiServer({
    ...options,
    etcdUrl: etcd.url,
    serviceCidr: options.serviceRange ?? GOOGLES_SERVICE_RANGE,
    podNetworkSocket: network.socketPath,
  });
  undo.add(() => apiServer.process.stop({ graceMs: 0 }));
  const controllerManager = await startControllerManager(options, apiServer);
  undo.add(() => controllerManager.stop({ graceMs: 0 }));
  const proxy = await startFaultProxy(apiServer.port, { cert: apiServer.certPem, key: apiServer.keyPem });
  undo.add(() => proxy.stop());
  const { node, api } = await startNodeParts(options, apiServer, { network, sockets }, undo);
  await bindAdministrators(api, options);

  const { server, caPem, tokens } = apiServer;
  const kubeconfigPath = join(dir, "kubeconfig");
  const kubeconfig = renderKubeconfig({ name, server, ca: { pem: caPem }, token: tokens.admin });
  await writeFile(kubeconfigPath, kubeconfig, { mode: 0o600 });
  await waitForControllers(api);
  if (options.gatewayApi !== false) await bringGatewayApi(api);
  if (options.autopilot !== undefined) await enforceAutopilot(api, options.autopilot);
  const loadBalancers = startLoadBalancers({
    api,
    clusterId: name,
    prefix: `${options.traffic?.balancers ?? LOAD_BALANCERS}.${options.podCidrIndex}`,
    network: () => options.traffic?.network(),
  });
  undo.add(() => loadBalancers.stop());
  return {
    name,
    server: `https://127.0.0.1:${proxy.port}`,
    directServer: server,
    caPem,
    kubeconfigPath,
    auditLogPath: apiServer.auditLogPath,
    podCidr: `10.${100 + options.podCidrIndex}.0.0/16`,
    proxy,
    loadBalancers,
    istiods: () => node.istiods().flatMap(runningIstiod),
    setAutopilot: (policy) => enforceAutopilot(api, policy),
    stop: () => undo.run(),
  };
}

function runningIstiod({ pod, istiod }: IstiodOfPod): RunningIstiod[] {
  const { pid, listeners } = istiod;
  const address = (containerPort: number) => `127.0.0.1:${listeners.ports.get(containerPort)}`;
  return pid === undefined ? [] : [{ pod, pid, http: `http://${address(8080)}`, xds: address(15012) }];
}

/**
 * Starts one cluster on this machine, without containers and without root, in some seconds. Several may start
 * at once. When it fails, what was started is stopped again; when this process dies, so does the cluster.
 */
export async function startCluster(options: RunningClusterOptions): Promise<RunningCluster> {
  if (!Number.isInteger(options.podCidrIndex) || options.podCidrIndex < 0 || options.podCidrIndex > 99) {
    throw new RangeError("podCidrIndex must be a whole number from 0 to 99; give every cluster its own");
  }
  const undo = createUndo();
  try {
    return await start(options, undo);
  } catch (error) {
    await undo.run().catch(() => undefined);
    throw error;
  }
}

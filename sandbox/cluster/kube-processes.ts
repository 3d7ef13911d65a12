import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import type { Binaries } from "../binaries/build.ts";
import { freePort } from "../os/free-port.ts";
import { type RunningProcess, startProcess } from "../os/process.ts";
import { renderKubeconfig } from "./kubeconfig.ts";

/** etcd, kube-apiserver and kube-controller-manager: the real ones, with the flags that a laptop needs. */

export interface ClusterFiles {
  readonly name: string;
  readonly dir: string;
  readonly logDir: string;
  readonly binaries: Binaries;
}

export interface ApiServerOptions extends ClusterFiles {
  readonly etcdUrl: string;
  readonly serviceCidr: string;
  readonly tokenReviewUrl: string;
  /**
   * kube-apiserver asks it, without a cache, about each request that RBAC does not allow. Without it RBAC
   * alone decides.
   */
  readonly accessReviewUrl?: string;
  readonly podNetworkSocket: string;
}

export interface ApiServer {
  readonly process: RunningProcess;
  readonly port: number;
  /** `https://127.0.0.1:PORT` */
  readonly server: string;
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
  readonly caPath: string;
  readonly serviceAccountKeyPath: string;
  readonly auditLogPath: string;
  /** Of users that are in `system:masters` and not in the audit log. */
  readonly tokens: { readonly admin: string; readonly controllerManager: string; readonly node: string };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n/g;

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Data that is thrown away with the sandbox needs no fsync. */
export async function startEtcd(files: ClusterFiles): Promise<{ process: RunningProcess; url: string }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const process = await startProcess({
    name: "etcd",
    command: files.binaries.etcd,
    args: [
      `--data-dir=${join(files.dir, "etcd")}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      "--listen-peer-urls=http://127.0.0.1:0",
      "--unsafe-no-fsync",
      "--log-level=warn",
    ],
    cwd: files.dir,
    logDir: files.logDir,
    ready: () => connects(port),
  });
  return { process, url };
}

/**
 * Everybody but the cluster's own parts and the sandbox itself, so that a function's requests can be counted.
 */
const AUDIT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    {
      level: "None",
      userGroups: ["system:masters", "system:serviceaccounts", "system:nodes", "system:unauthenticated"],
    },
    { level: "Metadata" },
  ],
};

function egressSelector(socketPath: string): object {
  return {
    apiVersion: "apiserver.k8s.io/v1beta1",
    kind: "EgressSelectorConfiguration",
    egressSelections: [
      {
        name: "cluster",
        connection: { proxyProtocol: "HTTPConnect", transport: { uds: { udsName: socketPath } } },
      },
    ],
  };
}

function tokenFile(tokens: ApiServer["tokens"]): string {
  const line = (token: string, user: string): string => `${token},${user},${user},"system:masters"\n`;
  return (
    line(tokens.admin, "sandbox-admin") +
    line(tokens.controllerManager, "system:kube-controller-manager") +
    line(tokens.node, "sandbox-node")
  );
}

function isServing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request(
      { host: "127.0.0.1", port, path: "/readyz", rejectUnauthorized: false },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    call.once("error", () => resolve(false));
    call.end();
  });
}

/**
 * The longest life that GKE's API servers are said to grant; no page of Google's was found that says so
 * (docs/sandbox.md). A caller who asks for more gets this, and only `expirationTimestamp` tells.
 */
const TOKEN_LIFE_MAX = "48h";

const ACCESS_WEBHOOK = "access-webhook.json";

function authorizationFlags(directory: string, accessReviewUrl: string | undefined): string[] {
  if (accessReviewUrl === undefined) return ["--authorization-mode=RBAC"];
  return [
    "--authorization-mode=RBAC,Webhook",
    `--authorization-webhook-config-file=${join(directory, ACCESS_WEBHOOK)}`,
    "--authorization-webhook-version=v1",
    "--authorization-webhook-cache-authorized-ttl=0s",
    "--authorization-webhook-cache-unauthorized-ttl=0s",
  ];
}

async function writeConfiguration(
  directory: string,
  options: ApiServerOptions,
  tokens: ApiServer["tokens"],
): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const files: Readonly<Record<string, string>> = {
    "sa.key": privateKey,
    "sa.pub": publicKey,
    "tokens.csv": tokenFile(tokens),
    "audit-policy.json": JSON.stringify(AUDIT_POLICY),
    "egress-selector.json": JSON.stringify(egressSelector(options.podNetworkSocket)),
    "token-webhook.json": renderKubeconfig({ name: "token-review", server: options.tokenReviewUrl }),
    ...(options.accessReviewUrl === undefined
      ? {}
      : { [ACCESS_WEBHOOK]: renderKubeconfig({ name: "access-review", server: options.accessReviewUrl }) }),
  };
  await mkdir(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(directory, name), text, { mode: 0o600 });
  }
}

/** kube-apiserver makes its own serving certificate and the CA that signed it, in one file. */
async function readServingCertificate(
  directory: string,
): Promise<Pick<ApiServer, "caPem" | "certPem" | "keyPem">> {
  const certPem = await readFile(join(directory, "apiserver.crt"), "utf8");
  const keyPem = await readFile(join(directory, "apiserver.key"), "utf8");
  const caPem = certPem.match(CERTIFICATE)?.at(-1);
  if (caPem === undefined) throw new Error("kube-apiserver wrote no serving certificate; see its log");
  return { caPem, certPem, keyPem };
}

export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const directory = join(options.dir, "apiserver");
  const auditLogPath = join(options.logDir, "audit.jsonl");
  const port = await freePort();
  const newToken = (): string => randomBytes(24).toString("hex");
  const tokens = { admin: newToken(), controllerManager: newToken(), node: newToken() };
  await writeConfiguration(directory, options, tokens);
  const process = await startProcess({
    name: "kube-apiserver",
    command: options.binaries.kubeApiserver,
    args: [
      `--etcd-servers=${options.etcdUrl}`,
      `--cert-dir=${directory}`,
      `--secure-port=${port}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      "--endpoint-reconciler-type=none",
      `--service-cluster-ip-range=${options.serviceCidr}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${join(directory, "sa.pub")}`,
      `--service-account-signing-key-file=${join(directory, "sa.key")}`,
      `--service-account-max-token-expiration=${TOKEN_LIFE_MAX}`,
      ...authorizationFlags(directory, options.accessReviewUrl),
      `--token-auth-file=${join(directory, "tokens.csv")}`,
      `--authentication-token-webhook-config-file=${join(directory, "token-webhook.json")}`,
      "--authentication-token-webhook-version=v1",
      "--authentication-token-webhook-cache-ttl=1ms",
      `--audit-policy-file=${join(directory, "audit-policy.json")}`,
      `--audit-log-path=${auditLogPath}`,
      "--audit-log-mode=blocking",
      `--egress-selector-config-file=${join(directory, "egress-selector.json")}`,
      "--enable-aggregator-routing=true",
      "--kubelet-preferred-address-types=InternalIP",
      "--enable-priority-and-fairness=false",
      "--profiling=false",
      "--allow-privileged=true",
    ],
    cwd: options.dir,
    logDir: options.logDir,
    ready: () => isServing(port),
  });
  const caPath = join(directory, "ca.crt");
  const certificate = await readServingCertificate(directory);
  await writeFile(caPath, certificate.caPem);
  return {
    process,
    port,
    server: `https://127.0.0.1:${port}`,
    ...certificate,
    caPath,
    serviceAccountKeyPath: join(directory, "sa.key"),
    auditLogPath,
    tokens,
  };
}

const CONTROLLERS = [
  "serviceaccount-token-controller",
  "root-ca-certificate-publisher-controller",
  "serviceaccount-controller",
  "namespace-controller",
  "garbage-collector-controller",
  "deployment-controller",
  "replicaset-controller",
  "endpointslice-controller",
  "endpoints-controller",
];

/**
 * Without metrics, as here, an autoscaler still brings a workload to its least number of replicas:
 * https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/podautoscaler/horizontal.go, `reconcileAutoscaler`.
 */
const AUTOSCALING = ["horizontal-pod-autoscaler-controller", "disruption-controller"];
/** Instead of 15 s. */
const AUTOSCALER_PERIOD = "1s";

export interface ControllerManagerOptions extends ClusterFiles {
  /** Whether autoscalers and disruption budgets are heeded. */
  readonly autoscaler?: boolean;
}

/** Only what a mesh needs: workloads, endpoints, service accounts and the end of namespaces. */
export async function startControllerManager(
  files: ControllerManagerOptions,
  apiServer: ApiServer,
): Promise<RunningProcess> {
  const kubeconfig = join(files.dir, "controller-manager.kubeconfig");
  const controllers = files.autoscaler === true ? [...CONTROLLERS, ...AUTOSCALING] : CONTROLLERS;
  const text = renderKubeconfig({
    name: files.name,
    server: apiServer.server,
    ca: { pem: apiServer.caPem },
    token: apiServer.tokens.controllerManager,
  });
  await writeFile(kubeconfig, text, { mode: 0o600 });
  return startProcess({
    name: "kube-controller-manager",
    command: files.binaries.kubeControllerManager,
    args: [
      `--kubeconfig=${kubeconfig}`,
      "--leader-elect=false",
      "--secure-port=0",
      `--service-account-private-key-file=${apiServer.serviceAccountKeyPath}`,
      `--root-ca-file=${apiServer.caPath}`,
      `--controllers=${controllers.join(",")}`,
      `--horizontal-pod-autoscaler-sync-period=${AUTOSCALER_PERIOD}`,
      "--kube-api-qps=200",
      "--kube-api-burst=400",
    ],
    cwd: files.dir,
    logDir: files.logDir,
  });
}

import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { Agent, get } from "node:https";
import { platform, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { ensureBinaries } from "../../../sandbox/binaries/build.ts";
import { countClusterConnections, countClusterRequests } from "../../../sandbox/cluster/audit-log.ts";
import { type RunningCluster, startCluster } from "../../../sandbox/cluster/running-cluster.ts";
import { freePort } from "../../../sandbox/os/free-port.ts";
import pin from "../../../shared/istio/pin.json" with { type: "json" };
import { eventually } from "../world/mesh.ts";

const CALLER = "reconciler@demo.iam.gserviceaccount.com";
const TOKEN = "a-token-of-the-reconciler";
/** Binaries may have to be compiled first. */
const START_TIMEOUT_MS = 30 * 60_000;

/** As an administrator. */
async function kubectl(...args: string[]): Promise<string> {
  const { kubectl: path } = await binaries();
  const { stdout } = await promisify(execFile)(path, ["--kubeconfig", cluster.kubeconfigPath, ...args]);
  return stdout;
}

const binaries = () => ensureBinaries(() => undefined, pin.release);

/** Knows one token. */
const tokenReview = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => {
    body += String(chunk);
  });
  request.on("end", () => {
    const known = body.includes(TOKEN);
    const status = known ? { authenticated: true, user: { username: CALLER } } : { authenticated: false };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", status }));
  });
});

let dir: string;
let cluster: RunningCluster;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "meshjoin-cluster-"));
  const port = await freePort();
  tokenReview.listen(port, "127.0.0.1");
  cluster = await startCluster({
    name: "one",
    dir,
    logDir: join(dir, "logs"),
    binaries: await binaries(),
    tokenReviewUrl: `http://127.0.0.1:${port}/`,
    adminUsers: [CALLER],
    registry: { refusal: () => undefined },
    podCidrIndex: 42,
  });
}, START_TIMEOUT_MS);

afterAll(async () => {
  await cluster?.stop();
  tokenReview.close();
  await rm(dir, { recursive: true, force: true });
});

function administrator(): CoreV1Api {
  const config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfigPath);
  return config.makeApiClient(CoreV1Api);
}

function reconciler(): CoreV1Api {
  const config = new KubeConfig();
  const caData = Buffer.from(cluster.caPem).toString("base64");
  config.loadFromClusterAndUser(
    { name: "one", server: cluster.server, caData, skipTLSVerify: false },
    { name: "reconciler", token: TOKEN },
  );
  return config.makeApiClient(CoreV1Api);
}

/** As the reconciler; answers the status. */
async function listNodes(agent: Agent): Promise<number | undefined> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const sent = get(`${cluster.server}/api/v1/nodes`, { agent, ca: cluster.caPem, headers });
  const [response]: IncomingMessage[] = await once(sent, "response");
  response?.resume();
  await once(sent, "close");
  return response?.statusCode;
}

describe("a running cluster", () => {
  it("runs a pod and lets it go again", async () => {
    const api = administrator();
    const namespace = "default";
    await api.createNamespacedPod({
      namespace,
      body: { metadata: { name: "web" }, spec: { containers: [{ name: "web", image: "example/web" }] } },
    });
    const pod = await eventually(
      () => api.readNamespacedPod({ namespace, name: "web" }),
      ({ status }) => status?.phase === "Running",
    );
    expect(pod.status?.podIP).toMatch(/^10\.142\./);
    expect(pod.status?.conditions?.find(({ type }) => type === "Ready")?.status).toBe("True");
    await expect(kubectl("logs", "web")).rejects.toThrow("this container is no process in the sandbox");
    for (const subresource of ["log", "portforward"]) {
      const path = `/api/v1/namespaces/default/pods/web/${subresource}`;
      const asked = kubectl("get", "--raw", path, "--as=stranger");
      await expect(asked).rejects.toThrow(`cannot get resource "pods/${subresource}"`);
    }
    await expect(kubectl("get", "--raw", "/api/v1/namespaces/default/pods/web/portforward")).rejects.toThrow(
      "Upgrade request required",
    );
    await expect(kubectl("exec", "web", "--", "ls")).rejects.toThrow("exec and attach are not there");

    await api.deleteNamespacedPod({ namespace, name: "web" });
    const left = await eventually(
      () => api.listNamespacedPod({ namespace }),
      ({ items }) => items.length === 0,
    );
    expect(left.items).toEqual([]);
  });

  it("knows the callers of the token webhook through its proxy, and logs their requests alone", async () => {
    await expect(reconciler().listNode()).resolves.toMatchObject({
      items: [{ metadata: { name: "one-node" } }],
    });
    await administrator().listNode();
    const lines = (await readFile(cluster.auditLogPath, "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { verb: "list", requestURI: "/api/v1/nodes", user: { username: CALLER } },
    ]);
  });

  it("logs for each request which connection it came over", async () => {
    const since = Date.now();
    const [first, second] = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true })];
    for (const agent of [first, first, second]) expect(await listNodes(agent)).toBe(200);
    for (const agent of [first, second]) agent.destroy();
    expect(await countClusterRequests(cluster.auditLogPath, CALLER, since)).toBe(3);
    expect(await countClusterConnections(cluster.auditLogPath, CALLER, since)).toEqual({
      forRequests: platform() === "linux" ? 2 : 1,
      forPortForwards: 0,
    });
  });

  it("cannot be reached through its proxy while that refuses, and can again after", async () => {
    cluster.proxy.setFault({ kind: "refuse" });
    await expect(reconciler().listNode()).rejects.toThrow(/fetch failed/);
    await expect(administrator().listNode()).resolves.toMatchObject({ items: [{}] });
    cluster.proxy.setFault(undefined);
    await expect(reconciler().listNode()).resolves.toMatchObject({ items: [{}] });
  });
});

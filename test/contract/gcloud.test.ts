import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { parse } from "yaml";
import { gcloudEnvironmentFile, renderGcloudEnvironment } from "../../sandbox/fleet/gcloud-environment.ts";
import { startCompute } from "../../sandbox/google/compute/api.ts";
import { type GkeBackend, startGke } from "../../sandbox/google/gke/api.ts";
import type { AuditEntry } from "../../sandbox/google/gke/audit-entry.ts";
import { startProjectApis } from "../../sandbox/google/project/api.ts";
import { createProjectState } from "../../sandbox/google/project/state.ts";
import { startSecretManager } from "../../sandbox/google/secret-manager/api.ts";
import { createRule } from "../../shared/core/firewall/firewall-rule.ts";
import { enableApi } from "../../shared/doctor/grants.ts";
import { aCluster } from "../support/builders/cluster.ts";
import { PROJECT, startGoogle } from "./google.ts";

const TIMEOUT_MS = 180_000;
/**
 * Nothing listens there: gcloud asks neither the machine nor its name server whether this is Google Cloud.
 */
const NO_METADATA_SERVER = "127.0.0.1:9";

const run = promisify(execFile);

const backend: GkeBackend = {
  create: async () => ({ endpoint: "127.0.0.1:6443", caPem: "a CA", kubernetesVersion: "1.36.3" }),
  setWorkloadPolicy: async () => undefined,
  remove: async () => undefined,
};

/** gcloud as the documentation has it: in a shell that has read `gcloud.env`. */
async function startWorld() {
  const google = await startGoogle();
  const entries: AuditEntry[] = [];
  const gke = await startGke({ ...google, backend, onAuditEntry: (entry) => entries.push(entry) });
  const secretManager = await startSecretManager(google);
  const compute = await startCompute(google);
  const state = createProjectState([PROJECT]);
  const projectApis = await startProjectApis({ ...google, state });
  const dir = await mkdtemp(join(tmpdir(), "mesh join's "));
  const accessTokenFile = join(dir, "access-token");
  await writeFile(accessTokenFile, google.tokens.issue("operator@example.com"));
  const environmentFile = gcloudEnvironmentFile(dir);
  const environment = renderGcloudEnvironment(dir, {
    project: PROJECT.id,
    containerEndpoint: gke.url,
    secretManagerEndpoint: secretManager.url,
    computeEndpoint: compute.url,
    projectEndpoint: projectApis.url,
    accessTokenFile,
  });
  await writeFile(environmentFile, environment);
  const env = { ...withoutSettings(process.env), GCE_METADATA_ROOT: NO_METADATA_SERVER };
  const gcloud = async (command: string): Promise<string> => {
    const script = `. "$0"; exec gcloud ${command} --quiet`;
    const { stdout } = await run("sh", ["-c", script, environmentFile], { cwd: dir, env });
    return stdout;
  };
  return {
    gke,
    compute,
    state,
    entries,
    dir,
    gcloud,
    json: async (command: string): Promise<unknown> => JSON.parse(await gcloud(`${command} --format json`)),
    labelsOf: (name: string) => gke.clusters().find(({ ref }) => ref.name === name)?.labels,
    async close() {
      await projectApis.close();
      await compute.close();
      await secretManager.close();
      await gke.close();
      await google.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The person who runs the test has settings of gcloud. Only those stay that lead gcloud to its Python. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) => !name.startsWith("CLOUDSDK_") || name.startsWith("CLOUDSDK_PYTHON"),
  );
  return Object.fromEntries(kept);
}

/**
 * Without running it: outside the world of a test it would read and write the settings of the person who runs
 * the test.
 */
function isOnPath(command: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, command)));
}

describe("the real gcloud", () => {
  if (!isOnPath("gcloud")) {
    it("is not installed here: nothing to prove", () => {
      expect(spawnSync("gcloud").error).toMatchObject({ code: "ENOENT" });
    });
    return;
  }

  let world: Awaited<ReturnType<typeof startWorld>>;
  beforeEach(async () => {
    world = await startWorld();
  });
  afterEach(() => world.close());

  it(
    "mends what the preflight finds: APIs that are not enabled, and no billing",
    async () => {
      const { gcloud, state } = world;
      state.disable("shop", "pubsub.googleapis.com");
      state.disable("shop", "secretmanager.googleapis.com");
      state.bill("shop", undefined);
      await gcloud(
        enableApi("pubsub.googleapis.com secretmanager.googleapis.com", "shop").replace(/^gcloud /, ""),
      );
      await gcloud("billing projects link shop --billing-account=012345-567890-ABCDEF");
      expect(state.isEnabled("shop", "pubsub.googleapis.com")).toBe(true);
      expect(state.isEnabled("shop", "secretmanager.googleapis.com")).toBe(true);
      expect(state.billingAccount("shop")).toBe("billingAccounts/012345-567890-ABCDEF");
    },
    TIMEOUT_MS,
  );

  it(
    "makes clusters whose Services have addresses of their own when it is told to",
    async () => {
      const { gcloud, gke } = world;
      const own = "--location europe-west1-b --enable-ip-alias --services-ipv4-cidr=/20";
      await gcloud(`container clusters create one ${own}`);
      await gcloud(`container clusters create two ${own}`);
      await gcloud("container clusters create three --location europe-west1-b");
      expect(gke.clusters().map(({ serviceRange }) => serviceRange)).toEqual([
        "172.16.0.0/20",
        "172.16.16.0/20",
        "34.118.224.0/20",
      ]);
    },
    TIMEOUT_MS,
  );

  it(
    "creates a cluster, lists it, changes its labels and deletes it",
    async () => {
      const { gcloud, json, labelsOf, gke } = world;
      await gcloud("container clusters create one --location europe-west1 --labels mesh_id=shop");
      expect(await json("container clusters list")).toMatchObject([
        { name: "one", location: "europe-west1", status: "RUNNING", resourceLabels: { mesh_id: "shop" } },
      ]);
      await gcloud("container clusters update one --location europe-west1 --update-labels mesh_id=b,team=a");
      expect(labelsOf("one")).toEqual({ mesh_id: "b", team: "a" });
      await gcloud("container clusters update one --location europe-west1 --remove-labels mesh_id");
      expect(labelsOf("one")).toEqual({ team: "a" });
      await gcloud("container clusters delete one --location europe-west1");
      expect(gke.clusters()).toEqual([]);
      expect(await json("container operations list")).toMatchObject([
        { operationType: "CREATE_CLUSTER", status: "DONE" },
        { operationType: "UPDATE_CLUSTER", status: "DONE" },
        { operationType: "UPDATE_CLUSTER", status: "DONE" },
        { operationType: "DELETE_CLUSTER", status: "DONE" },
      ]);
    },
    TIMEOUT_MS,
  );

  it(
    "lets user traffic to the DNS-based endpoint, and lists node pools",
    async () => {
      const { gcloud, json } = world;
      await gcloud("container clusters create one --location europe-west1 --num-nodes 2");
      await gcloud("container clusters update one --location europe-west1 --enable-dns-access");
      expect(await json("container clusters list")).toMatchObject([
        {
          currentNodeVersion: "1.36.3",
          controlPlaneEndpointsConfig: {
            dnsEndpointConfig: { allowExternalTraffic: true, enableK8sTokensViaDns: false },
          },
        },
      ]);
      expect(await json("container node-pools list --location europe-west1 --cluster one")).toMatchObject([
        { name: "default-pool", initialNodeCount: 2, status: "RUNNING", version: "1.36.3" },
      ]);
      await expect(
        gcloud("container clusters update one --location europe-west1 --no-enable-ip-access"),
      ).rejects.toThrow('the sandbox does not update "desiredControlPlaneEndpointsConfig.ipEndpointsConfig"');
    },
    TIMEOUT_MS,
  );

  it(
    "makes the rule that doctor names, widens it, lists it and deletes it",
    async () => {
      const { gcloud, json, compute } = world;
      const [east, west] = [["10.4.0.0/14"], ["10.8.0.0/14", "10.64.0.0/20"]].map((cidrs, index) =>
        aCluster({ name: `c${index}`, podRanges: { cidrs, namesOnly: [] } }),
      );
      if (east === undefined || west === undefined) throw new Error("there are two");
      const network = { project: PROJECT.id, name: "default" };
      const shell = async (command: string) => await gcloud(command.replace(/^gcloud /, ""));
      const rules = () => compute.rules(PROJECT.id, "default");
      await shell(createRule(network, [east]).command);
      expect(rules()).toMatchObject([
        {
          name: "meshjoin-pods",
          direction: "INGRESS",
          sourceRanges: ["10.4.0.0/14"],
          allowed: [{ IPProtocol: "tcp" }, { IPProtocol: "udp" }, { IPProtocol: "icmp" }],
        },
      ]);
      await expect(shell(createRule(network, [east]).command)).rejects.toThrow("already exists");
      await shell(createRule(network, [east, west]).update);
      expect(rules()).toMatchObject([
        {
          sourceRanges: ["10.4.0.0/14", "10.8.0.0/14", "10.64.0.0/20"],
          allowed: [{ IPProtocol: "tcp" }, {}, {}],
        },
      ]);
      expect(await json("compute firewall-rules list")).toMatchObject([
        { name: "meshjoin-pods", network: expect.stringMatching(/networks\/default$/), priority: 1000 },
      ]);
      await gcloud("compute firewall-rules describe meshjoin-pods");
      await gcloud("compute firewall-rules delete meshjoin-pods");
      expect(rules()).toEqual([]);
      await expect(gcloud("compute firewall-rules create other --network=none --allow=tcp")).rejects.toThrow(
        "networks/none' was not found",
      );
    },
    2 * TIMEOUT_MS,
  );

  it(
    "creates zonal, regional and Autopilot clusters, and by v1beta1",
    async () => {
      const { gcloud, json, entries } = world;
      await gcloud("container clusters create zonal --zone europe-west1-b");
      await gcloud("container clusters create regional --region europe-west4");
      await gcloud("container clusters create-auto auto --location us-central1");
      await gcloud(
        "container clusters update auto --location us-central1 --workload-policies=allow-net-admin",
      );
      await gcloud("beta container clusters create beta --location europe-west1");
      expect(entries.at(-1)).toMatchObject({
        protoPayload: { methodName: "google.container.v1beta1.ClusterManager.CreateCluster" },
      });
      expect(await json("beta container clusters list")).toMatchObject([
        { name: "beta", location: "europe-west1" },
        { name: "zonal", location: "europe-west1-b" },
        { name: "regional", location: "europe-west4" },
        {
          name: "auto",
          location: "us-central1",
          autopilot: { enabled: true, workloadPolicyConfig: { allowNetAdmin: true } },
        },
      ]);
    },
    TIMEOUT_MS,
  );

  it(
    "writes how kubectl reaches a cluster, below the folder of the sandbox",
    async () => {
      const { gcloud, dir } = world;
      await gcloud("container clusters create one --location europe-west1 --async");
      await gcloud("container clusters get-credentials one --location europe-west1");
      expect(parse(await readFile(join(dir, "gcloud/kubeconfig"), "utf8"))).toMatchObject({
        "current-context": "gke_shop_europe-west1_one",
        clusters: [{ cluster: { server: "https://127.0.0.1:6443" } }],
      });
    },
    TIMEOUT_MS,
  );

  it(
    "is told of a field of a new cluster that nothing here heeds",
    async () => {
      const { gcloud, gke } = world;
      const creating = gcloud(
        "container clusters create one --location europe-west1-b --enable-vertical-pod-autoscaling",
      );
      await expect(creating).rejects.toThrow('does not heed the field "cluster.verticalPodAutoscaling"');
      expect(gke.clusters()).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    "understands a refusal",
    async () => {
      const describing = world.gcloud("container clusters describe one --location europe-west1");
      await expect(describing).rejects.toThrow("No cluster named 'one' in shop.");
    },
    TIMEOUT_MS,
  );

  it(
    "keeps a root in Secret Manager: versions, aliases, annotations",
    async () => {
      const { gcloud, json, dir } = world;
      await writeFile(join(dir, "1.pem"), "root 1\n");
      await writeFile(join(dir, "2.pem"), "root 2\n");
      await gcloud("secrets create root --data-file 1.pem");
      await gcloud("secrets versions add root --data-file 2.pem");
      await gcloud("secrets update root --update-version-aliases=signing=1,next=2");
      await gcloud("secrets update root --update-annotations=meshjoin.dev_paused=true");
      const secret = await json("secrets describe root");
      expect(await json("secrets list")).toEqual([secret]);
      expect(secret).toMatchObject({
        name: `projects/${PROJECT.number}/secrets/root`,
        versionAliases: { signing: "1", next: "2" },
        annotations: { "meshjoin.dev_paused": "true" },
      });
      expect(await gcloud("secrets versions access signing --secret root")).toBe("root 1\n");
    },
    TIMEOUT_MS,
  );

  it(
    "disables, enables and destroys a version of a secret",
    async () => {
      const { gcloud, json, dir } = world;
      await writeFile(join(dir, "1.pem"), "root 1\n");
      await gcloud("secrets create root --data-file 1.pem");
      const access = () => gcloud("secrets versions access 1 --secret root");
      const states = () => json("secrets versions list root");
      await gcloud("secrets versions disable 1 --secret root");
      await expect(access()).rejects.toThrow("is in DISABLED state");
      expect(await states()).toMatchObject([{ state: "DISABLED" }]);
      await gcloud("secrets versions enable 1 --secret root");
      expect(await access()).toBe("root 1\n");
      await gcloud("secrets versions destroy 1 --secret root");
      expect(await states()).toMatchObject([{ state: "DESTROYED" }]);
    },
    TIMEOUT_MS,
  );
});

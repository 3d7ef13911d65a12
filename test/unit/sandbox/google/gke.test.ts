import { setTimeout } from "node:timers/promises";
import { v1, v1beta1 } from "@google-cloud/container";
import { afterEach, describe, expect, it } from "@jest/globals";
import { OAuth2Client } from "google-auth-library";
import { type GkeApi, type GkeBackend, startGke } from "../../../../sandbox/google/gke/api.ts";
import type { AuditEntry } from "../../../../sandbox/google/gke/audit-entry.ts";
import { aGround, CALLER, PROJECT } from "./stand-ins.ts";

const zone = `projects/${PROJECT.id}/locations/europe-west1-b`;
const region = `projects/${PROJECT.id}/locations/europe-west1`;
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const PERMISSION_DENIED = 7;
const FAILED_PRECONDITION = 9;

let open: GkeApi | undefined;
afterEach(async () => open?.close());

const instantBackend: GkeBackend = {
  create: async () => ({ endpoint: "127.0.0.1:6443", caPem: "a CA", kubernetesVersion: "1.36.3" }),
  setWorkloadPolicy: async () => undefined,
  remove: async () => undefined,
};

async function aGke(backend: GkeBackend = instantBackend, denies = (_: string) => false) {
  const ground = aGround();
  const entries: AuditEntry[] = [];
  const allows = (_: string, permission: string) => !denies(permission);
  open = await startGke({ ...ground, backend, allows, onAuditEntry: (entry) => entries.push(entry) });
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: ground.tokens.issue(CALLER) });
  const options = { fallback: true, protocol: "http", apiEndpoint: "127.0.0.1", port: open.port, authClient };
  const client = new v1.ClusterManagerClient(options);
  const beta = new v1beta1.ClusterManagerClient(options);
  const settled = async (operations: string) => {
    for (;;) {
      const [operation] = await client.getOperation({ name: operations });
      if (operation.status === "DONE") return operation;
    }
  };
  const create = async (parent: string, cluster: object) => {
    const [operation] = await client.createCluster({ parent, cluster: { initialNodeCount: 1, ...cluster } });
    return settled(`${parent}/operations/${operation.name}`);
  };
  return { client, beta, entries, ground, create, settled, url: open.url };
}

describe("the GKE stand-in", () => {
  it.each([
    ["container.clusters.list", "GET", zone + "/clusters"],
    ["container.clusters.create", "POST", zone + "/clusters"],
    ["container.clusters.get", "GET", zone + "/clusters/one"],
    ["container.clusters.delete", "DELETE", zone + "/clusters/one"],
    ["container.clusters.update", "POST", zone + "/clusters/one:setResourceLabels"],
    ["container.clusters.get", "GET", zone + "/clusters/one/nodePools"],
    ["container.operations.get", "GET", zone + "/operations/one"],
  ])("asks for %s before %s %s, and for nothing else", async (permission, method, path) => {
    const send = async (denied: boolean) => {
      const { ground, url } = await aGke(instantBackend, (asked) => (asked === permission) === denied);
      const headers = { authorization: `Bearer ${ground.tokens.issue(CALLER)}` };
      const answer = await (await fetch(`${url}/v1/${path}`, { method, headers })).text();
      await open?.close();
      return answer;
    };
    expect(await send(true)).toContain(`Required \\"${permission}\\" permission(s)`);
    expect(await send(false)).not.toContain("permission(s)");
  });

  it("makes a cluster of a name and labels, with the defaults of the real API", async () => {
    const { client, create } = await aGke();
    await create(zone, { name: "one", resourceLabels: { mesh_id: "sandbox" } });
    const [cluster] = await client.getCluster({ name: `${zone}/clusters/one` });
    expect(cluster).toMatchObject({
      name: "one",
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
      status: "RUNNING",
      location: "europe-west1-b",
      selfLink: "https://container.googleapis.com/v1/projects/shop/zones/europe-west1-b/clusters/one",
      resourceLabels: { mesh_id: "sandbox" },
      network: "default",
      networkConfig: { network: "projects/shop/global/networks/default" },
      ipAllocationPolicy: { useIpAliases: true },
      endpoint: "127.0.0.1:6443",
      currentMasterVersion: "1.36.3",
      controlPlaneEndpointsConfig: {
        dnsEndpointConfig: { allowExternalTraffic: false, enableK8sTokensViaDns: false },
        ipEndpointsConfig: { enabled: true, enablePublicEndpoint: true, publicEndpoint: "127.0.0.1:6443" },
      },
    });
    expect(Buffer.from(cluster.masterAuth?.clusterCaCertificate ?? "", "base64").toString()).toBe("a CA");
  });

  it("changes one switch of the DNS-based endpoint and leaves the other", async () => {
    const { client, create, settled } = await aGke();
    const name = `${zone}/clusters/one`;
    await create(zone, { name: "one", initialNodeCount: 2 });
    const set = async (dnsEndpointConfig: object) => {
      const update = { desiredControlPlaneEndpointsConfig: { dnsEndpointConfig } };
      const [operation] = await client.updateCluster({ name, update });
      await settled(`${zone}/operations/${operation.name}`);
      const [cluster] = await client.getCluster({ name });
      return cluster.controlPlaneEndpointsConfig?.dnsEndpointConfig;
    };
    expect(await set({ allowExternalTraffic: true })).toMatchObject({
      endpoint: expect.stringContaining(".gke.goog"),
      allowExternalTraffic: true,
      enableK8sTokensViaDns: false,
    });
    expect(await set({ enableK8sTokensViaDns: true })).toMatchObject({
      allowExternalTraffic: true,
      enableK8sTokensViaDns: true,
    });
    expect(await set({ allowExternalTraffic: false })).toMatchObject({ allowExternalTraffic: false });
    await expect(set({ endpoint: "elsewhere" })).rejects.toMatchObject({
      message: expect.stringContaining("dnsEndpointConfig.endpoint"),
    });
    await expect(
      client.updateCluster({ name, update: { desiredNodeVersion: "1.37", desiredMasterVersion: "1.37" } }),
    ).rejects.toMatchObject({ code: INVALID_ARGUMENT });
  });

  it.each([
    ["of a zone", zone, { initialNodeCount: 2 }, [{ name: "default-pool", initialNodeCount: 2 }]],
    ["of a region", region, { initialNodeCount: 1 }, [{ name: "default-pool", locations: { length: 3 } }]],
    ["of Autopilot", region, { autopilot: { enabled: true } }, [{ name: "default-pool" }]],
    [
      "stated",
      zone,
      { initialNodeCount: undefined, nodePools: [{ name: "a" }, { name: "b" }] },
      [{ name: "a" }, { name: "b" }],
    ],
  ])("lists the node pools %s, and shows the same of the cluster", async (_, parent, stated, pools) => {
    const { client, create } = await aGke();
    await create(parent, { name: "one", ...stated });
    const [{ nodePools }] = await client.listNodePools({ parent: `${parent}/clusters/one` });
    expect(nodePools).toMatchObject(pools.map((pool) => ({ ...pool, version: "1.36.3", status: "RUNNING" })));
    const [cluster] = await client.getCluster({ name: `${parent}/clusters/one` });
    expect(cluster.nodePools).toEqual(nodePools);
    await expect(client.listNodePools({ parent: `${parent}/clusters/two` })).rejects.toMatchObject({
      code: NOT_FOUND,
    });
  });

  it("keeps what a create request states", async () => {
    const { client, create } = await aGke();
    await create(region, {
      name: "one",
      networkConfig: { network: "projects/host/global/networks/vpc" },
      ipAllocationPolicy: { useIpAliases: false },
      autopilot: { enabled: true },
      controlPlaneEndpointsConfig: { ipEndpointsConfig: { enablePublicEndpoint: false } },
    });
    const [cluster] = await client.getCluster({ name: `${region}/clusters/one` });
    expect(cluster).toMatchObject({
      network: "vpc",
      networkConfig: { network: "projects/host/global/networks/vpc" },
      ipAllocationPolicy: { useIpAliases: false },
      autopilot: { enabled: true },
      controlPlaneEndpointsConfig: { ipEndpointsConfig: { enabled: true, enablePublicEndpoint: false } },
      selfLink: expect.stringContaining("/locations/europe-west1/"),
    });
  });

  it("goes from PROVISIONING to RUNNING, and refuses other changes until then", async () => {
    const made = Promise.withResolvers<Awaited<ReturnType<GkeBackend["create"]>>>();
    const { client, settled } = await aGke({ ...instantBackend, create: () => made.promise });
    const [operation] = await client.createCluster({
      parent: zone,
      cluster: { name: "one", initialNodeCount: 1 },
    });
    const name = `${zone}/clusters/one`;
    expect(operation).toMatchObject({ status: "RUNNING", operationType: "CREATE_CLUSTER" });
    expect((await client.getCluster({ name }))[0].status).toBe("PROVISIONING");
    await expect(client.deleteCluster({ name })).rejects.toMatchObject({ code: FAILED_PRECONDITION });
    made.resolve(
      await instantBackend.create(
        { project: "", location: "", name: "" },
        { serviceRange: "", gatewayApi: true },
      ),
    );
    await settled(`${zone}/operations/${operation.name}`);
    expect((await client.getCluster({ name }))[0].status).toBe("RUNNING");
  });

  it("says ERROR, with a failed operation, where no control plane came up", async () => {
    const failing = { ...instantBackend, create: () => Promise.reject(new Error("no room")) };
    const { client, create, entries } = await aGke(failing);
    const operation = await create(zone, { name: "one" });
    expect(operation.error).toMatchObject({ code: 13, message: "no room" });
    const [cluster] = await client.getCluster({ name: `${zone}/clusters/one` });
    expect(cluster).toMatchObject({ status: "ERROR", statusMessage: "no room" });
    expect(entries.at(-1)).toMatchObject({
      operation: { last: true },
      protoPayload: { status: { code: 13 } },
      severity: "ERROR",
    });
  });

  it("lists a project in one call, or one location", async () => {
    const { client, create } = await aGke();
    await create(zone, { name: "one" });
    await create(region, { name: "two" });
    const [all] = await client.listClusters({ parent: `projects/${PROJECT.id}/locations/-` });
    expect(all.clusters?.map(({ name }) => name)).toEqual(["one", "two"]);
    const [regional] = await client.listClusters({ parent: region });
    expect(regional.clusters?.map(({ name }) => name)).toEqual(["two"]);
  });

  it("leaves out what a missingZones fault names, and says so", async () => {
    const { client, create, ground } = await aGke();
    await create(zone, { name: "one" });
    ground.faults.add({ target: "gke", kind: "missingZones", zones: ["europe-west1-b"], count: 1 });
    const parent = `projects/${PROJECT.id}/locations/-`;
    expect((await client.listClusters({ parent }))[0]).toMatchObject({
      clusters: [],
      missingZones: ["europe-west1-b"],
    });
    expect((await client.listClusters({ parent }))[0].clusters).toHaveLength(1);
  });

  it("replaces labels on condition of their fingerprint", async () => {
    const { client, create, settled } = await aGke();
    await create(zone, { name: "one" });
    const name = `${zone}/clusters/one`;
    const [cluster] = await client.getCluster({ name });
    const labelFingerprint = cluster.labelFingerprint ?? "";
    const set = () => client.setLabels({ name, labelFingerprint, resourceLabels: { mesh_id: "sandbox" } });
    const [operation] = await set();
    await settled(`${zone}/operations/${operation.name}`);
    expect((await client.getCluster({ name }))[0].resourceLabels).toEqual({ mesh_id: "sandbox" });
    await expect(set()).rejects.toMatchObject({ code: FAILED_PRECONDITION });
  });

  it("forgets a label that is taken away", async () => {
    const { client, create, settled } = await aGke();
    await create(zone, { name: "one", resourceLabels: { mesh_id: "sandbox" } });
    const name = `${zone}/clusters/one`;
    const [{ labelFingerprint }] = await client.getCluster({ name });
    const [operation] = await client.setLabels({
      name,
      labelFingerprint: labelFingerprint ?? "",
      resourceLabels: {},
    });
    await settled(`${zone}/operations/${operation.name}`);
    expect((await client.getCluster({ name }))[0].resourceLabels).toEqual({});
  });

  it("is STOPPING until the control plane is gone, then not found", async () => {
    const removed = Promise.withResolvers<void>();
    const { client, create, settled } = await aGke({ ...instantBackend, remove: () => removed.promise });
    await create(zone, { name: "one" });
    const name = `${zone}/clusters/one`;
    const [operation] = await client.deleteCluster({ name });
    expect((await client.getCluster({ name }))[0].status).toBe("STOPPING");
    removed.resolve();
    await settled(`${zone}/operations/${operation.name}`);
    await expect(client.getCluster({ name })).rejects.toMatchObject({ code: NOT_FOUND });
  });

  it("ends no operation while a holdOperations fault is in force", async () => {
    const { client, settled, ground } = await aGke();
    ground.faults.add({ target: "gke", kind: "holdOperations" });
    const [operation] = await client.createCluster({
      parent: zone,
      cluster: { name: "one", initialNodeCount: 1 },
    });
    const name = `${zone}/operations/${operation.name}`;
    await setTimeout(200);
    expect((await client.getOperation({ name }))[0].status).toBe("RUNNING");
    ground.faults.clear();
    await settled(name);
    expect((await client.getCluster({ name: `${zone}/clusters/one` }))[0].status).toBe("RUNNING");
  });

  it("refuses a taken name, a bad name, a bad label and a project that is not there", async () => {
    const { client, create } = await aGke();
    await create(zone, { name: "one" });
    const attempt = (parent: string, cluster: object) =>
      client.createCluster({ parent, cluster: { initialNodeCount: 1, ...cluster } });
    await expect(attempt(zone, { name: "one" })).rejects.toMatchObject({ code: ALREADY_EXISTS });
    await expect(attempt(zone, { name: "One" })).rejects.toMatchObject({ code: INVALID_ARGUMENT });
    await expect(attempt(zone, { name: "two", resourceLabels: { Mesh: "x" } })).rejects.toMatchObject({
      code: INVALID_ARGUMENT,
    });
    await expect(attempt("projects/other/locations/europe-west1", { name: "x" })).rejects.toMatchObject({
      code: PERMISSION_DENIED,
    });
  });

  it("writes two entries per operation: who and what in the first, only the outcome in the last", async () => {
    const { create, entries } = await aGke();
    await create(zone, { name: "one", resourceLabels: { mesh_id: "sandbox" } });
    const [first, last] = entries;
    expect(entries).toHaveLength(2);
    expect(first).toMatchObject({
      severity: "NOTICE",
      operation: { first: true, producer: "container.googleapis.com" },
      protoPayload: {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        authenticationInfo: { principalEmail: CALLER },
        methodName: "google.container.v1.ClusterManager.CreateCluster",
        request: {
          parent: zone,
          cluster: { name: "one", initialNodeCount: 1, resourceLabels: { mesh_id: "sandbox" } },
        },
        response: { operationType: "CREATE_CLUSTER", status: "RUNNING" },
        resourceName: "projects/shop/zones/europe-west1-b/clusters/one",
      },
      resource: {
        type: "gke_cluster",
        labels: { cluster_name: "one", location: "europe-west1-b", project_id: "shop" },
      },
    });
    expect(last).toMatchObject({ operation: { last: true }, protoPayload: { status: {} } });
    for (const absent of ["request", "response", "authenticationInfo"]) {
      expect(last?.["protoPayload"]).not.toHaveProperty(absent);
    }
  });

  it("names the API version and the kind of location in its entries", async () => {
    const { beta, entries } = await aGke();
    await beta.createCluster({ parent: region, cluster: { name: "one", initialNodeCount: 1 } });
    expect(entries[0]).toMatchObject({
      protoPayload: {
        methodName: "google.container.v1beta1.ClusterManager.CreateCluster",
        resourceName: "projects/shop/locations/europe-west1/clusters/one",
      },
    });
  });

  it("writes a single entry without operation for a create that is refused", async () => {
    const { client, entries } = await aGke();
    await client
      .createCluster({ parent: zone, cluster: { name: "One", initialNodeCount: 1 } })
      .catch(() => undefined);
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({
      severity: "ERROR",
      protoPayload: { status: { code: INVALID_ARGUMENT } },
    });
    expect(entries[0]).not.toHaveProperty("operation");
  });

  it.each([
    ["no nodes", {}, "Cluster.initial_node_count must be greater than zero."],
    ["no pool", { nodePools: [] }, "Cluster.initial_node_count must be greater than zero."],
    ["less than none", { initialNodeCount: -1 }, "Cluster.initial_node_count must be greater than zero."],
    ["two counts", { initialNodeCount: 1, nodePools: [{ name: "a" }] }, "cannot be specified together"],
    [
      "a field that nothing heeds",
      { initialNodeCount: 1, tpuIpv4CidrBlock: "a" },
      'the field "cluster.tpuIpv4CidrBlock"',
    ],
  ])("refuses a new cluster of %s", async (_, cluster, words) => {
    const { client } = await aGke();
    await expect(
      client.createCluster({ parent: zone, cluster: { name: "one", ...cluster } }),
    ).rejects.toThrow(words);
    expect((await client.listClusters({ parent: zone }))[0].clusters).toEqual([]);
  });

  it("counts requests by account and fails on order", async () => {
    const { client, ground } = await aGke();
    const parent = `projects/${PROJECT.id}/locations/-`;
    await client.listClusters({ parent });
    expect(ground.ledger.requests(CALLER)).toMatchObject({ gke: 1 });
    expect(ground.ledger.requests(CALLER, Date.now() + 1000)).toMatchObject({ gke: 0 });
    ground.faults.add({ target: "gke", kind: "status", status: 403, count: 1 });
    await expect(client.listClusters({ parent })).rejects.toMatchObject({ code: PERMISSION_DENIED });
    await client.listClusters({ parent });
  });
});

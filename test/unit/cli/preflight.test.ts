import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { FIRST_APIS } from "../../../cli/doctor/preflight/apis.ts";
import { POLICIES } from "../../../cli/doctor/preflight/policies.ts";
import { DEFAULT_REGION, FIRST_CLUSTER, FUNCTION } from "../../../cli/doctor/preflight/quotas.ts";
import { defaultNeeds, TERRAFORM_NEEDS } from "../../../cli/doctor/preflight/terraform-permissions.ts";
import { ROOT } from "../../../scripts/paths.ts";
import { moduleDirectories, readModule } from "../../../scripts/terraform/module.ts";
import { type Check, type Diagnosis, worstState } from "../../../shared/core/answers/check.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import type { MeshSpec } from "../../../shared/core/spec.ts";
import { type MeshjoinError, RefusedError, UnavailableError } from "../../../shared/errors.ts";
import type { Restriction } from "../../../shared/ports/project-facts.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { type FakeProjectFacts, fakeProjectFacts } from "../../support/fakes/project-facts.ts";
import { type FakeQuotas, fakeQuotas } from "../../support/fakes/quotas.ts";
import { expectGolden } from "./golden.ts";
import { call, type Terminal } from "./host.ts";

interface Preflight extends Terminal {
  readonly projects?: readonly string[];
  readonly rootProject?: string;
}

async function preflight(facts: FakeProjectFacts, options: Preflight = {}) {
  const { projects = ["shop"], rootProject = "shop", ...terminal } = options;
  const mesh = await aMesh({ spec: { projects, rootProject } });
  // Nothing is deployed, and no person has made a root.
  mesh.roots.deny();
  return await call(mesh, "doctor --preflight -o json", { ...terminal, facts });
}

/** A node of a machine that holds two istiods, and no more. */
function addNode(
  mesh: FakeMesh,
  index: number,
  change: { name?: string; cpu?: string; taints?: object[] } = {},
) {
  const { name = "node-1", cpu = "1900m", taints = [] } = change;
  mesh.servers[index]!.store.write(
    {
      apiVersion: "v1",
      kind: "Node",
      metadata: {
        name,
        labels: { "cloud.google.com/gke-nodepool": "default-pool", "topology.kubernetes.io/zone": "a" },
      },
      spec: { taints },
      status: {
        allocatable: { cpu, memory: "6Gi", pods: "110" },
        conditions: [{ type: "Ready", status: "True" }],
      },
    },
    "gke",
  );
}

const GOOGLES = "34.118.224.0/20";

function addService(mesh: FakeMesh, index: number, service: string, clusterIP: string) {
  const [namespace = "", name = ""] = service.split("/");
  const { store } = mesh.servers[index]!;
  store.write({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }, "kubectl");
  store.write(
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace },
      spec: { clusterIP, ports: [{ port: 5432 }] },
    },
    "kubectl",
  );
}

/** All checks that are not ok, but for `identities`, which Meshjoin cannot examine. */
async function foundBy(facts: FakeProjectFacts, options?: Preflight): Promise<readonly Check[]> {
  const { code, out } = await preflight(facts, options);
  const { checks }: Diagnosis = JSON.parse(out);
  expect(code).toBe({ ok: 0, fault: 1, unknown: 3 }[worstState(checks)]);
  return checks.filter(({ state, name }) => state !== "ok" && name !== "identities");
}

const denied = (permission: string, project: string) =>
  new RefusedError(`permission ${permission} is missing on project ${project}; grant a role that has it`, {
    code: "PermissionDenied",
    fields: { permission, project, api: "cloudbilling.googleapis.com" },
  });

describe("doctor --preflight", () => {
  it("finds an empty project well but for what cannot be looked at", async () => {
    const facts = fakeProjectFacts();
    const mesh = await aMesh();
    mesh.roots.deny();
    const { code, out, err } = await call(mesh, "doctor --preflight", { facts });
    expect([code, err]).toEqual([3, ""]);
    expectGolden("preflight-well", out.trimEnd());
  });

  it("names everything that is wrong at once, each with its cure", async () => {
    const facts = fakeProjectFacts();
    facts.unbill("shop");
    for (const api of ["pubsub.googleapis.com", "secretmanager.googleapis.com"]) facts.disable("shop", api);
    for (const permission of ["run.services.setIamPolicy", "iam.serviceAccounts.actAs"]) {
      facts.revoke("shop", permission);
    }
    const mesh = await aMesh();
    const { code, out } = await call(mesh, "doctor --preflight", { facts });
    expect(code).toBe(1);
    expectGolden("preflight-faults", out.trimEnd());
  });

  it.each<[string, keyof FakeProjectFacts & ("isBilled" | "enabledApis" | "grantedPermissions"), string]>([
    ["billing", "isBilled", "billing"],
    ["APIs", "enabledApis", "apis"],
    ["permissions", "grantedPermissions", "permissions"],
  ])("does not know what it cannot read, and looks at the rest: %s", async (_, method, name) => {
    const facts = fakeProjectFacts();
    facts.fail(method, denied("resourcemanager.projects.get", "shop"));
    expect(await foundBy(facts)).toEqual([
      expect.objectContaining({
        name,
        state: "unknown",
        cure: "gcloud projects add-iam-policy-binding shop --member=user:ada@example.com --role=roles/browser",
      }),
    ]);
  });

  it.each<[string, MeshjoinError, string | undefined]>([
    [
      "an API that is not enabled",
      new RefusedError("could not read", {
        code: "ServiceDisabled",
        fields: { api: "cloudbilling.googleapis.com", project: "west", consumer: "home" },
      }),
      "gcloud services enable cloudbilling.googleapis.com --project=home",
    ],
    [
      "a quota project that may not be used",
      denied("serviceusage.services.use", "home"),
      "gcloud projects add-iam-policy-binding home --member=user:ada@example.com --role=roles/serviceusage.serviceUsageConsumer",
    ],
    ["a network that is out", new UnavailableError("no route", { code: "Unavailable" }), undefined],
    ["a question that is refused", new RefusedError("gone", { code: "NotFound" }), undefined],
  ])("does not know, for each project: %s", async (_, error, cure) => {
    const facts = fakeProjectFacts();
    facts.fail("isBilled", error);
    const found = await foundBy(facts, { projects: ["west"], rootProject: "home" });
    expect(found.map(({ state, message }) => [state, message.split(":")[0]])).toEqual([
      ["unknown", "home"],
      ["unknown", "west"],
    ]);
    for (const check of found) expect(check.cure).toBe(cure);
  });

  it("looks at each project for what is made there", async () => {
    const facts = fakeProjectFacts();
    for (const project of ["home", "west"]) {
      for (const permission of ["pubsub.topics.create", "logging.sinks.create", "iam.roles.create"]) {
        facts.revoke(project, permission);
      }
      facts.disable(project, "pubsub.googleapis.com");
    }
    const found = await foundBy(facts, { projects: ["west"], rootProject: "home" });
    const permissions = (project: string) =>
      found.find(({ name, message }) => name === "permissions" && message.startsWith(project))?.message ?? "";
    expect(permissions("home")).toMatch(/pubsub\.topics\.create/);
    expect(permissions("home")).not.toMatch(/logging\.sinks\.create/);
    expect(permissions("west")).not.toMatch(/pubsub\.topics\.create/);
    expect(permissions("west")).toMatch(/logging\.sinks\.create/);
    for (const project of ["home", "west"]) expect(permissions(project)).toMatch(/iam\.roles\.create/);
    expect(found.filter(({ name }) => name === "apis").map(({ message }) => message)).toEqual([
      "home: not enabled: pubsub.googleapis.com",
    ]);
  });

  it.each<
    [string, Partial<Cluster>, string, Partial<MeshSpec>, Partial<Record<keyof Check, unknown>> | undefined]
  >([
    [
      "pods that have no addresses of the VPC",
      { vpcNative: false, labels: {} },
      "one without a label, too",
      {},
      { state: "fault", cure: expect.stringContaining("--enable-ip-alias") },
    ],
    [
      "an Autopilot cluster that refuses sidecars",
      { autopilot: true },
      "",
      {},
      { state: "fault", cure: expect.stringContaining("--workload-policies=allow-net-admin") },
    ],
    [
      "private nodes that pull from Docker Hub",
      { privateNodes: true },
      "",
      {},
      { state: "unknown", message: expect.stringContaining("pull from docker.io/istio") },
    ],
    [
      "private nodes",
      { privateNodes: true },
      "with a mirror",
      { istioHub: "europe-west1-docker.pkg.dev/shop/docker-hub/istio" },
      undefined,
    ],
    ["an Autopilot cluster", { autopilot: true, allowNetAdmin: true }, "that admits sidecars", {}, undefined],
    ["a cluster", { vpcNative: false, labels: { mesh_id: "other" } }, "of another mesh", {}, undefined],
    ["a cluster", { vpcNative: false }, "that may not join", { allow: ["west*"] }, undefined],
  ])("looks at clusters: %s, %j, %s", async (_, seed, __, spec, expected) => {
    const mesh = await aMesh({ clusters: [aCluster(seed)], spec });
    const { out } = await call(mesh, "doctor --preflight -o json");
    const { checks }: Diagnosis = JSON.parse(out);
    const found = checks.filter(({ name, state }) => name === "cluster" && state !== "ok");
    expect(found).toMatchObject(expected === undefined ? [] : [expected]);
  });

  it.each<[string, (mesh: FakeMesh) => void, Partial<Record<keyof Check, unknown>>]>([
    [
      "a project that may not be listed",
      (mesh) => mesh.directory.refuse("shop"),
      {
        cure: "gcloud projects add-iam-policy-binding shop --member=user:ada@example.com --role=roles/container.clusterViewer",
      },
    ],
    [
      "a project without the API",
      (mesh) => mesh.directory.failNext(new RefusedError("not enabled", { code: "ServiceDisabled" })),
      { cure: "gcloud services enable container.googleapis.com --project=shop" },
    ],
    [
      "a location that is silent",
      (mesh) => mesh.directory.missing(["us-east1"]),
      { message: "shop: no answer from us-east1" },
    ],
  ])("does not know the clusters of %s", async (_, damage, expected) => {
    const mesh = await aMesh({ members: 1 });
    addNode(mesh, 0);
    damage(mesh);
    const { code, out } = await call(mesh, "doctor --preflight -o json");
    const { checks }: Diagnosis = JSON.parse(out);
    expect(code).toBe(3);
    expect(checks.filter(({ name }) => name === "clusters")).toEqual([
      expect.objectContaining({ state: "unknown", ...expected }),
    ]);
  });

  it.each<[string, Restriction, Partial<Record<keyof Check, unknown>>]>([
    [
      "run.allowedIngress",
      { kind: "values", allowed: ["internal"], denied: [] },
      {
        state: "fault",
        message: "shop: run.allowedIngress allows internal alone: Terraform without options is refused",
      },
    ],
    [
      "run.allowedIngress",
      { kind: "values", allowed: [], denied: ["all"] },
      { state: "fault", cure: expect.stringContaining("ALLOW_INTERNAL_ONLY") },
    ],
    [
      "cloudfunctions.requireVPCConnector",
      { kind: "enforced" },
      { state: "fault", cure: expect.stringContaining("vpc_egress") },
    ],
    [
      "gcp.resourceLocations",
      { kind: "values", allowed: ["in:europe-locations"], denied: ["europe-west2"] },
      {
        state: "unknown",
        message:
          "shop: gcp.resourceLocations allows in:europe-locations alone, denies europe-west2: it is not known whether that is enough",
      },
    ],
    [
      "gcp.restrictServiceUsage",
      { kind: "values", allowed: [], denied: [] },
      { state: "unknown", message: expect.stringContaining("allows nothing") },
    ],
  ])("weighs a policy: %s, %j", async (constraint, restriction, expected) => {
    const facts = fakeProjectFacts();
    facts.restrict("shop", constraint, restriction);
    expect(await foundBy(facts)).toEqual([expect.objectContaining({ name: "policies", ...expected })]);
  });

  it("finds nothing wrong with a policy that lets all in", async () => {
    const facts = fakeProjectFacts();
    facts.restrict("shop", "run.allowedIngress", { kind: "values", allowed: ["all"], denied: [] });
    expect(await foundBy(facts)).toEqual([]);
  });

  it("says once that policies cannot be read", async () => {
    const facts = fakeProjectFacts();
    facts.fail("restriction", denied("orgpolicy.policy.get", "shop"));
    expect(await foundBy(facts)).toEqual([
      expect.objectContaining({
        name: "policies",
        state: "unknown",
        cure: "gcloud projects add-iam-policy-binding shop --member=user:ada@example.com --role=roles/orgpolicy.policyViewer",
      }),
    ]);
  });

  it.each<[string, (quotas: FakeQuotas) => void, Partial<Record<keyof Check, unknown>>]>([
    [
      "functions that get fewer instances",
      (quotas) => quotas.setRun("shop", "europe-west1", "CpuAllocPerProjectRegion", 4000),
      {
        state: "fault",
        message:
          "shop: CpuAllocPerProjectRegion lets a function in europe-west1 have 4000 mCPU, and Terraform requests 10000 (10 instances)",
        cure: "apply with -var max_instances=4, or ask for more: gcloud beta quotas preferences create --project=shop --service=run.googleapis.com --quota-id=CpuAllocPerProjectRegion --dimensions=region=europe-west1 --preferred-value=10000 --email=ada@example.com",
      },
    ],
    [
      "functions that get none",
      (quotas) => quotas.setRun("shop", "europe-west1", "MemAllocPerProjectRegion", 1),
      {
        state: "fault",
        cure: expect.stringMatching(/^gcloud beta quotas preferences create .*=5368709120 /),
      },
    ],
    [
      "a first cluster whose machines find no CPUs",
      (quotas) => quotas.setCompute("shop", "europe-west1", "CPUS", { limit: 8, usage: 5 }),
      {
        state: "fault",
        message:
          "shop: a first cluster (2 nodes e2-standard-2) needs 4 CPU, and CPUS in europe-west1 is 8, of which 5 are used",
        cure: "gcloud beta quotas preferences create --project=shop --service=compute.googleapis.com --quota-id=CPUS-per-project-region --dimensions=region=europe-west1 --preferred-value=9 --email=ada@example.com",
      },
    ],
    [
      "a first cluster that finds no CPUs anywhere",
      (quotas) => quotas.setCompute("shop", "", "CPUS_ALL_REGIONS", { limit: 3, usage: 0 }),
      {
        state: "fault",
        cure: expect.stringContaining("--quota-id=CPUS-ALL-REGIONS-per-project --preferred"),
      },
    ],
    [
      "a first cluster whose disks are too large",
      (quotas) => quotas.setCompute("shop", "europe-west1", "SSD_TOTAL_GB", { limit: 99, usage: 0 }),
      { state: "fault", message: expect.stringContaining("needs 100 GB, and SSD_TOTAL_GB") },
    ],
    [
      "a quota that Google does not tell",
      (quotas) => quotas.dropCompute("IN_USE_ADDRESSES"),
      { state: "unknown", message: "shop: Compute Engine does not tell the quota IN_USE_ADDRESSES" },
    ],
    [
      "Compute Engine's, which it may not read",
      (quotas) => quotas.fail("compute", denied("compute.regions.get", "shop")),
      { state: "unknown", cure: expect.stringMatching(/--role=roles\/compute\.viewer$/) },
    ],
    [
      "Cloud Run's, of an API that is not enabled",
      (quotas) =>
        quotas.fail(
          "run",
          new RefusedError("not enabled", {
            code: "ServiceDisabled",
            fields: { api: "cloudquotas.googleapis.com", consumer: "shop" },
          }),
        ),
      {
        state: "unknown",
        cure: "gcloud services enable cloudquotas.googleapis.com --project=shop",
      },
    ],
  ])("weighs quotas: %s", async (_, limit, expected) => {
    const quotas = fakeQuotas();
    limit(quotas);
    expect(await foundBy(fakeProjectFacts(), { quotas })).toEqual([
      expect.objectContaining({ name: "quotas", ...expected }),
    ]);
  });

  it("looks at quotas where it is told to, and at those of a first cluster where there is none yet", async () => {
    const quotas = fakeQuotas();
    quotas.setRun("shop", "us-east1", "CpuAllocPerProjectRegion", 1000);
    quotas.setCompute("shop", "us-east1", "CPUS", { limit: 0, usage: 0 });
    const run = async (members: number) => {
      const mesh = await aMesh({ members });
      if (members > 0) addNode(mesh, 0);
      const { out } = await call(mesh, "doctor --preflight --region us-east1 -o json", { quotas });
      const { checks }: Diagnosis = JSON.parse(out);
      return checks.filter(({ state }) => state === "fault").map(({ message }) => message.split(" ")[1]);
    };
    expect(await run(0)).toEqual(["CpuAllocPerProjectRegion", "a"]);
    expect(await run(1)).toEqual(["CpuAllocPerProjectRegion"]);
  });

  it.each<[string, Partial<Cluster>, (mesh: FakeMesh) => void, Partial<Record<keyof Check, unknown>>]>([
    ["room for two istiods", {}, (mesh) => addNode(mesh, 0), { state: "ok" }],
    [
      "room for one",
      {},
      (mesh) => addNode(mesh, 0, { cpu: "900m" }),
      {
        state: "fault",
        message: "its nodes have room for 1 of 2 istiods, which reserve 0.5 CPU and 2 GiB each",
        cure: "gcloud container clusters resize east --project=shop --location=europe-west1 --node-pool=default-pool --num-nodes=2",
      },
    ],
    [
      "machines on which none fits",
      {},
      (mesh) => addNode(mesh, 0, { cpu: "400m" }),
      {
        state: "fault",
        cure: "gcloud container node-pools create istiod --cluster=east --project=shop --location=europe-west1 --machine-type=e2-standard-2 --num-nodes=1",
      },
    ],
    [
      "no room, and nodes that GKE adds",
      { addsNodes: true },
      () => undefined,
      { state: "unknown", message: expect.stringContaining("GKE adds nodes") },
    ],
    [
      "nodes that may not be read",
      {},
      (mesh) => {
        addNode(mesh, 0);
        mesh.servers[0]!.faults.forbidden = ["list"];
      },
      { state: "unknown", cure: expect.stringMatching(/--role=roles\/container\.viewer$/) },
    ],
    [
      "an API server that is away",
      {},
      (mesh) => void (mesh.servers[0]!.faults.unreachable = true),
      { state: "unknown", message: expect.stringContaining("it is not known whether its nodes") },
    ],
  ])("looks at the room of a cluster: %s", async (_, seed, arrange, expected) => {
    const mesh = await aMesh({ clusters: [aCluster(seed)] });
    arrange(mesh);
    const { out } = await call(mesh, "doctor --preflight -o json");
    const { checks }: Diagnosis = JSON.parse(out);
    expect(checks.filter(({ name }) => name === "room")).toEqual([expect.objectContaining(expected)]);
  });

  it("takes the room of the istiods that run for free", async () => {
    const mesh = await aMesh({ members: 1 });
    addNode(mesh, 0);
    await mesh.reconcile("mesh");
    const { out } = await call(mesh, "doctor --preflight -o json");
    const { checks }: Diagnosis = JSON.parse(out);
    expect(checks.find(({ name }) => name === "room")?.state).toBe("ok");
  });

  it("does not know how much room istiod takes before the manifest is built", async () => {
    const mesh = await aMesh({ members: 2 });
    const { out } = await call(mesh, "doctor --preflight -o json", { manifest: "missing" });
    const { checks }: Diagnosis = JSON.parse(out);
    expect(checks.filter(({ name }) => name === "room")).toEqual([
      expect.objectContaining({ state: "unknown", cure: expect.stringContaining("npm run build") }),
    ]);
  });

  it.each<
    [string, readonly string[], (mesh: FakeMesh) => void, readonly Partial<Record<keyof Check, unknown>>[]]
  >([
    ["ranges of their own", ["10.1.0.0/20", "10.2.0.0/20"], () => undefined, [{ state: "ok" }]],
    [
      "a range of which GKE says nothing",
      ["10.1.0.0/20", ""],
      () => undefined,
      [{ state: "unknown", clusterId: "cn-shop-europe-west1-west" }],
    ],
    [
      "one range",
      [GOOGLES, GOOGLES],
      (mesh) => addService(mesh, 1, "shop/db", "34.118.224.9"),
      [
        {
          state: "unknown",
          message: expect.stringContaining("no two collide now; it is not known which will collide"),
          cure: expect.stringContaining("--enable-ip-alias --services-ipv4-cidr=/20"),
        },
      ],
    ],
    [
      "one range, and Services that get into each other's way",
      [GOOGLES, GOOGLES],
      (mesh) => {
        addService(mesh, 1, "pay/db", "34.118.224.9");
        addService(mesh, 0, "shop/web", "34.118.224.9");
      },
      [
        {
          state: "fault",
          clusterId: "cn-shop-europe-west1-east",
          message:
            "its proxies would send connections for Service shop/web (34.118.224.9:5432) to pay/db, which has the same address in cn-shop-europe-west1-west, is older, and does not exist here",
          cure: "create it here too, with an address of its own: kubectl --context gke_shop_europe-west1_east create service clusterip db --namespace=pay --tcp=5432:5432",
        },
        { state: "unknown", message: expect.stringContaining(": it is not known which will collide") },
      ],
    ],
    [
      "a Service whose name means more to a shell",
      [GOOGLES, GOOGLES],
      (mesh) => {
        addService(mesh, 1, "pay/$(reboot)", "34.118.224.9");
        addService(mesh, 0, "shop/web", "34.118.224.9");
      },
      [
        { state: "fault", cure: expect.stringContaining(" create service clusterip NAME --namespace=pay ") },
        { state: "unknown" },
      ],
    ],
    [
      "overlapping ranges, and Services that may not be read",
      ["10.0.0.0/16", "10.0.240.0/20"],
      (mesh) => void (mesh.servers[0]!.faults.forbidden = ["list"]),
      [{ state: "unknown", message: expect.stringContaining("it is not known whether two collide now: ") }],
    ],
  ])("compares the Services of clusters: %s", async (_, ranges, arrange, expected) => {
    const clusters = ["east", "west"].map((name, index) =>
      aCluster({ name, serviceRange: ranges[index] ?? "" }),
    );
    const mesh = await aMesh({ clusters });
    arrange(mesh);
    const { out } = await call(mesh, "doctor --preflight -o json");
    const { checks }: Diagnosis = JSON.parse(out);
    expect(checks.filter(({ name }) => name === "services")).toEqual(
      expected.map((each) => expect.objectContaining(each)),
    );
  });

  it("asks nothing more without credentials", async () => {
    const email = new RefusedError("there are no Google credentials", { code: "NoCredentials" });
    const { code, out } = await preflight(fakeProjectFacts(), { email });
    const { checks }: Diagnosis = JSON.parse(out);
    expect([code, checks.map(({ name, state }) => [name, state])]).toEqual([
      1,
      [
        ["configuration", "ok"],
        ["credentials", "fault"],
      ],
    ]);
  });

  it("does not look at functions, too", async () => {
    const { code, err } = await call(await aMesh(), "doctor --preflight --url https://sync.example.com");
    expect([code, err]).toEqual([2, expect.stringContaining("cannot be used with option '--url <URL>'")]);
  });
});

describe("the table of permissions", () => {
  it("has an entry for each type in terraform/, and no other", async () => {
    const modules = await Promise.all(moduleDirectories(join(ROOT, "terraform")).map(readModule));
    const types = modules.flatMap(({ resources }) => resources.map(({ type }) => type));
    const google = [...new Set(types)].filter((type) => type.startsWith("google_"));
    expect(google.length).toBeGreaterThan(20);
    expect(Object.keys(TERRAFORM_NEEDS).toSorted()).toEqual(google.toSorted());
  });

  it("counts as optional what no deployment has by default, and nothing else", () => {
    const optional = Object.entries(TERRAFORM_NEEDS).filter(([, { option }]) => option !== undefined);
    const needed = new Set([...defaultNeeds(true, true), ...optional.map(([, need]) => need)]);
    expect(needed.size).toBe(Object.keys(TERRAFORM_NEEDS).length);
  });

  it("names roles that the guide tells to grant", () => {
    const guide = readFileSync(join(ROOT, "docs", "deploy.md"), "utf8");
    const roles = guide.slice(guide.indexOf("## Roles"), guide.indexOf("## By a pipeline"));
    for (const role of Object.values(TERRAFORM_NEEDS).flatMap((need) => need.roles)) {
      expect(roles).toContain(role.replace("roles/", ""));
    }
  });
});

it("knows the policies of the guide that there is something to do about", () => {
  const guide = readFileSync(join(ROOT, "docs", "deploy.md"), "utf8");
  const section = guide.slice(
    guide.indexOf("### Policies of the organization"),
    guide.indexOf("## Private clusters"),
  );
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  const actionable = rows.filter((row) => row.split(" | ")[2]?.startsWith("nothing") === false);
  const named = actionable.flatMap((row) => [...(row.split(" | ")[0] ?? "").matchAll(/`(?<name>[\w.]+)`/g)]);
  expect(named.map(({ groups }) => groups?.["name"] ?? "").toSorted()).toEqual(
    POLICIES.map(({ constraint }) => constraint).toSorted(),
  );
});

it("asks for the APIs that the guide enables by hand", () => {
  const guide = readFileSync(join(ROOT, "docs", "deploy.md"), "utf8");
  const [, enabled = ""] = /^gcloud services enable (?<apis>.*cloudresourcemanager.*)$/m.exec(guide) ?? [];
  expect(enabled.split(" ").toSorted()).toEqual(FIRST_APIS);
});

it("asks for the quotas of what Terraform and the guide make", async () => {
  const { variables } = await readModule(join(ROOT, "terraform"));
  expect(variables.get("region")?.body["default"]).toBe(DEFAULT_REGION);
  expect(variables.get("max_instances")?.body["default"]).toBe(FUNCTION.instances);
  const { resources } = await readModule(join(ROOT, "terraform", "modules", "functions", "function"));
  const [settings] = [
    resources.find(({ type }) => type === "google_cloudfunctions2_function")?.body["service_config"],
  ].flat();
  expect(settings).toMatchObject({
    available_cpu: String(FUNCTION.cpu),
    available_memory: `${FUNCTION.memoryMi}Mi`,
  });
  const guide = readFileSync(join(ROOT, "docs", "deploy.md"), "utf8");
  const [, flags = ""] = /^gcloud container clusters create east (?<flags>(?:.*\\\n)*.*)$/m.exec(guide) ?? [];
  const { nodes, machineType, cpus, diskGb } = FIRST_CLUSTER;
  expect(flags).toContain(`--num-nodes=${nodes} `);
  expect(flags).toContain(`--machine-type=${machineType} --disk-size=${diskGb} `);
  expect(machineType).toBe(`e2-standard-${cpus}`);
  expect(flags).toContain(`--location=${DEFAULT_REGION}-`);
  expect(flags).toContain("--enable-ip-alias --services-ipv4-cidr=/20");
});

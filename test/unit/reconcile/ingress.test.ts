import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { clusterId } from "../../../shared/core/names.ts";
import type { MeshSpec } from "../../../shared/core/spec.ts";
import { preview } from "../../../shared/preview.ts";
import type { Reconciled } from "../../../shared/reconcile.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { inLockstep, versionsOf, waitShortly } from "./world.ts";

const EAST = aCluster({ name: "east" });
const WEST = aCluster({ name: "west" });
const NAMESPACE = "istio-ingress";
const GATEWAY = {
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "Gateway",
  namespace: NAMESPACE,
  name: "meshjoin-ingress",
};
const OPTIONS = {
  apiVersion: "v1",
  kind: "ConfigMap",
  namespace: NAMESPACE,
  name: "meshjoin-ingress-options",
};
const ROLE = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "Role",
  namespace: NAMESPACE,
  name: "meshjoin-ingress",
};
const ROLE_BINDING = { ...ROLE, kind: "RoleBinding" };
const SERVICE = { apiVersion: "v1", kind: "Service", namespace: NAMESPACE, name: "meshjoin-ingress-istio" };
const TLS_SECRET = { apiVersion: "v1", kind: "Secret", namespace: NAMESPACE, name: "web" };
const ON = { ingress: "on" } as const;
const WITH_TLS = { ...ON, ingressTlsSecret: "web" } as const;

const reasons = (findings: readonly { readonly reason: string }[]) => findings.map(({ reason }) => reason);
const reasonsOfRun = ({ members, findings }: Reconciled["summary"]) =>
  reasons([...members.flatMap((member) => member.findings), ...findings]).filter((reason) =>
    reason.startsWith("Ingress"),
  );

async function joined(spec: Partial<MeshSpec> = ON): Promise<FakeMesh> {
  const mesh = await aMesh({ clusters: [EAST, WEST], spec });
  for (const cluster of mesh.clusters) await mesh.join(cluster);
  return mesh;
}

/** The ingress of the cluster: ports of its Service; undefined where there is none. */
function portsOf(mesh: FakeMesh, cluster = EAST): number[] | undefined {
  const service = mesh.fleet.server(cluster).store.get(SERVICE);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 Service
  const { ports = [] } = (service?.["spec"] ?? {}) as { ports?: readonly { port: number }[] };
  return service === undefined ? undefined : ports.map(({ port }) => port);
}

beforeEach(() => waitShortly());
afterEach(() => {
  jest.restoreAllMocks();
});

describe("the ingress of a member", () => {
  it("is not there unless the configuration wants it, and then costs no request", async () => {
    const mesh = await joined({});
    const before = mesh.servers.map(({ requests }) => requests.counts.list);
    expect(portsOf(mesh)).toBeUndefined();
    await mesh.reconcile("mesh");
    const asked = mesh.servers.map(({ requests }, index) => requests.counts.list - (before[index] ?? 0));
    const on = await joined();
    const beforeOn = on.servers.map(({ requests }) => requests.counts.list);
    await on.reconcile("mesh");
    const askedOn = on.servers.map(({ requests }, index) => requests.counts.list - (beforeOn[index] ?? 0));
    expect(askedOn).toEqual(asked.map((requests) => requests + 2));
  });

  it("comes with the join, with what users' routes bind to, and the next run writes nothing", async () => {
    const mesh = await joined();
    const { store } = mesh.fleet.server(EAST);
    expect([portsOf(mesh), portsOf(mesh, WEST)]).toEqual([
      [15_021, 80],
      [15_021, 80],
    ]);
    expect(store.get(GATEWAY)).toMatchObject({
      metadata: {
        labels: { "app.kubernetes.io/managed-by": "meshjoin", "meshjoin.dev/mesh": mesh.spec.meshId },
      },
      spec: {
        gatewayClassName: "istio",
        infrastructure: { labels: { istio: "ingressgateway" } },
        listeners: [{ port: 80, protocol: "HTTP", allowedRoutes: { namespaces: { from: "All" } } }],
      },
    });
    expect(store.get(ROLE)?.["rules"]).toEqual([]);
    const before = versionsOf(mesh);
    const { summary } = await mesh.reconcile("mesh", { deep: true });
    expect([summary.outcome, reasonsOfRun(summary)]).toEqual(["unchanged", []]);
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("brings the definition of HTTPRoute where there is none, and leaves one alone that is there", async () => {
    const mesh = await aMesh({ clusters: [EAST, WEST], spec: ON });
    const crd = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      name: "httproutes.gateway.networking.k8s.io",
    };
    const { apiVersion, kind, name } = crd;
    const gkes = { apiVersion, kind, metadata: { name }, spec: { by: "GKE" } };
    mesh.fleet.server(WEST).store.write(gkes, "kube-addon-manager");
    for (const cluster of mesh.clusters) await mesh.join(cluster);
    expect(mesh.fleet.server(EAST).store.get(crd)).toMatchObject({ spec: { names: { kind: "HTTPRoute" } } });
    expect(mesh.fleet.server(WEST).store.get(crd)?.["spec"]).toEqual({ by: "GKE" });
  });

  it("comes in one run where the API server takes its time to serve new definitions", async () => {
    const mesh = await aMesh({ clusters: [EAST, WEST], spec: ON });
    for (const cluster of mesh.clusters) {
      mesh.fleet.server(cluster).kinds.lateBy = 2;
      const { summary } = await mesh.join(cluster);
      expect(summary.members.filter(({ outcome }) => outcome === "waiting")).toEqual([]);
    }
    expect(reasonsOfRun((await mesh.reconcile("mesh")).summary)).toEqual([]);
  });

  it.each([
    "apply Namespace",
    "apply Role",
    "apply RoleBinding",
    "apply ConfigMap",
    "apply Gateway",
  ] as const)("is whole after the next runs, if one dies at %s", async (step) => {
    const mesh = await joined({});
    const { faults } = mesh.fleet.server(EAST);
    faults.broken = [step];
    await mesh.reconcile("mesh", { spec: WITH_TLS });
    faults.broken = [];
    mesh.fleet.server(EAST).store.write({ ...asObject(TLS_SECRET), data: GOOD }, "a person");
    await mesh.reconcile("mesh", { spec: WITH_TLS });
    const { store } = mesh.fleet.server(EAST);
    expect(portsOf(mesh)).toEqual([15_021, 80, 443]);
    expect(store.get(ROLE)?.["rules"]).toEqual([
      { apiGroups: [""], resources: ["secrets"], verbs: ["list"] },
    ]);
    expect(store.get(ROLE_BINDING)?.["subjects"]).toMatchObject([{ name: "meshjoin-ingress-istio" }]);
  });

  it("is waited for, and told of while its load balancer has no address", async () => {
    const mesh = await joined({});
    mesh.fleet.server(EAST).gateways.hasAddress = false;
    const { summary, retry } = await mesh.reconcile("mesh", { spec: ON });
    expect([retry, reasonsOfRun(summary)]).toEqual([
      false,
      ["IngressMissing", "IngressMissing", "IngressPending"],
    ]);
    mesh.fleet.server(EAST).gateways.hasAddress = true;
    mesh.fleet.server(EAST).settleGateways();
    const next = await mesh.reconcile("mesh", { spec: ON });
    expect(reasonsOfRun(next.summary)).toEqual([]);
  });

  it("is told of while none of its pods is ready", async () => {
    const mesh = await joined();
    mesh.fleet.server(EAST).gateways.isServing = false;
    mesh.fleet.server(EAST).settleGateways();
    const { summary } = await mesh.reconcile("mesh");
    expect(reasonsOfRun(summary)).toEqual(["IngressPending"]);
    expect(summary.findings.find(({ reason }) => reason === "IngressPending")?.message).toContain(
      "none of its pods",
    );
  });

  it("keeps nothing from its member's pairs, and no other member's, where it cannot be made", async () => {
    const mesh = await joined({});
    mesh.fleet.server(EAST).faults.broken = ["apply Gateway"];
    const { summary } = await mesh.reconcile("mesh", { spec: ON });
    expect(summary.pairs.map(({ outcome }) => outcome)).toEqual(["unchanged", "unchanged"]);
    expect([portsOf(mesh), portsOf(mesh, WEST)]).toEqual([undefined, [15_021, 80]]);
    expect(summary.outcome).not.toBe("unchanged");
  });

  it("comes once of two runs at once", async () => {
    const mesh = await joined({});
    inLockstep(mesh);
    await Promise.all([1, 2].map(() => mesh.reconcile("mesh", { spec: ON })));
    expect([portsOf(mesh), portsOf(mesh, WEST)]).toEqual([
      [15_021, 80],
      [15_021, 80],
    ]);
    const before = versionsOf(mesh);
    await mesh.reconcile("mesh", { deep: true, spec: ON });
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("is not known of a member that refuses the look, which gets nothing written, and others get theirs", async () => {
    const mesh = await joined({});
    mesh.fleet.server(EAST).faults.forbidden = ["list Service"];
    const { summary } = await mesh.reconcile("mesh", { spec: ON });
    expect([portsOf(mesh), portsOf(mesh, WEST)]).toEqual([undefined, [15_021, 80]]);
    const all = [...summary.members.flatMap((member) => member.findings), ...summary.findings];
    const first = all.find(({ clusterId: id }) => id === clusterId(EAST.ref));
    expect(first).toMatchObject({ reason: "RunFailed", message: expect.stringContaining("list Service") });
    const status = await collectStatus(mesh.run({ spec: ON }));
    expect(status.members.map(({ ingress }) => ingress.state)).toEqual(["unknown", "present"]);
  });

  it("comes to others while a member is silent, and to that one when it answers", async () => {
    const mesh = await joined({});
    mesh.fleet.server(EAST).faults.unreachable = true;
    await mesh.reconcile("mesh", { spec: ON });
    expect(portsOf(mesh, WEST)).toEqual([15_021, 80]);
    mesh.fleet.server(EAST).faults.unreachable = false;
    await mesh.reconcile("mesh", { spec: ON });
    expect(portsOf(mesh)).toEqual([15_021, 80]);
  });

  it("is taken back by a deep run where somebody has changed it", async () => {
    const mesh = await joined();
    const { store } = mesh.fleet.server(EAST);
    const listeners = [
      { name: "http", port: 80, protocol: "HTTP", allowedRoutes: { namespaces: { from: "Same" } } },
    ];
    store.apply(
      { ...asObject(GATEWAY), spec: { gatewayClassName: "istio", listeners } },
      { force: true, manager: "kubectl" },
    );
    const { summary } = await mesh.reconcile("mesh", { deep: true });
    expect(reasons(summary.findings)).toContain("ControlPlaneEdited");
    expect(store.get(GATEWAY)).toMatchObject({
      spec: { listeners: [{ allowedRoutes: { namespaces: { from: "All" } } }] },
    });
  });
});

const GOOD = { "tls.crt": "eA==", "tls.key": "eA==" };

function asObject({ name, namespace, ...kind }: typeof GATEWAY) {
  return { ...kind, metadata: { name, namespace } };
}

describe("port 443", () => {
  it.each<[string, Record<string, string> | undefined, string]>([
    ["is missing", undefined, "not found"],
    ["holds no certificate", { other: "eA==" }, "didn't have expected keys"],
  ])("is a fault where the Secret %s, and port 80 stays", async (_, data, why) => {
    const mesh = await joined(WITH_TLS);
    const { store } = mesh.fleet.server(EAST);
    for (const cluster of mesh.clusters)
      mesh.fleet.server(cluster).store.write({ ...asObject(TLS_SECRET), data: GOOD }, "a person");
    if (data === undefined) store.delete(TLS_SECRET);
    else store.write({ ...asObject(TLS_SECRET), data }, "a person");
    const { summary } = await mesh.reconcile("mesh");
    const [found, ...others] = summary.findings.filter(({ reason }) => reason === "IngressTlsMissing");
    expect([found?.clusterId, others]).toEqual(["cn-shop-europe-west1-east", []]);
    expect(found?.message).toContain(why);
    expect(found?.cure).toContain("create secret tls web");
    expect(portsOf(mesh)).toEqual([15_021, 80, 443]);
    const status = await collectStatus(mesh.run());
    expect(status.members.map(({ ingress }) => ingress)).toMatchObject([
      { state: "present", up: true, tls: "refused" },
      { state: "present", up: true, tls: "served" },
    ]);
    store.write({ ...asObject(TLS_SECRET), data: GOOD }, "a person");
    expect(reasonsOfRun((await mesh.reconcile("mesh")).summary)).toEqual([]);
  });

  it("stays where it serves and a configuration names no Secret, until a person confirms", async () => {
    const mesh = await joined();
    for (const cluster of mesh.clusters)
      mesh.fleet.server(cluster).store.write({ ...asObject(TLS_SECRET), data: GOOD }, "a person");
    await mesh.reconcile("mesh", { spec: WITH_TLS });
    const { store } = mesh.fleet.server(EAST);
    const before = versionsOf(mesh);
    for (const deep of [false, true]) {
      const { summary } = await mesh.reconcile("mesh", { deep });
      expect(reasonsOfRun(summary)).toEqual(["IngressInUse", "IngressInUse"]);
    }
    expect([portsOf(mesh), portsOf(mesh, WEST)]).toEqual([
      [15_021, 80, 443],
      [15_021, 80, 443],
    ]);
    expect(versionsOf(mesh)).toEqual(before);
    await mesh.reconcile("mesh", { confirm: ["IngressInUse"] });
    expect([portsOf(mesh), store.get(ROLE)?.["rules"]]).toEqual([[15_021, 80], []]);
    expect(reasonsOfRun((await mesh.reconcile("mesh")).summary)).toEqual([]);
  });

  describe("with another name of its Secret", () => {
    const RENAMED = { ...ON, ingressTlsSecret: "next" } as const;
    const NEXT_SECRET = { ...TLS_SECRET, name: "next" };
    const put = (mesh: FakeMesh, cluster: typeof EAST, ref: typeof TLS_SECRET, type = "kubernetes.io/tls") =>
      mesh.fleet.server(cluster).store.write({ ...asObject(ref), type, data: GOOD }, "a person");
    const served = (mesh: FakeMesh) =>
      mesh.clusters.map((cluster) => {
        const text = JSON.stringify(mesh.fleet.server(cluster).store.get(GATEWAY)?.["spec"]);
        return /"certificateRefs":\[\{[^}]*"name":"(?<name>\w+)"/.exec(text)?.groups?.["name"];
      });
    async function serving(type?: string): Promise<FakeMesh> {
      const mesh = await joined();
      for (const cluster of mesh.clusters) put(mesh, cluster, TLS_SECRET, type);
      await mesh.reconcile("mesh", { spec: WITH_TLS });
      return mesh;
    }

    it("goes on serving with the Secret that it has, in each member until the other one is there", async () => {
      const mesh = await serving();
      put(mesh, WEST, NEXT_SECRET);
      const { summary } = await mesh.reconcile("mesh", { spec: RENAMED });
      expect(served(mesh)).toEqual(["web", "next"]);
      const told = summary.findings.filter(({ reason }) => reason === "IngressInUse");
      expect(told).toMatchObject([
        {
          clusterId: clusterId(EAST.ref),
          message: expect.stringMatching(/serves with Secret web; istio-ingress there has no Secret next /),
          cure: expect.stringMatching(/create secret tls next .*; .*meshjoin sync --confirm IngressInUse$/),
        },
      ]);
      const before = versionsOf(mesh);
      await mesh.reconcile("mesh", { spec: RENAMED, deep: true });
      expect(versionsOf(mesh)).toEqual(before);
      put(mesh, EAST, NEXT_SECRET);
      const after = await mesh.reconcile("mesh", { spec: RENAMED });
      expect([served(mesh), reasonsOfRun(after.summary)]).toEqual([["next", "next"], ["IngressMissing"]]);
    });

    it("takes a Secret of another type only after a confirmation", async () => {
      const mesh = await serving();
      for (const cluster of mesh.clusters) put(mesh, cluster, NEXT_SECRET, "Opaque");
      await mesh.reconcile("mesh", { spec: RENAMED });
      expect(served(mesh)).toEqual(["web", "web"]);
      await mesh.reconcile("mesh", { spec: RENAMED, confirm: ["IngressInUse"] });
      expect(served(mesh)).toEqual(["next", "next"]);
    });

    it("takes it at once where port 443 is not served, though it is not there", async () => {
      const mesh = await joined();
      await mesh.reconcile("mesh", { spec: WITH_TLS });
      const { summary } = await mesh.reconcile("mesh", { spec: RENAMED });
      expect(served(mesh)).toEqual(["next", "next"]);
      expect(reasonsOfRun(summary)).toContain("IngressTlsMissing");
    });

    it("asks for no Secret where the name is the same, and follows other settings", async () => {
      const mesh = await serving("Opaque");
      const { store, requests } = mesh.fleet.server(EAST);
      const settings = store.get(SERVICE)?.metadata.annotations?.["meshjoin.dev/gateway-settings"] ?? "";
      const earlier = JSON.stringify(store.get(GATEWAY)).replaceAll(settings, "of-an-earlier-release");
      const listsOfRun = async () => {
        const before = requests.counts.list;
        await mesh.reconcile("mesh", { spec: WITH_TLS });
        return requests.counts.list - before;
      };
      const usual = await listsOfRun();
      store.write(JSON.parse(earlier), "meshjoin");
      const { summary } = await mesh.reconcile("mesh", { spec: WITH_TLS });
      expect(reasonsOfRun(summary)).toEqual(["IngressMissing"]);
      expect(await listsOfRun()).toBe(usual);
    });
  });

  it("comes and goes with the configuration, and the account's right to list Secrets with it", async () => {
    const mesh = await joined();
    const { store } = mesh.fleet.server(EAST);
    await mesh.reconcile("mesh", { spec: WITH_TLS });
    expect([portsOf(mesh), store.get(ROLE)?.["rules"]]).toEqual([
      [15_021, 80, 443],
      [{ apiGroups: [""], resources: ["secrets"], verbs: ["list"] }],
    ]);
    await mesh.reconcile("mesh");
    expect([portsOf(mesh), store.get(ROLE)?.["rules"]]).toEqual([[15_021, 80], []]);
  });
});

describe("what is somebody else's", () => {
  const byHand = {
    ...asObject(GATEWAY),
    spec: { gatewayClassName: "istio", listeners: [{ name: "a", port: 81 }] },
  };
  const remote = { ...byHand, spec: { gatewayClassName: "istio-remote" } };
  const space = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };

  it.each([
    ["of istiod's class", byHand, true],
    ["of another class, which a plan does not see", remote, false],
  ])("stays: a Gateway of the name, %s", async (_, foreign, isSeen) => {
    const mesh = await joined({});
    const { store } = mesh.fleet.server(EAST);
    store.write(space, "a person");
    store.write(foreign, "a person");
    const before = store.get(GATEWAY);
    const plan = await preview(mesh.run({ spec: ON }), { scope: "mesh", reason: "plan" });
    const { summary } = await mesh.reconcile("mesh", { spec: ON });
    expect(store.get(GATEWAY)).toEqual(before);
    expect(store.get(OPTIONS)).toBeUndefined();
    expect(reasonsOfRun(summary)).toContain("IngressForeign");
    expect(portsOf(mesh, WEST)).toEqual([15_021, 80]);
    expect(reasons(plan.findings).includes("IngressForeign")).toBe(isSeen);
    await mesh.reconcile("mesh", { deep: true, confirm: ["IngressInUse"] });
    expect(store.get(GATEWAY)).toEqual(before);
  });

  it("stays: a namespace of another mesh", async () => {
    const mesh = await joined({});
    const { store } = mesh.fleet.server(EAST);
    const labels = { "app.kubernetes.io/managed-by": "meshjoin", "meshjoin.dev/mesh": "other" };
    store.write({ ...space, metadata: { name: NAMESPACE, labels } }, "meshjoin-other");
    const { summary } = await mesh.reconcile("mesh", { spec: ON });
    expect(reasonsOfRun(summary)).toContain("IngressForeign");
    expect(
      store.get({ apiVersion: "v1", kind: "Namespace", name: NAMESPACE })?.metadata.labels,
    ).toMatchObject(labels);
    expect(portsOf(mesh)).toBeUndefined();
  });

  it("is taken over: a namespace without an owner, with all that is in it", async () => {
    const mesh = await joined({});
    const { store } = mesh.fleet.server(EAST);
    store.write({ ...space, metadata: { name: NAMESPACE, labels: { team: "web" } } }, "a person");
    store.write({ ...asObject(TLS_SECRET), data: GOOD }, "a person");
    await mesh.reconcile("mesh", { spec: ON });
    expect(
      store.get({ apiVersion: "v1", kind: "Namespace", name: NAMESPACE })?.metadata.labels,
    ).toMatchObject({
      team: "web",
      "app.kubernetes.io/managed-by": "meshjoin",
    });
    expect([portsOf(mesh), store.get(TLS_SECRET)?.["data"]]).toEqual([[15_021, 80], GOOD]);
  });
});

describe("an ingress that the configuration wants no more", () => {
  const OFF = { ingress: "off" } as const;

  it("stays while it has an address, until a person confirms; then it goes, and not the namespace", async () => {
    const mesh = await joined();
    const { store } = mesh.fleet.server(EAST);
    const before = versionsOf(mesh);
    const asked = await mesh.reconcile("mesh", { deep: true, spec: OFF });
    expect(reasonsOfRun(asked.summary)).toEqual(["IngressInUse", "IngressInUse"]);
    expect(versionsOf(mesh)).toEqual(before);
    const { summary } = await mesh.reconcile("mesh", { confirm: ["IngressInUse"], spec: OFF });
    expect(summary.outcome).toBe("deleted");
    expect([store.get(GATEWAY), store.get(OPTIONS), portsOf(mesh), portsOf(mesh, WEST)]).toEqual(
      Array.from({ length: 4 }),
    );
    expect(store.get({ apiVersion: "v1", kind: "Namespace", name: NAMESPACE })).toBeDefined();
    const next = await mesh.reconcile("mesh", { deep: true, spec: OFF });
    expect([next.summary.outcome, reasonsOfRun(next.summary)]).toEqual(["unchanged", []]);
  });

  it("is in the plan of a confirmed run, and of a deep one", async () => {
    const mesh = await joined();
    const request = { scope: "mesh", reason: "plan" } as const;
    const plan = async (how: object) => await preview(mesh.run({ spec: OFF }), { ...request, ...how });
    const deleted = (await plan({ confirm: ["IngressInUse"] })).actions;
    expect(deleted.map(({ verb, object }) => `${verb} ${object.kind}`)).toContain("delete Gateway");
    expect(reasons((await plan({ deep: true })).findings)).toContain("IngressInUse");
    expect((await plan({})).actions).toEqual([]);
  });

  it("goes at once where it has no address, and none of its pods serves: nobody reaches it", async () => {
    const mesh = await joined();
    for (const cluster of mesh.clusters) {
      mesh.fleet.server(cluster).gateways.hasAddress = false;
      mesh.fleet.server(cluster).gateways.isServing = false;
      mesh.fleet.server(cluster).settleGateways();
    }
    await mesh.reconcile("mesh", { deep: true, spec: OFF });
    expect([portsOf(mesh), portsOf(mesh, WEST)]).toEqual([undefined, undefined]);
  });

  it.each(["delete RoleBinding", "delete Role", "delete ConfigMap", "delete Gateway"] as const)(
    "goes in the next confirmed run, if one dies at %s, and comes back whole",
    async (step) => {
      const mesh = await joined(WITH_TLS);
      const { store, faults } = mesh.fleet.server(EAST);
      const left = () => [ROLE_BINDING, ROLE, OPTIONS, GATEWAY].filter((ref) => store.get(ref) !== undefined);
      faults.broken = [step];
      await mesh.reconcile("mesh", { confirm: ["IngressInUse"], spec: OFF });
      expect(left()).toContain(GATEWAY);
      faults.broken = [];
      await mesh.reconcile("mesh", { confirm: ["IngressInUse"], spec: OFF });
      expect(left()).toEqual([]);
      await mesh.reconcile("mesh");
      expect(left()).toHaveLength(4);
    },
  );

  it("stays without an address as long as a pod serves: another load balancer may send to that", async () => {
    const mesh = await joined();
    const { gateways } = mesh.fleet.server(EAST);
    gateways.hasAddress = false;
    mesh.fleet.server(EAST).settleGateways();
    const { summary } = await mesh.reconcile("mesh", { deep: true, spec: OFF });
    expect(reasonsOfRun(summary)).toEqual(["IngressInUse", "IngressInUse"]);
    expect(portsOf(mesh)).toEqual([15_021, 80]);
    gateways.isServing = false;
    mesh.fleet.server(EAST).settleGateways();
    await mesh.reconcile("mesh", { deep: true, spec: OFF });
    expect(portsOf(mesh)).toBeUndefined();
  });

  it.each([{ deep: true }, { confirm: ["IngressInUse"] }])(
    "is no secret where the run could not look whether it is there: %j",
    async (how) => {
      const mesh = await joined();
      mesh.fleet.server(EAST).faults.forbidden = ["list Service"];
      const { summary } = await mesh.reconcile("mesh", { ...how, spec: OFF });
      const found = summary.findings.find(({ clusterId: id }) => id === clusterId(EAST.ref));
      expect(found).toMatchObject({ reason: "RunFailed", message: expect.stringContaining("list Service") });
    },
  );

  it("stays with a cluster that leaves", async () => {
    const mesh = await joined();
    await mesh.reconcile("mesh", { leaving: [clusterId(WEST.ref)] });
    expect(portsOf(mesh, WEST)).toEqual([15_021, 80]);
  });
});

describe("another Service for the pods of the ingress", () => {
  it("is not taken for it, though it has the label that istiod gives", async () => {
    const mesh = await joined();
    const { store } = mesh.fleet.server(EAST);
    const { metadata, ...rest } = store.get(SERVICE)!;
    const { labels = {} } = metadata;
    store.write(
      { ...rest, metadata: { namespace: NAMESPACE, name: "groups", labels }, status: {} },
      "a person",
    );
    expect(reasonsOfRun((await mesh.reconcile("mesh", { deep: true })).summary)).toEqual([]);
    expect((await collectStatus(mesh.run())).members[0]?.ingress).toMatchObject({
      state: "present",
      up: true,
    });
  });
});

describe("the plan", () => {
  it("has the objects of an ingress that is due, and none of one that is as it should be", async () => {
    const mesh = await joined();
    const planned = async () =>
      (await preview(mesh.run(), { scope: "mesh", reason: "plan" })).actions.map(
        ({ verb, object }) => `${verb} ${object.kind} ${object.name}`,
      );
    expect(await planned()).toEqual([]);
    mesh.fleet.server(EAST).store.delete(GATEWAY);
    expect(await planned()).toEqual([
      "create ConfigMap meshjoin-ingress-options",
      "create Gateway meshjoin-ingress",
      "create Namespace istio-ingress",
      "create Role meshjoin-ingress",
      "create RoleBinding meshjoin-ingress",
    ]);
  });
});

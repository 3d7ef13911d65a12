import { describe, expect, it } from "@jest/globals";
import type { Diagnosis } from "../../../shared/core/answers/check.ts";
import { clusterId } from "../../../shared/core/names.ts";
import type { MeshSpec } from "../../../shared/core/spec.ts";
import { ROOT_RULES } from "../../../shared/istio/traffic-defaults.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { call } from "./host.ts";

const PORTS = [{ name: "http", port: 80, targetPort: 8080 }];

/** Two members with Service `shop/hello`, and a node with a region each. */
async function aShop(members = 2, spec: Partial<MeshSpec> = {}): Promise<FakeMesh> {
  const mesh = await aMesh({ members, spec });
  await mesh.reconcile("mesh");
  for (const { store } of mesh.servers) {
    store.write({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } }, "kubectl");
    store.write({ apiVersion: "v1", kind: "Namespace", metadata: { name: "web" } }, "kubectl");
    addNode(store, { "topology.kubernetes.io/region": "europe-west1" });
    addService(store, PORTS);
  }
  return mesh;
}

type Store = FakeMesh["servers"][number]["store"];

function addNode(store: Store, labels: Readonly<Record<string, string>>, name = "node-1"): void {
  store.write({ apiVersion: "v1", kind: "Node", metadata: { name, labels } }, "kubelet");
}

function addService(store: Store, ports: readonly object[], more: object = {}): void {
  const metadata = { name: "hello", namespace: "shop" };
  store.write({ apiVersion: "v1", kind: "Service", metadata, spec: { ports, ...more } }, "kubectl");
}

function addRule(mesh: FakeMesh, name: string, namespace: string, spec: object, index = 0): void {
  const { apiVersion, kind } = ROOT_RULES;
  mesh.servers[index]!.store.write({ apiVersion, kind, metadata: { name, namespace }, spec }, "kubectl");
}

async function saidOf(mesh: FakeMesh): Promise<readonly string[]> {
  const { checks }: Diagnosis = JSON.parse((await call(mesh, "doctor -o json")).out);
  return checks.filter(({ name }) => name === "failover").map(({ state, message }) => `${state} ${message}`);
}

const FINE = "ok no rule, node or port keeps a Service that several members have from failing over";
const OFF = (rules: string) =>
  `fault FailoverOff: Services whose own DestinationRules take failover away: shop/hello (${rules})`;
const EJECTS = { outlierDetection: { consecutiveGatewayErrors: 5 } };
const POOL = { connectionPool: { tcp: { maxConnections: 10 } } };

describe("doctor, of failover", () => {
  it("finds nothing in a mesh as Meshjoin makes it", async () => {
    expect(await saidOf(await aShop())).toEqual([FINE]);
  });

  it("says nothing where the configuration wants none, or a mesh of one member has none", async () => {
    const off = await aShop(2, { failover: "off" });
    addRule(off, "own", "shop", { host: "hello", trafficPolicy: POOL });
    expect(await saidOf(off)).toEqual([]);
    const lone = await aMesh({ members: 1 });
    await lone.reconcile("mesh");
    expect(await saidOf(lone)).toEqual([]);
  });

  it.each<[string, string, object]>([
    ["of the Service's namespace", "shop", { host: "hello", trafficPolicy: POOL }],
    ["by its whole name", "shop", { host: "hello.shop.svc.cluster.local", trafficPolicy: POOL }],
    ["for all Services of the namespace", "shop", { host: "*.shop.svc.cluster.local", trafficPolicy: POOL }],
    ["of a client's namespace", "web", { host: "hello.shop.svc.cluster.local", trafficPolicy: POOL }],
    ["of Istio's namespace", "istio-system", { host: "hello.shop.svc.cluster.local", trafficPolicy: POOL }],
    [
      "of Istio's namespace for all Services of its namespace",
      "istio-system",
      { host: "*.shop.svc.cluster.local", trafficPolicy: POOL },
    ],
    ["with subsets alone", "shop", { host: "hello", subsets: [{ name: "v1", labels: { version: "v1" } }] }],
    [
      "with a port of its own",
      "shop",
      { host: "hello", trafficPolicy: { ...EJECTS, portLevelSettings: [{ port: { number: 80 }, ...POOL }] } },
    ],
  ])("names a Service with a rule %s", async (_, namespace, spec) => {
    const mesh = await aShop();
    addRule(mesh, "own", namespace, spec);
    expect(await saidOf(mesh)).toEqual([OFF(`${namespace}/own`)]);
  });

  it.each<[string, object]>([
    ["ejects", { host: "hello", trafficPolicy: EJECTS }],
    [
      "ejects on each port",
      { host: "hello", trafficPolicy: { ...POOL, portLevelSettings: [{ port: { number: 80 }, ...EJECTS }] } },
    ],
    [
      "is for another port",
      { host: "hello", trafficPolicy: { ...EJECTS, portLevelSettings: [{ port: { number: 81 } }] } },
    ],
    ["is for another Service", { host: "other", trafficPolicy: POOL }],
    ["is for a host outside", { host: "*.example.com", trafficPolicy: POOL }],
    [
      "says that it wants none",
      { host: "hello", trafficPolicy: { loadBalancer: { localityLbSetting: { enabled: false } } } },
    ],
  ])("names none whose rule %s", async (_, spec) => {
    const mesh = await aShop();
    addRule(mesh, "own", "shop", spec);
    expect(await saidOf(mesh)).toEqual([FINE]);
  });

  it("goes by the most specific rule of a namespace", async () => {
    const mesh = await aShop();
    addRule(mesh, "all", "shop", { host: "*.shop.svc.cluster.local", trafficPolicy: POOL });
    addRule(mesh, "own", "shop", { host: "hello", trafficPolicy: EJECTS });
    expect(await saidOf(mesh)).toEqual([FINE]);
  });

  it("names both rules of one host, of which one alone has a policy", async () => {
    const mesh = await aShop();
    addRule(mesh, "a", "shop", { host: "hello", subsets: [] });
    addRule(mesh, "b", "shop", { host: "hello", trafficPolicy: POOL });
    expect(await saidOf(mesh)).toEqual([OFF("shop/a, shop/b")]);
  });

  it("does not mind a Service of one member alone", async () => {
    const mesh = await aShop();
    mesh.servers[1]!.store.delete({ apiVersion: "v1", kind: "Service", namespace: "shop", name: "hello" });
    addRule(mesh, "own", "shop", { host: "hello", trafficPolicy: POOL });
    expect(await saidOf(mesh)).toEqual([FINE]);
  });

  it("names a member whose nodes have no region", async () => {
    const mesh = await aShop();
    addNode(mesh.servers[1]!.store, {}, "node-2");
    const id = clusterId(mesh.clusters[1]!.ref);
    expect(await saidOf(mesh)).toEqual([
      `fault 1 of 2 nodes of ${id} have no label topology.kubernetes.io/region, node-2 for one: endpoints on them count as far from everywhere else`,
    ]);
  });

  it("hands no name of a node to a shell that no node can have", async () => {
    const mesh = await aShop();
    addNode(mesh.servers[1]!.store, {}, "node-2; reboot");
    const { out } = await call(mesh, "doctor -o json");
    expect(out).toContain("label node NAME topology.kubernetes.io/region=REGION");
    expect(out).not.toContain("label node node-2; reboot");
  });

  it.each<[string, readonly object[], object, boolean]>([
    ["another number", [{ name: "http", port: 81 }], {}, true],
    ["another name, and so another protocol", [{ name: "tcp", port: 80 }], {}, true],
    ["one port more", [...PORTS, { name: "admin", port: 81 }], {}, true],
    ["no address of its own", PORTS, { clusterIP: "None" }, true],
    ["another port of its pods", [{ name: "http", port: 80, targetPort: 9090 }], {}, false],
    ["the protocol written out", [{ name: "http", port: 80, protocol: "TCP" }], {}, false],
  ])("compares Services of one name: %s", async (_, ports, more, isNamed) => {
    const mesh = await aShop();
    addService(mesh.servers[1]!.store, ports, more);
    const [said = ""] = await saidOf(mesh);
    expect(said.includes("IST0170")).toBe(isNamed);
    expect(said.startsWith("fault")).toBe(isNamed);
  });

  it("says where it may not look, and of how many members it looked at", async () => {
    const mesh = await aShop(3);
    mesh.servers[1]!.faults.forbidden = ["list DestinationRule"];
    expect(await saidOf(mesh)).toEqual([
      `unknown ${clusterId(mesh.clusters[1]!.ref)}: list DestinationRule: forbidden`,
    ]);
    mesh.servers[1]!.faults.forbidden = [];
    mesh.servers[1]!.faults.unreachable = true;
    expect(await saidOf(mesh)).toEqual([`${FINE}, of the 2 that could be read`]);
    mesh.servers[2]!.faults.unreachable = true;
    expect(await saidOf(mesh)).toEqual([]);
  });
});

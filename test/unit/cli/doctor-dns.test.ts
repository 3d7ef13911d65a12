import { describe, expect, it } from "@jest/globals";
import type { Diagnosis } from "../../../shared/core/answers/check.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../../shared/core/names.ts";
import type { DnsCapturePolicy } from "../../../shared/core/spec.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { call } from "./host.ts";

const FINE = "ok sidecars answer DNS queries, and no name leads to another Service";
const ONE = aCluster({ name: "one", serviceRange: "10.1.0.0/20" });
const OTHER = aCluster({ name: "other", serviceRange: "10.2.0.0/20" });
const SAME = aCluster({ name: "same", serviceRange: "10.1.0.0/16" });
const [ONE_ID, SAME_ID] = [ONE, SAME].map(({ ref }) => clusterId(ref));

async function aMeshOf(...clusters: readonly Cluster[]): Promise<FakeMesh> {
  return await withCapture("on", clusters);
}

async function withCapture(dnsCapture: DnsCapturePolicy, clusters: readonly Cluster[]): Promise<FakeMesh> {
  const mesh = await aMesh({ clusters, spec: { dnsCapture } });
  await mesh.reconcile("mesh");
  for (const { store } of mesh.servers) {
    store.write({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } }, "kubectl");
    const name = "serviceentries.networking.istio.io";
    const kind = "CustomResourceDefinition";
    store.write({ apiVersion: "apiextensions.k8s.io/v1", kind, metadata: { name } }, "kubectl");
  }
  return mesh;
}

function addService(
  mesh: FakeMesh,
  index: number,
  name: string,
  clusterIP: string,
  namespace = "shop",
): void {
  const metadata = { name, namespace };
  mesh.servers[index]!.store.write(
    { apiVersion: "v1", kind: "Service", metadata, spec: { clusterIP } },
    "kubectl",
  );
}

function addEntry(mesh: FakeMesh, spec: object, labels: Readonly<Record<string, string>> = {}): void {
  const metadata = { name: "api", namespace: "shop", labels };
  const apiVersion = "networking.istio.io/v1";
  mesh.servers[0]!.store.write({ apiVersion, kind: "ServiceEntry", metadata, spec }, "kubectl");
}

async function saidOf(mesh: FakeMesh): Promise<readonly string[]> {
  const { checks }: Diagnosis = JSON.parse((await call(mesh, "doctor -o json")).out);
  return checks.filter(({ name }) => name === "dns").map(({ state, message }) => `${state} ${message}`);
}

describe("doctor, of DNS capture", () => {
  it("says nothing where the configuration wants none", async () => {
    const mesh = await withCapture("off", [ONE, SAME]);
    addService(mesh, 0, "a", "10.1.0.1");
    addService(mesh, 1, "b", "10.1.0.1");
    expect(await saidOf(mesh)).toEqual([]);
  });

  it("finds nothing wrong where members have ranges of their own", async () => {
    const mesh = await aMeshOf(ONE, OTHER);
    addService(mesh, 0, "a", "10.1.0.1");
    addService(mesh, 1, "b", "10.2.0.1");
    expect(await saidOf(mesh)).toEqual([FINE]);
  });

  it("cannot tell where members share a range, and no two Services an address", async () => {
    const mesh = await aMeshOf(ONE, SAME);
    addService(mesh, 0, "a", "10.1.0.1");
    addService(mesh, 1, "b", "10.1.0.2");
    expect(await saidOf(mesh)).toEqual([
      `unknown ${ONE_ID}, ${SAME_ID} take addresses of Services from one range: no Service of one has the address of one that another lacks now; it is not known which will`,
    ]);
  });

  it("names, in each member, Services elsewhere with the address of one here", async () => {
    const mesh = await aMeshOf(ONE, SAME);
    addService(mesh, 0, "a", "10.1.0.1");
    addService(mesh, 1, "b", "10.1.0.1");
    const wrong = (id: string, what: string) =>
      `fault in ${id} TCP connections to Services that only other members have go to Services of its own: ${what}`;
    expect(await saidOf(mesh)).toEqual([
      wrong(ONE_ID!, `shop/b of ${SAME_ID} (10.1.0.1, here shop/a)`),
      wrong(SAME_ID!, `shop/a of ${ONE_ID} (10.1.0.1, here shop/b)`),
    ]);
  });

  it("names those with the address of one here that Istio keeps apart", async () => {
    const mesh = await aMeshOf(ONE, SAME);
    mesh.servers[0]!.store.write(
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "kube-system" } },
      "kubectl",
    );
    addService(mesh, 0, "metrics", "10.1.0.1", "kube-system");
    addService(mesh, 1, "b", "10.1.0.1");
    expect(await saidOf(mesh)).toEqual([
      expect.stringContaining(`: shop/b of ${SAME_ID} (10.1.0.1, here kube-system/metrics)`),
    ]);
  });

  it("does not mind Services that both have, and headless ones", async () => {
    const mesh = await aMeshOf(ONE, SAME);
    for (const index of [0, 1]) {
      addService(mesh, index, "a", "10.1.0.1");
      addService(mesh, index, "b", "10.1.0.2");
      addService(mesh, index, `pods-${index}`, "None");
    }
    expect((await saidOf(mesh)).map((line) => line.split(" ")[0])).toEqual(["unknown"]);
  });

  it.each<[string, object, Readonly<Record<string, string>>, boolean]>([
    ["without addresses", { hosts: ["api.example.com"], resolution: "DNS" }, {}, true],
    [
      "with addresses",
      { hosts: ["api.example.com"], resolution: "DNS", addresses: ["192.0.2.1"] },
      {},
      false,
    ],
    ["that is resolved by its caller", { hosts: ["api.example.com"], resolution: "NONE" }, {}, false],
    ["without a resolution", { hosts: ["api.example.com"] }, {}, false],
    ["for many hosts", { hosts: ["*.example.com"], resolution: "DNS" }, {}, false],
    [
      "that says no",
      { hosts: ["api.example.com"], resolution: "DNS" },
      { "networking.istio.io/enable-autoallocate-ip": "false" },
      false,
    ],
  ])("names the hosts of a ServiceEntry %s: it answers from then on", async (_, spec, labels, isNamed) => {
    const mesh = await aMeshOf(ONE, OTHER);
    addEntry(mesh, spec, labels);
    expect(await saidOf(mesh)).toEqual([
      isNamed
        ? "ok sidecars answer with addresses of 240.240.0.0/16 for hosts of ServiceEntries without addresses: api.example.com"
        : FINE,
    ]);
  });

  it("says where it may not look", async () => {
    const mesh = await aMeshOf(ONE, OTHER);
    mesh.servers[1]!.faults.forbidden = ["list ServiceEntry"];
    expect(await saidOf(mesh)).toEqual([`unknown ${clusterId(OTHER.ref)}: list ServiceEntry: forbidden`]);
  });

  it("says of how many members it knows, and nothing where it could read none", async () => {
    const mesh = await aMeshOf(ONE, OTHER);
    mesh.servers[1]!.faults.broken = ["list Service"];
    expect(await saidOf(mesh)).toEqual([`${FINE}, of the 1 that could be read`]);
    mesh.servers[0]!.faults.broken = ["list Service"];
    expect(await saidOf(mesh)).toEqual([]);
  });
});

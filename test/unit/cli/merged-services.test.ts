import { describe, expect, it } from "@jest/globals";
import type { DryRun } from "../../../cli/grave-command.ts";
import type { Diagnosis } from "../../../shared/core/answers/check.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { versionsOf } from "../reconcile/world.ts";
import { call } from "./host.ts";

function addServices(mesh: FakeMesh, index: number, ...services: readonly string[]): void {
  const { store } = mesh.servers[index]!;
  for (const service of services) {
    const [namespace = "", name = ""] = service.split("/");
    store.write({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }, "kubectl");
    store.write({ apiVersion: "v1", kind: "Service", metadata: { name, namespace } }, "kubectl");
  }
}

async function aJoinedMesh(members: number): Promise<FakeMesh> {
  const mesh = await aMesh({ members });
  await mesh.reconcile("mesh");
  return mesh;
}

/** What the doctor says of Services. */
async function saidOf(mesh: FakeMesh): Promise<readonly string[]> {
  const { checks }: Diagnosis = JSON.parse((await call(mesh, "doctor -o json")).out);
  return checks.filter(({ name }) => name === "services").map(({ state, message }) => `${state} ${message}`);
}

describe("doctor, of Services that several members have", () => {
  it("names them with their members, Google's last, and leaves out what Istio keeps apart", async () => {
    const mesh = await aJoinedMesh(3);
    const [m1, m2, m3] = mesh.clusters.map(({ ref }) => clusterId(ref));
    addServices(mesh, 0, "gmp-system/alertmanager", "shop/hello", "pay/api", "default/kubernetes");
    addServices(mesh, 1, "gmp-system/alertmanager", "shop/hello", "shop/other", "kube-system/kube-dns");
    addServices(mesh, 2, "shop/hello", "default/kubernetes", "kube-system/kube-dns", "pay/hello");
    for (const index of [0, 1]) addServices(mesh, index, "meshjoin-probe/probe");
    expect(await saidOf(mesh)).toEqual([
      `ok in several members, and therefore one in the mesh: shop/hello (${m1}, ${m2}, ${m3}), ` +
        `gmp-system/alertmanager (${m1}, ${m2}); to keep one apart: docs/joined-and-now.md`,
    ]);
  });

  it("names five, and counts the others", async () => {
    const mesh = await aJoinedMesh(2);
    const services = Array.from({ length: 7 }, (_, index) => `shop/s${index}`);
    addServices(mesh, 0, ...services);
    addServices(mesh, 1, ...services);
    const [said = ""] = await saidOf(mesh);
    expect(said).toContain("shop/s4");
    expect(said).not.toContain("shop/s5");
    expect(said).toContain(", and 2 more;");
  });

  it("says of how many members it read them", async () => {
    const mesh = await aJoinedMesh(3);
    mesh.servers[1]!.faults.unreachable = true;
    expect(await saidOf(mesh)).toEqual([
      "ok no two members have a Service of one name, of the 2 whose Services could be read",
    ]);
    mesh.servers[2]!.faults.unreachable = true;
    expect(await saidOf(mesh)).toEqual([]);
  });
});

describe("join --dry-run", () => {
  async function aNewcomer(): Promise<FakeMesh> {
    const mesh = await aJoinedMesh(3);
    await call(mesh, "leave m3 --yes");
    addServices(mesh, 0, "shop/hello", "pay/api");
    addServices(mesh, 1, "shop/hello", "pay/api");
    return mesh;
  }

  it("shows the Services that become one, and the writes; it changes nothing", async () => {
    const mesh = await aNewcomer();
    addServices(mesh, 2, "shop/hello", "own/thing");
    const before = versionsOf(mesh);
    const { code, out } = await call(mesh, "join m3 --dry-run");
    expect(code).toBe(0);
    expect(out).toMatch(/^m3 gets the label mesh_id=prod\.$/m);
    expect(out).toMatch(/^It joins 2 other members \(m1, m2\)\.$/m);
    expect(out).toMatch(/^These Services become one .*:\n {2}shop\/hello with m1, m2$/m);
    expect(out).not.toMatch(/pay\/api|own\/thing/);
    expect(out).toContain("RemoteSecretMissing");
    expect(versionsOf(mesh)).toEqual(before);
    expect(mesh.directory.peek(mesh.clusters[2]!.ref)?.labels).toEqual({});

    const { effects, actions }: DryRun = JSON.parse((await call(mesh, "join m3 --dry-run -o json")).out);
    expect(effects).toHaveLength(3);
    expect(actions.length).toBeGreaterThan(0);
  });

  it("says that there is none, and whose Services it did not see", async () => {
    const mesh = await aNewcomer();
    mesh.servers[1]!.faults.unreachable = true;
    const { out } = await call(mesh, "join m3 --dry-run");
    expect(out).toMatch(/^No Service of it has the name of one that another member has\.$/m);
    expect(out).toMatch(/^Not known: the Services of m2\.$/m);
  });

  it("is refused where the join would be", async () => {
    const mesh = await aNewcomer();
    mesh.directory.put({ ...mesh.clusters[2]!, labels: { mesh_id: "other" } });
    const { code, err } = await call(mesh, "join m3 --dry-run");
    expect(code).toBe(1);
    expect(err).toContain("belongs to mesh other");
  });
});

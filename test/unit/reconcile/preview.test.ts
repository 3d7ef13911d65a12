import { describe, expect, it } from "@jest/globals";
import { annotation, clusterId, ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import { preview } from "../../../shared/preview.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { isRecordOfRuns, objectsOf, versionsOf } from "./world.ts";

async function plannedCrds(mesh: FakeMesh): Promise<string[]> {
  const { actions } = await preview(mesh.run(), { scope: "mesh", reason: "test" });
  return actions.flatMap(({ object }) => (object.kind === "CustomResourceDefinition" ? [object.name] : []));
}

/** The account's own rights, which go before the first custom resource; their binding is named after it. */
const isRight = (key: string) => key.includes(" meshjoin-custom-resources");

function withoutIstiod(mesh: FakeMesh): void {
  const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: ISTIO_NAMESPACE, name: "istiod" };
  mesh.servers[0]!.store.delete(ref);
}

describe("a plan", () => {
  it("writes nothing", async () => {
    const mesh = await aMesh({ members: 2 });
    const before = versionsOf(mesh);
    const { actions } = await preview(mesh.run(), { scope: "mesh", reason: "test" });
    expect(actions.length).toBeGreaterThan(0);
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("names the CRDs that are missing", async () => {
    expect(await plannedCrds(await aMesh({ members: 1 }))).toHaveLength(5);
  });

  it("does not name those that are there", async () => {
    const mesh = await aMesh({ members: 1 });
    await mesh.reconcile("mesh");
    withoutIstiod(mesh);
    expect(await plannedCrds(mesh)).toEqual([]);
  });

  it("names those that are older", async () => {
    const mesh = await aMesh({ members: 1 });
    await mesh.reconcile("mesh");
    withoutIstiod(mesh);
    const { store } = mesh.servers[0]!;
    const [crd] = store.list({ apiVersion: "", kind: "CustomResourceDefinition" });
    const annotations = { ...crd!.metadata.annotations, [annotation("istio-version")]: "1.20.0" };
    store.write({ ...crd!, metadata: { ...crd!.metadata, annotations } }, "meshjoin");
    expect(await plannedCrds(mesh)).toEqual([crd!.metadata.name]);
  });

  it("names the intermediates that are due for another", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    mesh.clock.advance(1);
    mesh.roots.setAnnotations({ "meshjoin.dev_rotate-before": mesh.clock.now().toISOString() });
    const { actions } = await preview(mesh.run(), { scope: "mesh", reason: "test" });
    expect(actions.map(({ verb, object, findings }) => [verb, object.name, findings[0]?.reason])).toEqual([
      ["update", "cacerts", "CertificateDue"],
      ["update", "cacerts", "CertificateDue"],
    ]);
  });

  it("names the reader Secret that stood for an earlier cluster of the name, and is made anew", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    const [reader, target] = mesh.clusters;
    const anew = { ...reader!, id: "made-anew" };
    mesh.directory.put(anew);
    mesh.fleet.add(anew);
    const { actions } = await preview(mesh.run(), { scope: "mesh", reason: "test" });
    const onTarget = actions.filter(({ clusterId: id }) => id === clusterId(target!.ref));
    const name = `meshjoin-reader-${clusterId(reader!.ref)}`;
    expect(onTarget.map(({ verb, object }) => `${verb} ${object.name}`)).toEqual(
      expect.arrayContaining([`delete ${name}`, `create ${name}`]),
    );
  });

  it.each<[string, (mesh: FakeMesh) => void]>([
    ["two members join", (mesh) => void mesh.add(aCluster({ name: "m9" }))],
    ["one has left", (mesh) => mesh.directory.delete(mesh.clusters[0]!.ref)],
    ["a token is due", (mesh) => mesh.clock.advance(5.2 * 86_400)],
  ])("names exactly what a run writes when %s", async (_, change) => {
    const mesh = await aMesh({ members: 3 });
    await mesh.reconcile("mesh");
    change(mesh);
    const { actions } = await preview(mesh.run(), { scope: "mesh", reason: "test" });
    const before = ownVersions(mesh);
    await mesh.reconcile("mesh");
    const after = ownVersions(mesh);
    const written = [...new Set([...before.keys(), ...after.keys()])].filter(
      (key) => before.get(key) !== after.get(key) && !isRight(key),
    );
    const planned = actions.map(({ clusterId: id, object: { kind, name } }) => `${id} ${kind} ${name}`);
    expect([...new Set(planned)].toSorted()).toEqual(written.toSorted());
  });
});

/** Of Meshjoin's own objects of every cluster that is there: what changes with any write. */
function ownVersions(mesh: FakeMesh): ReadonlyMap<string, string> {
  return new Map(
    mesh.clusters.flatMap((cluster) => {
      if (mesh.directory.peek(cluster.ref) === undefined) return [];
      const all = objectsOf({ ...mesh, servers: [mesh.fleet.server(cluster)] });
      const objects = all.filter((object) => !isRecordOfRuns(object));
      const own = objects.filter(({ metadata }) => metadata.labels?.["meshjoin.dev/mesh"] !== undefined);
      return own.map(({ kind, metadata: { name, resourceVersion = "" } }): [string, string] => [
        `${clusterId(cluster.ref)} ${kind} ${name}`,
        resourceVersion,
      ]);
    }),
  );
}

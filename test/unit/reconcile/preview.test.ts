import { describe, expect, it } from "@jest/globals";
import { annotation, ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import { preview } from "../../../shared/preview.ts";
import { aMesh, type FakeMesh } from "../../fakes/mesh.ts";
import { versionsOf } from "./world.ts";

async function plannedCrds(mesh: FakeMesh): Promise<string[]> {
  const { actions } = await preview(mesh.run(), { scope: "mesh", reason: "test" });
  return actions.flatMap(({ object }) => (object.kind === "CustomResourceDefinition" ? [object.name] : []));
}

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
    expect(await plannedCrds(await aMesh({ members: 1 }))).toHaveLength(2);
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
});

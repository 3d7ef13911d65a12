import { describe, expect, it } from "@jest/globals";
import { clusterId, ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import type { ManifestTemplate } from "../../../shared/istio/template.ts";
import type { KubernetesObject } from "../../../shared/ports.ts";
import type { Progress } from "../../../shared/progress.ts";
import { aCluster } from "../../builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../fakes/mesh.ts";
import { MANIFEST_TEMPLATE } from "../../fixtures/manifest-template.ts";
import { namespace, secret } from "./installations.ts";
import { expectJoined, versionsOf } from "./world.ts";

/** The manifest with a change that makes new istiod pods. */
const CHANGED = withEnv("PILOT_TRACE_SAMPLING", "1");

function withEnv(name: string, value: string): ManifestTemplate {
  const objects = MANIFEST_TEMPLATE.objects.map((object): KubernetesObject => {
    if (object.kind !== "Deployment") return object;
    const text = JSON.stringify(object).replace('"env":[', `"env":[{"name":"${name}","value":"${value}"},`);
    return JSON.parse(text);
  });
  return { ...MANIFEST_TEMPLATE, digest: `${name}=${value}`, objects };
}

async function aJoinedMesh(members: number): Promise<FakeMesh> {
  const mesh = await aMesh({ members });
  await mesh.reconcile("mesh");
  return mesh;
}

const ids = (mesh: FakeMesh) => mesh.clusters.map(({ ref }) => clusterId(ref));
const reasonsOf = (findings: readonly { readonly reason: string }[]) => [
  ...new Set(findings.map(({ reason }) => reason)),
];

/** Cluster IDs of the members that run the changed manifest. */
function changed(mesh: FakeMesh): string[] {
  return mesh.clusters
    .filter((cluster) => {
      const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: ISTIO_NAMESPACE, name: "istiod" };
      return JSON.stringify(mesh.fleet.server(cluster).store.get(ref) ?? "").includes("PILOT_TRACE_SAMPLING");
    })
    .map(({ ref }) => clusterId(ref));
}

describe("a roll-out", () => {
  it("goes to one member after the other, each when the last is ready and seen by all", async () => {
    const mesh = await aJoinedMesh(3);
    const steps: string[] = [];
    const report = ({ step, clusterId: id }: Progress) => {
      if (step === "applyControlPlane" || step === "istiodReady") steps.push(`${step} ${id}`);
    };
    const { summary, retry } = await mesh.reconcile("mesh", { template: CHANGED, report });
    expect([summary.outcome, retry]).toEqual(["updated", false]);
    expect(steps).toEqual(ids(mesh).flatMap((id) => [`applyControlPlane ${id}`, `istiodReady ${id}`]));
    await expectJoined(mesh);

    const before = versionsOf(mesh);
    expect((await mesh.reconcile("mesh", { template: CHANGED })).summary.outcome).toBe("unchanged");
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("stops at the first member that does not come up, and goes on when it has", async () => {
    const mesh = await aJoinedMesh(3);
    const [first, second] = ids(mesh);
    const { istiod } = mesh.servers[1]!;
    istiod.readyAfterMs = Number.POSITIVE_INFINITY;
    const stuck = () => mesh.reconcile("mesh", { template: CHANGED, signal: AbortSignal.timeout(400) });
    const { summary, retry } = await stuck();
    expect(retry).toBe(true);
    expect(reasonsOf(summary.findings)).toContain("RollOutStopped");
    expect(summary.findings.find(({ reason }) => reason === "RollOutStopped")?.clusterId).toBe(second);
    expect(changed(mesh)).toEqual([first, second]);

    expect(reasonsOf((await stuck()).summary.findings)).toContain("RollOutWaits");
    expect(changed(mesh)).toEqual([first, second]);

    istiod.readyAfterMs = 0;
    mesh.servers[1]!.wakeIstiod();
    expect(await mesh.reconcile("mesh", { template: CHANGED })).toMatchObject({ retry: false, errors: [] });
    expect(changed(mesh)).toEqual(ids(mesh));
    await expectJoined(mesh);
  });

  it("does not begin while a member cannot be reached", async () => {
    const mesh = await aJoinedMesh(3);
    mesh.servers[2]!.faults.unreachable = true;
    const { summary } = await mesh.reconcile("mesh", { template: CHANGED });
    expect(reasonsOf(summary.findings)).toContain("RollOutWaits");
    expect(changed(mesh)).toEqual([]);
  });

  it("reaches a member that the manifest before has broken first, whatever the mesh is like", async () => {
    const mesh = await aJoinedMesh(3);
    const { istiod } = mesh.servers[0]!;
    istiod.readyAfterMs = Number.POSITIVE_INFINITY;
    const broken = { template: CHANGED, signal: AbortSignal.timeout(1500) };
    expect(reasonsOf((await mesh.reconcile("mesh", broken)).summary.findings)).toContain("RollOutStopped");
    expect(changed(mesh)).toEqual([ids(mesh)[0]]);

    istiod.readyAfterMs = 0;
    mesh.servers[2]!.faults.unreachable = true;
    const { summary } = await mesh.reconcile("mesh");
    expect(changed(mesh)).toEqual([]);
    expect(summary.findings.map(({ reason }) => reason)).not.toContain("RollOutStopped");
    mesh.servers[2]!.faults.unreachable = false;
    expect(await mesh.reconcile("mesh")).toMatchObject({ retry: false, errors: [] });
    await expectJoined(mesh);
  });

  it("waits for no member that only a person can mend", async () => {
    const mesh = await aJoinedMesh(2);
    const guest = mesh.add(aCluster({ name: "guest" }));
    guest.store.write(namespace(), "kubectl");
    guest.store.write(secret("cacerts", { "ca-cert.pem": "none of the mesh's" }), "kubectl");
    const { summary } = await mesh.reconcile("mesh", { template: CHANGED });
    expect(summary.members.map(({ outcome }) => outcome)).toEqual(["failed", "updated", "updated"]);
    expect(changed(mesh)).toEqual(ids(mesh).filter((id) => !id.endsWith("guest")));
  });

  it("is no business of an event", async () => {
    const mesh = await aJoinedMesh(2);
    const { summary, retry } = await mesh.join(mesh.clusters[0]!, { template: CHANGED });
    expect([summary.outcome, retry]).toEqual(["unchanged", false]);
    expect(reasonsOf(summary.members[0]?.findings ?? [])).toEqual(["ControlPlaneOutdated"]);
    expect(changed(mesh)).toEqual([]);
  });

  it("of another Istio goes to nobody until it is confirmed", async () => {
    const mesh = await aJoinedMesh(2);
    const template = { ...CHANGED, release: "1.32.0", tag: "1.32.0" };
    const waiting = await mesh.reconcile("mesh", { template });
    expect(reasonsOf(waiting.summary.members.flatMap(({ findings }) => findings))).toEqual([
      "IstioVersionDiffers",
    ]);
    expect(changed(mesh)).toEqual([]);

    await mesh.reconcile("mesh", { template, confirm: ["IstioVersionDiffers"] });
    expect(changed(mesh)).toEqual(ids(mesh));
    await expectJoined(mesh);
  });
});

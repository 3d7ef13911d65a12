import { describe, expect, it } from "@jest/globals";
import { clusterId, ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import { INVENTORY, PRUNED_KINDS } from "../../../shared/istio/needed-permissions.ts";
import { findRefusedPods } from "../../../shared/phases/refused-pods.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import { merge } from "../../../shared/report.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { expectJoined, versionsOf } from "./world.ts";

const CONFIG = { apiVersion: "v1", kind: "ConfigMap", namespace: ISTIO_NAMESPACE, name: "istio" };
const SERVICE = { apiVersion: "v1", kind: "Service", namespace: ISTIO_NAMESPACE, name: "istiod" };
const ACCOUNT = { apiVersion: "v1", kind: "ServiceAccount", namespace: ISTIO_NAMESPACE, name: "istiod" };

async function aJoinedMesh(): Promise<FakeMesh & { readonly store: FakeMesh["servers"][number]["store"] }> {
  const mesh = await aMesh({ members: 2 });
  await mesh.reconcile("mesh");
  return Object.assign(mesh, { store: mesh.servers[0]!.store });
}

const deep = async (mesh: FakeMesh) => (await mesh.reconcile("mesh", { deep: true })).summary;
const reasonsOf = ({ findings }: { readonly findings: readonly { readonly reason: string }[] }) =>
  findings.map(({ reason }) => reason);

function edit({ store }: Awaited<ReturnType<typeof aJoinedMesh>>, text: string): void {
  store.write({ ...store.get(CONFIG)!, data: { mesh: text } }, "kubectl-edit");
}

describe("a deep run of a member on Autopilot", () => {
  const event = (name: string, message: string) => ({
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, namespace: "shop" },
    reason: "FailedCreate",
    involvedObject: { kind: "ReplicaSet", namespace: "shop", name },
    message,
  });
  const WARDEN = `denied by autogke-default-linux-capabilities: linux capability 'NET_ADMIN' on container 'istio-init'`;

  async function aRefusingMesh(allowNetAdmin: boolean) {
    const mesh = await aJoinedMesh();
    mesh.directory.put({ ...mesh.clusters[0]!, autopilot: true, allowNetAdmin });
    mesh.store.write(event("web", WARDEN), "replicaset-controller");
    mesh.store.write(event("web-again", WARDEN), "replicaset-controller");
    mesh.store.write(event("other", "exceeded quota"), "replicaset-controller");
    return mesh;
  }

  it("names the workloads whose pods are refused for NET_ADMIN, and is not itself troubled by that", async () => {
    const mesh = await aRefusingMesh(false);
    const { outcome, findings } = await deep(mesh);
    expect([outcome, reasonsOf({ findings })]).toEqual(["unchanged", ["AutopilotNeedsNetAdmin"]]);
    expect(findings[0]?.message).toMatch(/of ReplicaSet shop\/web, ReplicaSet shop\/web-again$/);
    expect((await mesh.reconcile("mesh")).summary.findings).toEqual([]);
  });

  it("says nothing of old events where NET_ADMIN is allowed by now", async () => {
    expect((await deep(await aRefusingMesh(true))).findings).toEqual([]);
  });

  it("says that it may not read events", async () => {
    const mesh = await aRefusingMesh(false);
    mesh.servers[0]!.faults.forbidden = ["list"];
    const cluster = { ...mesh.clusters[0]!, autopilot: true };
    const member = { cluster, clusterId: clusterId(cluster.ref) };
    const { members, findings, errors } = merge(await findRefusedPods(mesh.run(), member));
    expect([members.map(({ outcome }) => outcome), reasonsOf({ findings })]).toEqual([
      ["failed"],
      ["RunFailed"],
    ]);
    expect(errors).toMatchObject([{ code: "Forbidden" }]);
  });
});

describe("a deep run", () => {
  it("writes nothing where nobody has changed anything", async () => {
    const mesh = await aJoinedMesh();
    const before = versionsOf(mesh);
    expect(await deep(mesh)).toMatchObject({ outcome: "unchanged", findings: [] });
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("takes back what somebody has changed, says from whom, and forgets it when it stays so", async () => {
    const mesh = await aJoinedMesh();
    const whole = mesh.store.get(CONFIG)?.["data"];
    edit(mesh, "theirs");
    expect(await mesh.reconcile("mesh")).toMatchObject({ summary: { outcome: "unchanged" } });
    const summary = await deep(mesh);
    expect(summary.findings).toMatchObject([
      { reason: "ControlPlaneEdited", message: expect.stringContaining("kubectl-edit") },
    ]);
    expect(mesh.store.get(CONFIG)?.["data"]).toEqual(whole);

    await deep(mesh);
    expect(mesh.store.get(CONFIG)?.metadata.annotations ?? {}).not.toHaveProperty(
      "meshjoin.dev/taken-back-from",
    );
    const before = versionsOf(mesh);
    expect(await deep(mesh)).toMatchObject({ outcome: "unchanged", findings: [] });
    expect(versionsOf(mesh)).toEqual(before);
    await expectJoined(mesh);
  });

  it("takes it back once, and leaves it to whoever changes it in two runs running", async () => {
    const mesh = await aJoinedMesh();
    edit(mesh, "theirs");
    await deep(mesh);
    edit(mesh, "theirs again");
    const summary = await deep(mesh);
    expect([summary.outcome, reasonsOf(summary)]).toEqual(["failed", ["FieldConflict"]]);
    expect(summary.findings[0]?.message).toContain("kubectl-edit");
    expect(mesh.store.get(CONFIG)?.["data"]).toEqual({ mesh: "theirs again" });
    expect(reasonsOf(await deep(mesh))).toEqual(["FieldConflict"]);
  });

  it.each([SERVICE, ACCOUNT, CONFIG])("makes $kind $name again that somebody has deleted", async (ref) => {
    const mesh = await aJoinedMesh();
    mesh.store.delete(ref);
    expect((await deep(mesh)).outcome).toBe("updated");
    expect(mesh.store.get(ref)?.metadata.labels).toMatchObject({ "meshjoin.dev/mesh": "prod" });
    const before = versionsOf(mesh);
    await deep(mesh);
    expect(versionsOf(mesh)).toEqual(before);
  });

  it.each(["ResourceQuota", "ConfigMap"])(
    "repairs everything else where it may not list %s",
    async (kind) => {
      const mesh = await aJoinedMesh();
      const before = mesh.store.get(SERVICE)?.["spec"];
      mesh.store.write({ ...mesh.store.get(SERVICE)!, spec: { ports: [] } }, "kubectl-edit");
      mesh.servers[0]!.faults.forbidden = [`list ${kind}`];
      const { summary, errors } = await mesh.reconcile("mesh", { deep: true });
      expect([summary.outcome, reasonsOf(summary).toSorted()]).toEqual([
        "failed",
        ["ControlPlaneEdited", "RunFailed"],
      ]);
      expect(errors).toMatchObject([{ code: "Forbidden", message: `list ${kind}: forbidden` }]);
      expect(mesh.store.get(SERVICE)?.["spec"]).toEqual(before);
      expect(mesh.store.get(CONFIG)?.["data"]).toBeDefined();
    },
  );

  it("repairs everything else where one kind is answered with an error", async () => {
    const mesh = await aJoinedMesh();
    const before = mesh.store.get(SERVICE)?.["spec"];
    mesh.store.write({ ...mesh.store.get(SERVICE)!, spec: { ports: [] } }, "kubectl-edit");
    mesh.servers[0]!.faults.broken = ["list ResourceQuota", "apply ConfigMap"];
    const summary = await deep(mesh);
    expect([summary.outcome, reasonsOf(summary).toSorted()]).toEqual([
      "waiting",
      ["ApiServerUnreachable", "ApiServerUnreachable", "ControlPlaneEdited"],
    ]);
    expect(mesh.store.get(SERVICE)?.["spec"]).toEqual(before);
  });

  it("repairs everything else where it may not make a missing object anew", async () => {
    const mesh = await aJoinedMesh();
    const before = mesh.store.get(SERVICE)?.["spec"];
    mesh.store.write({ ...mesh.store.get(SERVICE)!, spec: { ports: [] } }, "kubectl-edit");
    mesh.store.delete(CONFIG);
    mesh.servers[0]!.faults.forbidden = ["apply ConfigMap", "create ConfigMap"];
    const summary = await deep(mesh);
    expect([summary.outcome, reasonsOf(summary).toSorted()]).toEqual([
      "failed",
      ["ControlPlaneEdited", "RunFailed"],
    ]);
    expect(mesh.store.get(SERVICE)?.["spec"]).toEqual(before);
  });

  it("does not take over an object whose labels say that it is not Meshjoin's any more", async () => {
    const mesh = await aJoinedMesh();
    const found = mesh.store.get(SERVICE)!;
    const { "meshjoin.dev/mesh": _, ...labels } = { ...found.metadata.labels };
    const theirs = { ...found, metadata: { ...found.metadata, labels }, spec: { ports: [] } };
    mesh.store.write(theirs, "kubectl-edit");
    const before = mesh.store.get(SERVICE);
    expect(reasonsOf(await deep(mesh))).toEqual(["ForeignControlPlane"]);
    expect(mesh.store.get(SERVICE)).toEqual(before);
  });
});

describe("an object that an earlier manifest held", () => {
  const labels = {
    "app.kubernetes.io/managed-by": "meshjoin",
    "meshjoin.dev/mesh": "prod",
    "app.kubernetes.io/part-of": "istio",
  };
  const old = (kind: string, more: Record<string, string> = {}): KubernetesObject => {
    const { apiVersion } = [...PRUNED_KINDS, ...INVENTORY].find((each) => each.kind === kind)!;
    const namespace = kind === "ClusterRole" ? {} : { namespace: ISTIO_NAMESPACE };
    return { apiVersion, kind, metadata: { name: "old", ...namespace, labels: { ...labels, ...more } } };
  };
  const isThere = ({ store }: Awaited<ReturnType<typeof aJoinedMesh>>, kind: string) =>
    store.list({ apiVersion: "", kind }).some(({ metadata }) => metadata.name === "old");

  it.each(PRUNED_KINDS)("is deleted by the next deep run, and by no other: $kind", async ({ kind }) => {
    const mesh = await aJoinedMesh();
    mesh.store.write(old(kind), "meshjoin");
    await mesh.reconcile("mesh");
    expect(isThere(mesh, kind)).toBe(true);
    const { outcome, findings } = await deep(mesh);
    expect([outcome, reasonsOf({ findings })]).toEqual(["updated", ["ObjectPruned"]]);
    expect(isThere(mesh, kind)).toBe(false);
    expect((await deep(mesh)).findings).toEqual([]);
  });

  it.each(["ClusterRole", "Deployment"])(
    "is told of where Meshjoin deletes none of its kind: %s",
    async (kind) => {
      const mesh = await aJoinedMesh();
      mesh.store.write(old(kind), "meshjoin");
      const { outcome, findings } = await deep(mesh);
      expect([outcome, reasonsOf({ findings })]).toEqual(["unchanged", ["ObjectLeftOver"]]);
      expect(isThere(mesh, kind)).toBe(true);
    },
  );

  it("stays where the API server does not let it go, and keeps no other from its end", async () => {
    const mesh = await aJoinedMesh();
    mesh.store.write(old("ConfigMap"), "meshjoin");
    mesh.store.write(old("Service"), "meshjoin");
    mesh.servers[0]!.faults.forbidden = ["delete ConfigMap"];
    const { outcome, findings } = await deep(mesh);
    expect([outcome, reasonsOf({ findings }).toSorted()]).toEqual(["failed", ["ObjectPruned", "RunFailed"]]);
    expect([isThere(mesh, "ConfigMap"), isThere(mesh, "Service")]).toEqual([true, false]);
  });

  it.each<[string, Record<string, string>]>([
    ["is part of something else", { "app.kubernetes.io/part-of": "meshjoin" }],
    ["is another mesh's", { "meshjoin.dev/mesh": "test" }],
  ])("stays where it %s", async (_, more) => {
    const mesh = await aJoinedMesh();
    mesh.store.write(old("ConfigMap", more), "meshjoin");
    expect(await deep(mesh)).toMatchObject({ outcome: "unchanged", findings: [] });
    expect(isThere(mesh, "ConfigMap")).toBe(true);
  });
});

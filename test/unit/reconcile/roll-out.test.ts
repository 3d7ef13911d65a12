import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { clusterId, ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import type { ManifestTemplate } from "../../../shared/istio/template.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import type { Progress } from "../../../shared/progress.ts";
import { rotateIntermediates } from "../../../shared/rotate/rotate.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import type { IstiodBehaviour } from "../../support/fakes/member-api/istiod.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { MANIFEST_TEMPLATE } from "../../support/fixtures/manifest-template.ts";
import { namespace, secret } from "./installations.ts";
import { expectJoined, versionsOf, waitShortly } from "./world.ts";

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

/** In seconds. */
const HOUR = 3600;
const ids = (mesh: FakeMesh) => mesh.clusters.map(({ ref }) => clusterId(ref));
const reasonsOf = (findings: readonly { readonly reason: string }[]) => [
  ...new Set(findings.map(({ reason }) => reason)),
];

/** From now on the changed manifest, and that alone, does this to the istiod of the member. */
function breaks(mesh: FakeMesh, member: number, how: Partial<IstiodBehaviour>): void {
  const server = mesh.servers[member]!;
  const { istiod, store } = server;
  const whole = { ...istiod };
  const settle = () => {
    Object.assign(istiod, changed(mesh).includes(ids(mesh)[member]!) ? how : whole);
    server.wakeIstiod();
  };
  settle();
  store.onChange(settle);
}

/**
 * Its pods are gone, as they are when a kubelet starts them anew; of a manifest that does not come up none
 * come back.
 */
function restartIstiod(mesh: FakeMesh, member: number): void {
  const { store } = mesh.servers[member]!;
  const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: ISTIO_NAMESPACE, name: "istiod" };
  store.write({ ...store.get(ref)!, status: { replicas: 1 } }, "kube-controller-manager");
}

afterEach(() => {
  jest.restoreAllMocks();
});

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

  it("reaches each broken member, whatever became of the one before", async () => {
    const mesh = await aJoinedMesh(3);
    await mesh.reconcile("mesh", { template: CHANGED });
    for (const member of [0, 1]) {
      breaks(mesh, member, { readyAfterMs: Number.POSITIVE_INFINITY });
      restartIstiod(mesh, member);
    }
    const [first, , third] = ids(mesh);
    mesh.servers[0]!.faults.forbidden = ["apply"];
    const { summary } = await mesh.reconcile("mesh");
    expect(changed(mesh)).toEqual([first, third]);
    const stopped = summary.findings.filter(({ reason }) => reason === "RollOutStopped");
    expect(stopped.map((found) => found.clusterId)).toEqual([first]);
    expect(summary.members.map(({ outcome }) => outcome)).toEqual(["failed", "waiting", "unchanged"]);

    mesh.servers[0]!.faults.forbidden = [];
    await mesh.reconcile("mesh");
    expect(await mesh.reconcile("mesh")).toMatchObject({ retry: false, errors: [] });
    expect(changed(mesh)).toEqual([]);
    await expectJoined(mesh);
  });

  it("reaches a member whose istiod is ready and has synced nobody since the manifest before", async () => {
    waitShortly();
    const mesh = await aJoinedMesh(3);
    breaks(mesh, 0, { syncsAfterMs: Number.POSITIVE_INFINITY });
    const broken = await mesh.reconcile("mesh", { template: CHANGED });
    expect(reasonsOf(broken.summary.findings)).toContain("RollOutStopped");
    expect(changed(mesh)).toEqual([ids(mesh)[0]]);

    const { summary } = await mesh.reconcile("mesh");
    expect(changed(mesh)).toEqual([]);
    expect(reasonsOf(summary.findings)).not.toContain("RollOutStopped");
    expect(await mesh.reconcile("mesh")).toMatchObject({ retry: false, errors: [] });
    await expectJoined(mesh);
  });

  it("takes nobody for broken whose istiod could not be asked", async () => {
    waitShortly();
    const mesh = await aJoinedMesh(4);
    for (const server of mesh.servers.slice(1)) server.faults.forbidden = ["portForward"];
    const { summary } = await mesh.reconcile("mesh", { template: CHANGED });
    expect(reasonsOf(summary.findings)).toContain("RollOutWaits");
    expect(changed(mesh)).toEqual([]);
  });

  it("stops at the first of those that serve, though all were stuck before", async () => {
    waitShortly();
    const mesh = await aJoinedMesh(4);
    for (const { istiod } of mesh.servers.slice(2)) istiod.syncsAfterMs = Number.POSITIVE_INFINITY;
    for (const member of [2, 3]) restartIstiod(mesh, member);
    breaks(mesh, 2, { readyAfterMs: Number.POSITIVE_INFINITY });
    const { summary } = await mesh.reconcile("mesh", { template: CHANGED });
    expect(reasonsOf(summary.findings)).toContain("RollOutStopped");
    expect(changed(mesh)).toEqual([ids(mesh)[2]]);
  });

  it("is not stopped by a pair whose writing is refused for good", async () => {
    const mesh = await aJoinedMesh(3);
    const guest = mesh.add(aCluster({ name: "m4" }));
    guest.faults.forbidden = ["tokenRequest"];
    await mesh.reconcile("mesh");
    await mesh.reconcile("mesh", { template: CHANGED });
    expect(changed(mesh)).toEqual(ids(mesh));
  });

  it("goes to no other because of a member that has it, and that nobody can read since", async () => {
    waitShortly();
    const mesh = await aJoinedMesh(2);
    const [first, second] = ids(mesh);
    const report = ({ step }: Progress) => {
      if (step === "applyControlPlane") mesh.fleet.cutOff(mesh.clusters[0]!);
    };
    const { summary } = await mesh.reconcile("mesh", { template: CHANGED, report });
    expect(reasonsOf(summary.findings)).toContain("RollOutStopped");
    const again = await mesh.reconcile("mesh", { template: CHANGED });
    expect(again.summary.pairs).toMatchObject([
      { reader: first, outcome: "unchanged" },
      { reader: second, outcome: "waiting" },
    ]);
    expect(reasonsOf(again.summary.findings)).toContain("RollOutWaits");
    expect(changed(mesh)).toEqual([first]);
  });

  it("takes nobody for broken that is about to load a new intermediate", async () => {
    waitShortly();
    const mesh = await aJoinedMesh(2);
    const [first] = ids(mesh);
    mesh.servers[0]!.istiod.reloadsAfterMs = Number.POSITIVE_INFINITY;
    mesh.clock.advance(HOUR);
    const order = { scope: { clusterId: first! }, reason: "manual", givenAt: mesh.clock.now() } as const;
    await rotateIntermediates(mesh.run(), order);
    const { summary } = await mesh.reconcile("mesh", { template: CHANGED });
    expect(reasonsOf(summary.members[0]!.findings)).toContain("CertificateLoading");
    expect(changed(mesh)).toEqual([]);

    mesh.clock.advance(HOUR);
    const later = await mesh.reconcile("mesh", { template: CHANGED });
    expect(reasonsOf(later.summary.members[0]!.findings)).toContain("CertificateNotLoaded");
    expect(changed(mesh)).toEqual([first]);
  });

  it("is not stopped by a pair that only a person can mend", async () => {
    const refusing = aCluster({ name: "m4" });
    const { dns } = refusing.endpoints;
    const endpoints = { ...refusing.endpoints, dns: { ...dns!, allowsKubernetesTokens: false } };
    const clusters = ["m1", "m2", "m3"].map((name) => aCluster({ name }));
    const mesh = await aMesh({
      clusters: [...clusters, { ...refusing, endpoints }],
      spec: { accessPeers: "dns" },
    });
    await mesh.reconcile("mesh");
    const { summary } = await mesh.reconcile("mesh", { template: CHANGED });
    expect(reasonsOf(summary.findings)).toEqual(["DnsTokensNotAllowed"]);
    expect(changed(mesh)).toEqual(ids(mesh));
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

import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { Status } from "../../../shared/core/answers/status.ts";
import type { Summary } from "../../../shared/core/answers/summary.ts";
import { verdictOf } from "../../../shared/core/answers/verdict.ts";
import { isReachable } from "../../../shared/core/member/observation.ts";
import { clusterId, ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import type { ManifestTemplate } from "../../../shared/istio/template.ts";
import { endpointsHeld } from "../../../shared/look/endpoints-held.ts";
import { lookAtMesh } from "../../../shared/look/mesh.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { MANIFEST_TEMPLATE } from "../../support/fixtures/manifest-template.ts";
import { call } from "../cli/host.ts";
import { expectJoined, versionsOf, waitShortly } from "./world.ts";

const DEPLOYMENT = { apiVersion: "apps/v1", kind: "Deployment", namespace: ISTIO_NAMESPACE, name: "istiod" };

async function aJoinedMesh(members: number): Promise<FakeMesh> {
  const mesh = await aMesh({ members });
  await mesh.reconcile("mesh");
  mesh.clock.advance(3600);
  return mesh;
}

function setDown(mesh: FakeMesh, member: number, isDown: boolean): void {
  const server = mesh.servers[member]!;
  server.istiod.isDown = isDown;
  server.wakeIstiod();
}

function scale(mesh: FakeMesh, member: number, replicas: number): void {
  const { store } = mesh.servers[member]!;
  const deployment = store.get(DEPLOYMENT)!;
  store.write({ ...deployment, spec: Object.assign({}, deployment["spec"], { replicas }) }, "kubectl");
}

const reasonsOf = (findings: readonly { readonly reason: string }[] = []) =>
  findings.map(({ reason }) => reason);

beforeEach(() => {
  waitShortly();
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe("a member whose istiod answers nobody", () => {
  it.each([
    ["scaled to 0", (mesh: FakeMesh) => scale(mesh, 0, 0), (mesh: FakeMesh) => scale(mesh, 0, 1)],
    ["not ready", (mesh: FakeMesh) => setDown(mesh, 0, true), (mesh: FakeMesh) => setDown(mesh, 0, false)],
  ])("is said to be that in runs and status, with the end, until it is mended: %s", async (_, fell, mend) => {
    const mesh = await aJoinedMesh(2);
    fell(mesh);
    mesh.clock.advance(240);
    expect(reasonsOf((await mesh.reconcile("mesh")).summary.members[0]?.findings)).not.toContain(
      "CertificatesEnd",
    );
    mesh.clock.advance(120);
    const { summary } = await mesh.reconcile("mesh");
    const found = summary.members[0]?.findings.find(({ reason }) => reason === "CertificatesEnd");
    expect(found).toMatchObject({
      severity: "error",
      clusterId: clusterId(mesh.clusters[0]!.ref),
      message: expect.stringContaining(
        "since 2026-03-01 13:00 UTC, so none of its workloads gets another certificate: " +
          "the first ends at 2026-03-02 00:44 UTC at the earliest, and all have ended by 2026-03-02 13:01 UTC",
      ),
    });
    const before = versionsOf(mesh);
    await mesh.reconcile("mesh");
    expect(versionsOf(mesh)).toEqual(before);
    const status = await collectStatus(mesh.run());
    expect(status.members[0]?.findings).toContainEqual(found);
    expect(reasonsOf(status.members[1]?.findings)).toEqual([]);

    mend(mesh);
    const { summary: after } = await mesh.reconcile("mesh");
    expect(reasonsOf(after.members[0]?.findings)).not.toContain("CertificatesEnd");
    await expectJoined(mesh);
  });

  it("is no alarm while it joins", async () => {
    const mesh = await aMesh({ members: 1 });
    mesh.servers[0]!.istiod.isDown = true;
    await mesh.reconcile("mesh");
    mesh.clock.advance(3600);
    const { summary } = await mesh.reconcile("mesh");
    expect(reasonsOf(summary.members[0]?.findings)).toContain("ControlPlaneNotReady");
    expect(reasonsOf(summary.members[0]?.findings)).not.toContain("CertificatesEnd");
  });

  it("is told where its istiod was uninstalled, and a pause keeps Meshjoin from installing it", async () => {
    const mesh = await aJoinedMesh(1);
    const uninstall = () => mesh.servers[0]!.store.delete(DEPLOYMENT);
    uninstall();
    await call(mesh, "pause --yes");
    const { summary } = await mesh.reconcile("mesh", { heedsPause: true });
    expect(reasonsOf(summary.findings)).toEqual(expect.arrayContaining(["WritesPaused", "CertificatesEnd"]));
    await call(mesh, "resume");
    const { summary: after } = await mesh.reconcile("mesh", { heedsPause: true });
    expect(reasonsOf(after.members[0]?.findings)).not.toContain("CertificatesEnd");
    await expectJoined(mesh);
  });

  it("is told where its istiod was deleted, and Meshjoin cannot install it anew", async () => {
    const mesh = await aJoinedMesh(2);
    mesh.servers[0]!.store.delete(DEPLOYMENT);
    mesh.servers[0]!.faults.broken = ["apply Deployment"];
    expect(reasonsOf((await mesh.reconcile("mesh")).summary.members[0]?.findings)).not.toContain(
      "CertificatesEnd",
    );
    mesh.clock.advance(600);
    expect(reasonsOf((await mesh.reconcile("mesh")).summary.members[0]?.findings)).toContain(
      "CertificatesEnd",
    );
    expect(reasonsOf((await collectStatus(mesh.run())).members[0]?.findings)).toContain("CertificatesEnd");
    const before = versionsOf(mesh);
    await mesh.reconcile("mesh");
    expect(versionsOf(mesh)).toEqual(before);
    mesh.servers[0]!.faults.broken = [];
    await mesh.reconcile("mesh");
    expect(reasonsOf((await collectStatus(mesh.run())).members[0]?.findings)).toEqual([]);
    await expectJoined(mesh);
  });

  it("is told also where Meshjoin may write nothing to it", async () => {
    const mesh = await aJoinedMesh(1);
    setDown(mesh, 0, true);
    mesh.clock.advance(3600);
    const { store } = mesh.servers[0]!;
    const namespace = store.get({ apiVersion: "v1", kind: "Namespace", name: ISTIO_NAMESPACE })!;
    store.write(
      {
        ...namespace,
        metadata: { ...namespace.metadata, deletionTimestamp: mesh.clock.now().toISOString() },
      },
      "kubectl",
    );
    const { summary } = await mesh.reconcile("mesh");
    expect(reasonsOf(summary.members[0]?.findings)).toEqual(["NamespaceTerminating", "CertificatesEnd"]);
  });
});

describe("a member whose API server does not answer", () => {
  it("is not shown as synced by the word of its readers, which would say that of one that is away", async () => {
    const mesh = await aJoinedMesh(3);
    const [, second, third] = mesh.clusters.map(({ ref }) => clusterId(ref));
    mesh.servers[2]!.faults.unreachable = true;
    const silent = await collectStatus(mesh.run());
    const of = (status: Status, id: string | undefined) =>
      new Set(status.pairs.filter(({ target }) => target === id).map(({ status: is }) => is));
    expect(of(silent, third)).toEqual(new Set(["unknown"]));
    expect(of(silent, second)).toEqual(new Set(["synced", "unknown"]));
    expect(verdictOf(silent)).toMatchObject({
      health: "degraded",
      text: "1 member unreachable, 4 pairs not known, 1 warning",
    });
    const [found] = silent.members[2]!.findings;
    expect(found).toMatchObject({
      reason: "ApiServerUnreachable",
      message: expect.stringMatching(/did not answer: .+; requests to it go on/),
    });

    mesh.servers[2]!.faults.unreachable = false;
    expect(verdictOf(await collectStatus(mesh.run())).health).toBe("whole");
  });

  it("is shown as its readers see it where it refuses Meshjoin alone", async () => {
    const mesh = await aJoinedMesh(2);
    mesh.servers[1]!.faults.forbidden = ["list"];
    const { pairs } = await collectStatus(mesh.run());
    expect(pairs.map(({ status }) => status)).toEqual(["synced", "unknown"]);
  });
});

/** The manifest with a change that makes new istiod pods. */
const CHANGED = changedTemplate();

function changedTemplate(): ManifestTemplate {
  const objects = MANIFEST_TEMPLATE.objects.map((object): KubernetesObject => {
    if (object.kind !== "Deployment") return object;
    const env = '"env":[{"name":"PILOT_TRACE_SAMPLING","value":"1"},';
    return JSON.parse(JSON.stringify(object).replace('"env":[', env));
  });
  return { ...MANIFEST_TEMPLATE, digest: "changed", objects };
}

const isChanged = (mesh: FakeMesh) =>
  mesh.servers.map(({ store }) => JSON.stringify(store.get(DEPLOYMENT)).includes("PILOT_TRACE_SAMPLING"));
const waitsIn = ({ findings }: Summary) =>
  findings.flatMap(({ reason, clusterId: id, message }) =>
    reason === "RollOutWaits" ? [`${id}: ${message}`] : [],
  );
/** As its proxies have them: whether istiod of the first member has endpoints of the one at this place. */
const listed = (mesh: FakeMesh, reader: number, target: number) =>
  mesh.servers[reader]!.remoteClusters().find(
    ({ clusterId: id }) => id === clusterId(mesh.clusters[target]!.ref),
  )?.status;
/** A remote secret that is taken away, as a drain does. */
function unread(mesh: FakeMesh, reader: number, target: number): void {
  const name = `istio-remote-secret-${clusterId(mesh.clusters[target]!.ref)}`;
  mesh.servers[reader]!.store.delete({ apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name });
}

describe("a roll-out while the API server of a member is silent", () => {
  async function withSilentThird(): Promise<FakeMesh> {
    const mesh = await aJoinedMesh(3);
    for (const reader of [0, 1]) expect(listed(mesh, reader, 2)).toBe("synced");
    mesh.servers[2]!.faults.unreachable = true;
    return mesh;
  }

  it("waits in the members whose istiods would lose its endpoints, and goes on when it answers", async () => {
    const mesh = await withSilentThird();
    const [first, second, third] = mesh.clusters.map(({ ref }) => clusterId(ref));
    const { summary } = await mesh.reconcile("mesh", { template: CHANGED });
    expect(isChanged(mesh)).toEqual([false, false, false]);
    expect(waitsIn(summary)).toEqual([
      expect.stringMatching(`^${first}: a change .+ the API server of ${third} does not answer`),
      expect.stringMatching(`^${second}: a change .+ the API server of ${third} does not answer`),
    ]);
    expect(summary.members.map(({ outcome }) => outcome)).toEqual(["waiting", "waiting", "waiting"]);
    expect([0, 1].map((reader) => listed(mesh, reader, 2))).toEqual(["synced", "synced"]);
    const { members } = await collectStatus(mesh.run({ template: CHANGED }));
    expect(reasonsOf(members[0]!.findings)).toContain("RollOutWaits");

    mesh.servers[2]!.faults.unreachable = false;
    const { summary: after } = await mesh.reconcile("mesh", { template: CHANGED });
    expect(isChanged(mesh)).toEqual([true, true, true]);
    expect(waitsIn(after)).toEqual([]);
    await expectJoined(mesh);
  });

  it("goes on where a person confirms the loss, and the endpoints are lost", async () => {
    const mesh = await withSilentThird();
    const { summary } = await mesh.reconcile("mesh", { template: CHANGED, confirm: ["RollOutWaits"] });
    expect(isChanged(mesh)).toEqual([true, true, false]);
    expect(waitsIn(summary)).toEqual([]);
    expect([0, 1].map((reader) => listed(mesh, reader, 2))).toEqual(["syncing", "syncing"]);
  });

  it("goes on when a person has drained the silent one", async () => {
    const mesh = await withSilentThird();
    expect((await call(mesh, "drain m3 --yes")).code).not.toBe(1);
    expect([0, 1].map((reader) => listed(mesh, reader, 2))).toEqual([undefined, undefined]);
    const { summary } = await mesh.reconcile("mesh", { template: CHANGED });
    expect(isChanged(mesh)).toEqual([true, true, false]);
    expect(waitsIn(summary)).toEqual([]);
  });

  describe("that is no member now, as far as Meshjoin can see", () => {
    async function afar(): Promise<FakeMesh> {
      const clusters = [{}, {}, { location: "us-east1" }].map((place, index) =>
        aCluster({ name: `m${index + 1}`, ...place }),
      );
      const mesh = await aMesh({ clusters });
      await mesh.reconcile("mesh");
      mesh.clock.advance(3600);
      return mesh;
    }
    const loseLabel = (mesh: FakeMesh) => mesh.directory.put({ ...mesh.clusters[2]!, labels: {} });
    const hide = (mesh: FakeMesh) => mesh.directory.missing(["us-east1"]);

    it.each([
      ["has lost its label, and is in its grace", loseLabel],
      ["is in a place of which GKE tells nothing", hide],
    ])("waits for one that %s, in the whole mesh and in one cluster", async (_, happens) => {
      const mesh = await afar();
      mesh.servers[2]!.faults.unreachable = true;
      happens(mesh);
      const { summary } = await mesh.reconcile("mesh", { template: CHANGED });
      expect(isChanged(mesh)).toEqual([false, false, false]);
      const [first, second, third] = mesh.clusters.map(({ ref }) => clusterId(ref));
      expect(waitsIn(summary)).toEqual([
        expect.stringMatching(`^${first}: .+ API server of ${third} `),
        expect.stringMatching(`^${second}: .+ API server of ${third} `),
      ]);
      const alone = await mesh.reconcile({ clusterId: first! }, { template: CHANGED });
      expect(isChanged(mesh)).toEqual([false, false, false]);
      expect(waitsIn(alone.summary)).toHaveLength(1);
      await mesh.reconcile("mesh", { template: CHANGED, confirm: ["RollOutWaits"] });
      expect(isChanged(mesh)).toEqual([true, true, false]);
    });

    it("goes on where one has lost its label, and answers", async () => {
      const mesh = await afar();
      loseLabel(mesh);
      const [first] = mesh.clusters.map(({ ref }) => clusterId(ref));
      await mesh.reconcile({ clusterId: first! }, { template: CHANGED });
      expect(isChanged(mesh)).toEqual([true, false, false]);
      await mesh.reconcile("mesh", { template: CHANGED });
      expect(isChanged(mesh)).toEqual([true, true, false]);
    });

    it("goes on where one was deleted", async () => {
      const mesh = await afar();
      mesh.servers[2]!.faults.unreachable = true;
      mesh.directory.delete(mesh.clusters[2]!.ref);
      await mesh.reconcile("mesh", { template: CHANGED });
      expect(isChanged(mesh)).toEqual([true, true, false]);
    });
  });

  it("goes to a member that does not read the silent one", async () => {
    const mesh = await withSilentThird();
    unread(mesh, 0, 2);
    const { summary } = await mesh.reconcile("mesh", { template: CHANGED });
    expect(isChanged(mesh)).toEqual([true, false, false]);
    expect(waitsIn(summary)).toEqual([expect.stringMatching(`^${clusterId(mesh.clusters[1]!.ref)}: `)]);
  });

  it("goes to a member whose istiod has nothing of the silent one to lose", async () => {
    const mesh = await withSilentThird();
    await mesh.reconcile("mesh", { template: CHANGED, confirm: ["RollOutWaits"] });
    const { summary } = await mesh.reconcile("mesh");
    expect(isChanged(mesh)).toEqual([false, false, false]);
    expect(waitsIn(summary)).toEqual([]);
  });

  it("goes to a member whose istiod answers nobody", async () => {
    const mesh = await withSilentThird();
    setDown(mesh, 0, true);
    await mesh.reconcile("mesh", { template: CHANGED });
    expect(isChanged(mesh)).toEqual([true, false, false]);
  });

  it("counts an istiod that cannot be asked as one that has something to lose", async () => {
    const mesh = await withSilentThird();
    const run = mesh.run();
    const { members } = await lookAtMesh(run, "mesh");
    const [first, , third] = members.map(({ clusterId: id }) => id);
    const reader = members.filter(isReachable).find(({ clusterId: id }) => id === first)!;
    expect(await endpointsHeld(run, reader, [third!])).toEqual([third]);
    mesh.servers[0]!.faults.forbidden = ["portForward"];
    expect(await endpointsHeld(run, reader, [third!, "cn-unknown"])).toEqual([third, "cn-unknown"]);
    mesh.servers[0]!.faults.forbidden = [];
    expect(await endpointsHeld(run, reader, ["cn-unknown"])).toEqual([]);
  });

  it("is held up by a refusal no longer than a person needs: that API server answers", async () => {
    const mesh = await aJoinedMesh(3);
    mesh.servers[2]!.faults.forbidden = ["list"];
    const { summary } = await mesh.reconcile("mesh", { template: CHANGED });
    expect(waitsIn(summary).filter((each) => each.includes("does not answer"))).toEqual([]);
  });
});

describe("an edit of istiod's pods while the API server of a member is silent", () => {
  const edit = (mesh: FakeMesh) => {
    const { store } = mesh.servers[0]!;
    const deployment = store.get(DEPLOYMENT)!;
    const edited = JSON.parse(JSON.stringify(deployment).replace('"24h"', '"23h"'));
    store.write(edited, "kubectl-edit");
  };
  const isEdited = (mesh: FakeMesh) =>
    JSON.stringify(mesh.servers[0]!.store.get(DEPLOYMENT)).includes('"23h"');

  it("is taken back when that answers, and not before", async () => {
    const mesh = await aJoinedMesh(2);
    edit(mesh);
    expect(isEdited(mesh)).toBe(true);
    expect(listed(mesh, 0, 1)).toBe("synced");
    mesh.servers[1]!.faults.unreachable = true;
    const { summary } = await mesh.reconcile("mesh", { deep: true });
    expect(isEdited(mesh)).toBe(true);
    expect(waitsIn(summary)).toHaveLength(1);

    mesh.servers[1]!.faults.unreachable = false;
    const { summary: after } = await mesh.reconcile("mesh", { deep: true });
    expect(isEdited(mesh)).toBe(false);
    expect(reasonsOf(after.findings)).toEqual(["ControlPlaneEdited"]);
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { Status } from "../../../shared/core/answers/status.ts";
import { verdictOf } from "../../../shared/core/answers/verdict.ts";
import { clusterId, ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
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
          "the first ends at 2026-03-02 00:45 UTC at the earliest, and all have ended by 2026-03-02 13:00 UTC",
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

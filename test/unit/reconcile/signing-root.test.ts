import { describe, expect, it } from "@jest/globals";
import type { Finding } from "../../../shared/core/answers/finding.ts";
import type { ReconcileRequest } from "../../../shared/core/request.ts";
import { sentenceTime } from "../../../shared/core/time.ts";
import { UnavailableError } from "../../../shared/errors.ts";
import { RECORD } from "../../../shared/istio/record-config-map.ts";
import { preview } from "../../../shared/preview.ts";
import { reconcile } from "../../../shared/reconcile.ts";
import { orderRoot } from "../../../shared/rotate/rotate.ts";
import type { Run } from "../../../shared/run.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { secret } from "./installations.ts";
import { secretsOf, versionsOf } from "./world.ts";

const WHOLE = { scope: "mesh", reason: "test" } as const;

async function findingsEverywhere(mesh: FakeMesh): Promise<Record<string, readonly Finding[]>> {
  const { summary } = await mesh.reconcile("mesh");
  return {
    run: summary.findings,
    status: (await collectStatus(mesh.run())).findings,
    plan: (await preview(mesh.run(), WHOLE)).findings,
  };
}

describe("the root that signs, in a mesh where nothing is due", () => {
  it("is no finding while it is enabled", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    for (const findings of Object.values(await findingsEverywhere(mesh)))
      expect(findings.map(({ reason }) => reason)).not.toContain("SigningRootUnusable");
  });

  it("is an error of every full run, status and plan once it is disabled, and no payload is read for that", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    await mesh.roots.disable(1);
    const before = mesh.roots.calls.payload;
    for (const findings of Object.values(await findingsEverywhere(mesh))) {
      expect(findings).toContainEqual(
        expect.objectContaining({
          reason: "SigningRootUnusable",
          severity: "error",
          cure: "gcloud secrets versions enable 1 --secret=prod-root-ca --project=shop",
        }),
      );
    }
    expect(mesh.roots.calls.payload).toBe(before);
  });

  it("is an error in a rotation, too, when it ends before an intermediate would", async () => {
    const mesh = await aMesh({ members: 1 });
    await mesh.reconcile("mesh");
    const givenAt = mesh.clock.now();
    await orderRoot(mesh.run(), { action: "start", givenAt });
    await mesh.reconcile("mesh");
    await orderRoot(mesh.run(), { action: "pause", givenAt: new Date(givenAt.getTime() + 1) });
    for (const findings of Object.values(await findingsEverywhere(mesh)))
      expect(findings.map(({ reason }) => reason)).not.toContain("RootExpiring");
    const cacerts = secretsOf(mesh, mesh.clusters[0]!).find(({ metadata }) => metadata.name === "cacerts");
    const end = new Date(cacerts?.metadata.annotations?.["meshjoin.dev/root-not-after"] ?? "");
    const left = (end.getTime() - mesh.clock.now().getTime()) / 1000;
    mesh.clock.advance(left - mesh.spec.intermediateTtl + 60);
    for (const findings of Object.values(await findingsEverywhere(mesh)))
      expect(findings).toContainEqual(expect.objectContaining({ reason: "RootExpiring", severity: "error" }));
  });

  it("is unknown, and not well, where its state may not be read", async () => {
    const mesh = await aMesh({ members: 1 });
    await mesh.reconcile("mesh");
    mesh.roots.withhold("secretmanager.versions.get");
    for (const findings of Object.values(await findingsEverywhere(mesh)))
      expect(findings.map(({ reason }) => reason)).toContain("SigningRootUnknown");
  });

  it.each([
    ["next", "; if it is destroyed: meshjoin root abort"],
    ["previous", ""],
  ] as const)(
    "is an error, too, where the root that is %s is disabled: no bundle is whole without it",
    async (role, more) => {
      const mesh = await aMesh({ members: 1 });
      await mesh.reconcile("mesh");
      await orderRoot(mesh.run(), { action: "start", givenAt: mesh.clock.now() });
      await mesh.reconcile("mesh");
      if (role === "previous") {
        mesh.roots.setAliases({ previous: 2, signing: 1 });
        await mesh.reconcile("mesh");
      }
      await mesh.roots.disable(2);
      const cure = `gcloud secrets versions enable 2 --secret=prod-root-ca --project=shop${more}`;
      for (const findings of Object.values(await findingsEverywhere(mesh)))
        expect(findings).toContainEqual(expect.objectContaining({ reason: "SigningRootUnusable", cure }));
    },
  );

  it("costs the run of an event no request", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    mesh.roots.withhold("secretmanager.versions.get");
    const { summary } = await mesh.join(mesh.clusters[0]!);
    expect(summary.findings).toEqual([]);
  });
});

it("that no root signs is an error of a full run while a person has paused the functions' writes, too", async () => {
  const mesh = await aMesh({ members: 1 });
  await mesh.reconcile("mesh");
  mesh.roots.setAnnotations({ "meshjoin.dev_writes-paused": mesh.clock.now().toISOString() });
  mesh.roots.setAliases({});
  const { summary } = await mesh.reconcile("mesh", { heedsPause: true, notedAs: "full" });
  expect(summary.findings).toContainEqual(
    expect.objectContaining({ reason: "NoSigningRoot", severity: "error" }),
  );
});

describe("a root whose payload cannot be read, in a mesh where nothing is due", () => {
  const unusable = expect.objectContaining({ reason: "SigningRootUnusable", severity: "error" });
  const full = async (mesh: FakeMesh, request: Partial<ReconcileRequest> = {}) =>
    (await reconcile(mesh.run(), { ...WHOLE, notedAs: "full", ...request })).summary.findings;
  const reasons = (findings: readonly Finding[]) => findings.map(({ reason }) => reason);

  it("is an error of every full run from the deep one that finds it, of status and of plan, until it can sign", async () => {
    const mesh = await aMesh({ members: 2 });
    await full(mesh);
    mesh.roots.denyPayloads();
    expect(await full(mesh, { deep: true })).toContainEqual(unusable);
    const found = mesh.clock.now();
    mesh.clock.advance(600);
    expect(await full(mesh)).toContainEqual(unusable);
    for (const findings of Object.values(await findingsEverywhere(mesh))) {
      const all = findings.filter(({ reason }) => reason === "SigningRootUnusable");
      expect(all).toEqual([
        expect.objectContaining({ cure: "grant it", message: expect.stringContaining(sentenceTime(found)) }),
      ]);
    }
    mesh.roots.allowPayloads();
    expect(reasons(await full(mesh))).not.toContain("SigningRootUnusable");
    for (const findings of Object.values(await findingsEverywhere(mesh)))
      expect(reasons(findings)).not.toContain("SigningRootUnusable");
  });

  it("is told while a person has paused the functions' writes, and nothing is written", async () => {
    const mesh = await aMesh({ members: 1 });
    await full(mesh);
    mesh.roots.denyPayloads();
    await full(mesh, { deep: true });
    mesh.roots.setAnnotations({ "meshjoin.dev_writes-paused": mesh.clock.now().toISOString() });
    const before = versionsOf(mesh);
    const run = { ...mesh.run(), heedsPause: true };
    const { summary } = await reconcile(run, { ...WHOLE, notedAs: "full" });
    expect(summary.findings).toContainEqual(unusable);
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("stays an error while nobody can tell whether its version is enabled", async () => {
    const mesh = await aMesh({ members: 2 });
    await full(mesh);
    mesh.roots.denyPayloads();
    await full(mesh, { deep: true });
    mesh.roots.withhold("secretmanager.versions.get");
    for (const findings of Object.values(await findingsEverywhere(mesh)))
      expect(reasons(findings)).toEqual(
        expect.arrayContaining(["SigningRootUnusable", "SigningRootUnknown"]),
      );
  });

  it("is written down once, and a healthy root is opened by deep runs alone", async () => {
    const mesh = await aMesh({ members: 2 });
    await full(mesh);
    const healthy = mesh.roots.calls.payload;
    await full(mesh);
    expect(mesh.roots.calls.payload).toBe(healthy);
    await full(mesh, { deep: true });
    expect(mesh.roots.calls.payload).toBe(healthy + 1);
    mesh.roots.denyPayloads();
    await full(mesh, { deep: true });
    const before = versionsOf(mesh);
    mesh.clock.advance(60);
    await full(mesh);
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("is noted on one member, and the note ends on another that is the first no more", async () => {
    const mesh = await aMesh({ members: 1 });
    await full(mesh);
    mesh.roots.denyPayloads();
    await full(mesh, { deep: true });
    expect((await collectStatus(mesh.run())).findings).toContainEqual(unusable);
    const earlier = aCluster({ name: "a0" });
    mesh.add(earlier);
    mesh.roots.allowPayloads();
    await mesh.join(earlier);
    await full(mesh);
    expect(reasons((await collectStatus(mesh.run())).findings)).not.toContain("SigningRootUnusable");
  });

  it("is over on a member, too, that nothing else is written to any more", async () => {
    const mesh = await aMesh({ members: 2 });
    await full(mesh);
    mesh.roots.denyPayloads();
    await full(mesh, { deep: true });
    mesh.servers[0]!.store.write(secret("cacerts", { "ca-cert.pem": "none of the mesh's" }), "kubectl");
    mesh.roots.allowPayloads();
    await full(mesh);
    expect(reasons((await collectStatus(mesh.run())).findings)).not.toContain("SigningRootUnusable");
  });

  it("is all that such a note can tell of: one that was edited to another reason says nothing", async () => {
    const mesh = await aMesh({ members: 1 });
    await full(mesh);
    mesh.roots.denyPayloads();
    await full(mesh, { deep: true });
    const { store } = mesh.servers[0]!;
    const found = store.get(RECORD)!;
    const text = JSON.stringify(found).replace("SigningRootUnusable", "MassLeave");
    expect(text).toContain("MassLeave");
    store.write(JSON.parse(text), "kubectl-edit");
    expect(reasons((await collectStatus(mesh.run())).findings)).not.toContain("MassLeave");
  });

  it("is unknown where the authority is silent, and asked for again by the next run", async () => {
    const mesh = await aMesh({ members: 1 });
    await full(mesh);
    const silent: Run["ports"]["authority"] = {
      ...mesh.run().ports.authority,
      check: () => Promise.reject(new UnavailableError("the signer is silent", { code: "Unavailable" })),
    };
    const run = mesh.run();
    const { summary } = await reconcile(
      { ...run, ports: { ...run.ports, authority: silent } },
      { ...WHOLE, notedAs: "full", deep: true },
    );
    expect(reasons(summary.findings)).toContain("SigningRootUnknown");
    expect(reasons((await collectStatus(mesh.run())).findings)).toContain("SigningRootUnknown");
    expect(reasons(await full(mesh))).not.toContain("SigningRootUnknown");
  });

  it("is not asked for by a person's run, who may have no right to the key", async () => {
    const mesh = await aMesh({ members: 1 });
    await full(mesh);
    mesh.roots.denyPayloads();
    const { summary } = await reconcile(mesh.run(), { ...WHOLE, deep: true });
    expect(summary.findings).toEqual([]);
  });
});

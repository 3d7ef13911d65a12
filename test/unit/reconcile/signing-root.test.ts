import { describe, expect, it } from "@jest/globals";
import type { Finding } from "../../../shared/core/answers/finding.ts";
import { preview } from "../../../shared/preview.ts";
import { orderRoot } from "../../../shared/rotate/rotate.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { secretsOf } from "./world.ts";

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

  it("costs the run of an event no request", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    mesh.roots.withhold("secretmanager.versions.get");
    const { summary } = await mesh.join(mesh.clusters[0]!);
    expect(summary.findings).toEqual([]);
  });
});

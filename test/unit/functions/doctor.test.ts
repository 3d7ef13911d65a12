import { describe, expect, it } from "@jest/globals";
import { OUTPUTS } from "../../../functions/http/output.ts";
import type { Check } from "../../../shared/core/check.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { aMesh, type FakeMesh } from "../../fakes/mesh.ts";
import { versionsOf } from "../reconcile/world.ts";
import { aFunction } from "./served.ts";

const idOf = (mesh: FakeMesh, index: number) => clusterId(mesh.clusters[index]!.ref);
const ofReconciler = (checks: readonly Check[]) => checks.filter(({ account }) => account === "reconciler");

async function examine(mesh: FakeMesh, query = ""): Promise<readonly Check[]> {
  const { call } = await aFunction(mesh);
  const { status, body } = await call("GET", `/doctor${query}`);
  expect([status, OUTPUTS.Diagnosis.parse(body)]).toEqual([200, body]);
  return body.checks;
}

describe("GET /doctor", () => {
  it("finds the reconciler well, calls the other accounts unknown, and writes nothing", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    const before = versionsOf(mesh);
    const checks = await examine(mesh);
    expect(ofReconciler(checks).map(({ name, state }) => [name, state])).toEqual([
      ["root", "ok"],
      ["clusters", "ok"],
      ["member", "ok"],
      ["member", "ok"],
    ]);
    const others = checks.filter(({ account }) => account !== "reconciler");
    expect(others.map(({ account, state }) => [account, state])).toEqual([
      ["rotator", "unknown"],
      ["signer", "unknown"],
    ]);
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("names what a member does not allow, and of that member alone where it is asked for", async () => {
    const mesh = await aMesh({ members: 2 });
    mesh.servers[1]!.faults.forbidden = ["create"];
    const faults = (checks: readonly Check[]) => checks.filter(({ state }) => state === "fault");
    expect(faults(await examine(mesh))).toMatchObject([
      {
        account: "reconciler",
        clusterId: idOf(mesh, 1),
        message: expect.stringContaining("poddisruptionbudgets (create)"),
        cure: expect.stringContaining("terraform/modules/identity/permissions.tf"),
      },
    ]);
    expect(faults(await examine(mesh, `?member=${idOf(mesh, 0)}`))).toEqual([]);
    expect(faults(await examine(mesh, `?member=${idOf(mesh, 1)}`))).toHaveLength(1);
  });

  it("refuses a cluster that is no member, by the parameter's name", async () => {
    const { call } = await aFunction(await aMesh({ members: 1 }));
    expect(await call("GET", "/doctor?member=cn-shop-europe-west1-nobody")).toMatchObject({
      status: 400,
      body: { code: "NotAMember", field: "member" },
    });
  });

  it("does not know a member of a project that was not listed in full", async () => {
    const mesh = await aMesh({ members: 1 });
    mesh.directory.missing(["us-east1"]);
    expect(await examine(mesh, "?member=cn-shop-us-east1-nobody")).toContainEqual(
      expect.objectContaining({ name: "clusters", state: "unknown" }),
    );
  });
});

describe("a deep run", () => {
  it("finds what a member does not allow, and nothing where all is allowed", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    const missing = async () =>
      (await mesh.reconcile("mesh", { deep: true })).summary.findings.filter(
        ({ reason }) => reason === "PermissionMissing",
      );
    expect(await missing()).toEqual([]);
    mesh.servers[0]!.faults.forbidden = ["create"];
    expect(await missing()).toMatchObject([
      {
        severity: "error",
        clusterId: idOf(mesh, 0),
        message: expect.stringContaining("poddisruptionbudgets (create)"),
      },
    ]);
  });
});

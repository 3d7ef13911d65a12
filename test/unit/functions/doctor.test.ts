import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { OUTPUTS } from "../../../scripts/docs/openapi/sync-mesh-answers.ts";
import { functionExaminer } from "../../../shared/adapters/examiner.ts";
import { type Check, unknown } from "../../../shared/core/answers/check.ts";
import { clusterId } from "../../../shared/core/names.ts";
import type { Examiner } from "../../../shared/ports/examiner.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { versionsOf, waitShortly } from "../reconcile/world.ts";
import { aRotatorsExamination } from "./rotator.ts";
import { aFunction } from "./served.ts";
import { aSigner } from "./signer.ts";

const idOf = (mesh: FakeMesh, index: number) => clusterId(mesh.clusters[index]!.ref);
const ofReconciler = (checks: readonly Check[]) => checks.filter(({ account }) => account === "reconciler");

const identityToken = async () => "a-token";

async function examiners(mesh: FakeMesh, signal?: AbortSignal): Promise<readonly Examiner[]> {
  const [signer, rotator] = await Promise.all([aSigner(mesh), aRotatorsExamination(mesh, signal)]);
  return [
    functionExaminer({ account: "rotator", name: "examine-rotator", url: rotator, identityToken }),
    functionExaminer({ account: "signer", name: "sign-intermediate", url: signer.url, identityToken }),
  ];
}

async function examine(
  mesh: FakeMesh,
  query = "",
  others: readonly Examiner[] = [],
  signal?: AbortSignal,
): Promise<readonly Check[]> {
  const { call } = await aFunction(mesh, signal, others);
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

const told = (checks: readonly Check[]) =>
  checks.map(({ account, name, state }) => `${account} ${name} ${state}`);

/** Answers what it is told to, once asked. */
async function answering(status: number, body: string): Promise<Examiner> {
  const server = createServer((_, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  servers.push(server);
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return functionExaminer({
    account: "signer",
    name: "sign-intermediate",
    url: `http://127.0.0.1:${port}`,
    identityToken,
  });
}

const servers: Server[] = [];
afterEach(() => {
  jest.restoreAllMocks();
  for (const server of servers.splice(0)) server.close();
});

describe("the accounts of the other functions", () => {
  it("are examined by themselves: the rotator as far as members, the signer as far as the root", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    const before = versionsOf(mesh);
    const checks = await examine(mesh, "", await examiners(mesh));
    expect(told(checks.filter(({ account }) => account !== "reconciler"))).toEqual([
      "rotator rotation ok",
      "rotator root ok",
      "rotator clusters ok",
      "rotator member ok",
      "rotator member ok",
      "signer root ok",
      "signer clusters ok",
    ]);
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("say which permission they lack", async () => {
    const mesh = await aMesh({ members: 1 });
    mesh.roots.withhold("secretmanager.versions.add");
    mesh.roots.denyPayloads();
    const checks = await examine(mesh, "", await examiners(mesh));
    const faults = checks.filter(({ state, account }) => state === "fault" && account !== "reconciler");
    expect(faults).toMatchObject([
      {
        account: "rotator",
        name: "rotation",
        message: "prod-root-ca: not allowed: secretmanager.versions.add",
      },
      { account: "rotator", name: "root" },
      { account: "signer", name: "root", cure: expect.stringContaining("permissions.tf") },
    ]);
  });

  it("are asked for one member alone", async () => {
    const mesh = await aMesh({ members: 2 });
    const checks = await examine(mesh, `?member=${idOf(mesh, 1)}`, await examiners(mesh));
    const members = checks.filter(({ account, name }) => account === "rotator" && name === "member");
    expect(members.map(({ clusterId: id }) => id)).toEqual([idOf(mesh, 1)]);
  });

  it.each<[string, number, string, "fault" | "unknown"]>([
    ["refuses the reconciler", 403, "no", "fault"],
    ["is broken", 500, "{}", "unknown"],
    ["answers nonsense", 200, "<html>", "unknown"],
    ["has looked at nothing", 200, '{"checks":[]}', "unknown"],
    [
      "speaks of another account",
      200,
      '{"checks":[{"name":"root","account":"rotator","state":"ok","message":"well"}]}',
      "unknown",
    ],
  ])("are never well where the function %s", async (_, status, body, state) => {
    const mesh = await aMesh({ members: 1 });
    const checks = await examine(mesh, "", [await answering(status, body)]);
    expect(checks.filter(({ account }) => account === "signer")).toMatchObject([{ state }]);
  });

  it("are not known when a function is silent for longer than there is time, and the rest is told", async () => {
    const mesh = await aMesh({ members: 1 });
    const silent: Examiner = functionExaminer({
      account: "rotator",
      name: "examine-rotator",
      url: "http://127.0.0.1:1",
      identityToken: () => new Promise(() => undefined),
    });
    const checks = await examine(mesh, "", [silent], AbortSignal.timeout(1500));
    expect(told(checks)).toEqual(
      expect.arrayContaining(["reconciler member ok", "rotator examine-rotator unknown"]),
    );
  });
});

describe("GET /doctor in time", () => {
  it("tells of the members that answer, and that one which is silent is not known", async () => {
    const mesh = await aMesh({ members: 2 });
    mesh.servers[0]!.faults.slowMs = 60_000;
    waitShortly(1000);
    const checks = await examine(mesh);
    const members = checks.filter(({ name }) => name === "member");
    expect(members.map(({ clusterId: id, state }) => [id, state])).toEqual([
      [idOf(mesh, 0), "unknown"],
      [idOf(mesh, 1), "ok"],
    ]);
  });
});

describe("a deep run", () => {
  it("leaves to the reconciler what is wrong with a member itself", async () => {
    const mesh = await aMesh({
      clusters: [aCluster({ name: "m1", autopilot: true, allowNetAdmin: false }), aCluster({ name: "m2" })],
    });
    await mesh.reconcile("mesh");
    mesh.servers[1]!.faults.unreachable = true;
    const { summary } = await mesh.reconcile("mesh", { deep: true, examiners: await examiners(mesh) });
    const reasons = summary.findings.map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason.startsWith("Account"))).toEqual([]);
  });

  it("says that the rotator alone does not reach a member", async () => {
    const mesh = await aMesh({ members: 1 });
    await mesh.reconcile("mesh");
    const cutOff = { name: "member", account: "rotator", clusterId: idOf(mesh, 0) } as const;
    const rotator: Examiner = {
      account: "rotator",
      examine: async () => [unknown(cutOff, "it does not answer")],
    };
    const { summary } = await mesh.reconcile("mesh", { deep: true, examiners: [rotator] });
    expect(summary.findings).toContainEqual(
      expect.objectContaining({ reason: "AccountUnknown", clusterId: cutOff.clusterId }),
    );
  });

  it("finds what the other accounts lack, and who could not be asked", async () => {
    const mesh = await aMesh({ members: 1 });
    await mesh.reconcile("mesh");
    const found = async (others: readonly Examiner[], deep = true) => {
      const { summary } = await mesh.reconcile("mesh", { deep, examiners: others });
      return summary.findings.filter(({ reason }) => reason.startsWith("Account"));
    };
    const others = await examiners(mesh);
    expect(await found(others)).toEqual([]);
    mesh.roots.withhold("secretmanager.versions.disable");
    expect(await found(others, false)).toEqual([]);
    expect(await found([others[0]!, await answering(500, "{}")])).toMatchObject([
      { reason: "AccountFault", severity: "error", message: expect.stringContaining("versions.disable") },
      { reason: "AccountUnknown", severity: "warning", message: expect.stringContaining("signer") },
    ]);
  });

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

import { describe, expect, it } from "@jest/globals";
import type { Plan } from "../../../shared/core/answers/plan.ts";
import type { Status } from "../../../shared/core/answers/status.ts";
import type { Summary } from "../../../shared/core/answers/summary.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { RefusedError, UnavailableError } from "../../../shared/errors.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { expectJoined, versionsOf } from "../reconcile/world.ts";
import { AS_JSON, aFunction } from "./served.ts";

const DAY = 86_400;
const idOf = (mesh: FakeMesh, index: number) => clusterId(mesh.clusters[index]!.ref);

describe("POST /sync", () => {
  it("makes the mesh whole and answers what it did", async () => {
    const mesh = await aMesh({ members: 2 });
    const { post } = await aFunction(mesh);
    const { status, body } = await post({ scope: "mesh" });
    const { outcome, members, pairs }: Summary = body;
    expect([status, outcome, members.length, pairs.length]).toEqual([200, "created", 2, 2]);
    await expectJoined(mesh);
    expect((await post({})).body).toMatchObject({ outcome: "unchanged" });
  });

  it("logs each step that changes something, and one line in all where there is nothing to do", async () => {
    const mesh = await aMesh({ members: 3 });
    const { post, lines } = await aFunction(mesh);
    const stepsOf = async (body: object = {}) => {
      lines.length = 0;
      await post(body);
      const steps = lines.filter(({ message }) => message === "step");
      return Object.groupBy(steps, ({ step, outcome }) => `${String(step)} ${String(outcome)}`);
    };
    const joined = await stepsOf();
    expect([joined["connect created"]?.length, joined["pairSynced created"]?.length]).toEqual([6, 6]);

    for (const body of [{}, { deep: true }]) {
      expect(await stepsOf(body)).toEqual({});
      expect(lines).toMatchObject([
        { message: "reconciled", outcome: "unchanged", members: { unchanged: 3 }, pairs: { unchanged: 6 } },
      ]);
    }

    mesh.clock.advance(5.2 * DAY);
    const { "connect updated": renewed, "pairSynced updated": seen, ...rest } = await stepsOf();
    expect([renewed?.length, seen?.length, rest]).toEqual([3, 3, {}]);
  });

  it("looks at one member when told so", async () => {
    const mesh = await aMesh({ members: 2 });
    const { post } = await aFunction(mesh);
    const { body } = await post({ scope: { clusterId: idOf(mesh, 0) } });
    expect(body).toMatchObject({ members: [{ clusterId: idOf(mesh, 0) }] });
  });

  it("answers 202 when there is more to do later", async () => {
    const mesh = await aMesh({ members: 1 });
    mesh.servers[0]!.istiod.readyAfterMs = Number.POSITIVE_INFINITY;
    const { post } = await aFunction(mesh, AbortSignal.timeout(300));
    expect(await post({})).toMatchObject({ status: 202, body: { outcome: "waiting" } });
  });

  it("answers 207 when a member failed, and does the others", async () => {
    const mesh = await aMesh({ members: 3 });
    mesh.servers[0]!.faults.forbidden = ["list", "get"];
    const { post } = await aFunction(mesh);
    expect(await post({})).toMatchObject({ status: 207, body: { outcome: "failed" } });
    await expectJoined(mesh, mesh.clusters.slice(1));
  });

  it("writes nothing in a dry run, and plans the same every time", async () => {
    const mesh = await aMesh({ members: 2 });
    const before = versionsOf(mesh);
    const { post, call } = await aFunction(mesh);
    const dry = await post({ dryRun: true });
    expect(dry.status).toBe(200);
    expect(await call("GET", "/plan")).toMatchObject({ status: 200, text: dry.text });
    expect(versionsOf(mesh)).toEqual(before);
    const { actions }: Plan = dry.body;
    const of = (kind: string, name: string) =>
      actions.filter(({ object }) => object.kind === kind && object.name.startsWith(name)).length;
    expect([of("Namespace", ""), of("Secret", "cacerts"), of("Deployment", "istiod")]).toEqual([2, 2, 2]);
    expect([of("Secret", "istio-remote-secret-"), of("Secret", "meshjoin-reader-")]).toEqual([2, 2]);
    expect(dry.text).not.toContain("PRIVATE KEY");
  });

  it("takes a mass leave when it is confirmed", async () => {
    const mesh = await aMesh({ members: 4 });
    const { post } = await aFunction(mesh);
    await post({});
    for (const cluster of mesh.clusters.slice(1)) mesh.directory.put({ ...cluster, labels: {} });
    expect((await post({})).body).toMatchObject({
      findings: expect.arrayContaining([expect.objectContaining({ reason: "MassLeave" })]),
    });
    await post({ confirm: ["MassLeave"] });
    await expectJoined(mesh, mesh.clusters.slice(0, 1));
  });

  it("may come twice at once", async () => {
    const mesh = await aMesh({ members: 3 });
    const { post } = await aFunction(mesh);
    const statuses = (await Promise.all([post({}), post({})])).map(({ status }) => status);
    expect(statuses.every((status) => [200, 202].includes(status))).toBe(true);
    expect((await post({})).status).toBe(200);
    await expectJoined(mesh);
  });

  it.each<[number, string, unknown, string]>([
    [400, "scope", { scope: "everything" }, AS_JSON],
    [400, "scope.clusterId", { scope: { clusterId: "Not An ID" } }, AS_JSON],
    [400, "dryRun", { dryRun: "yes" }, AS_JSON],
    [400, "deep", { dryRun: true, deep: true }, AS_JSON],
    [400, "confirm.0", { confirm: ["Anything"] }, AS_JSON],
    [400, "depp", { depp: true }, AS_JSON],
    [400, "body", ["mesh"], AS_JSON],
    [400, "content-type", {}, "text/plain"],
    [413, "body", { scope: "x".repeat(70_000) }, AS_JSON],
  ])("answers %d and names %s for what it cannot take", async (status, field, body, type) => {
    const mesh = await aMesh({ members: 1 });
    const { post, lines } = await aFunction(mesh);
    const refused = await post(body, type);
    expect(refused).toMatchObject({ status, body: { field, message: expect.any(String) } });
    expect(refused.text).not.toContain("    at ");
    expect(mesh.servers.map(({ requests: { total } }) => total)).toEqual([0]);
    expect(lines).toEqual([]);
  });

  it("answers 503 when nothing can be said now", async () => {
    const mesh = await aMesh({ members: 1 });
    mesh.directory.failNext(new UnavailableError("no answer; try again", { code: "Unavailable" }));
    const { post, lines } = await aFunction(mesh);
    const { status, headers, body } = await post({});
    expect([status, headers.get("retry-after"), body.code]).toEqual([503, "60", "Unavailable"]);
    expect(lines).toMatchObject([{ severity: "WARNING", message: "request failed" }]);
  });

  it("answers 500, and raises an error, when asking again does not help", async () => {
    const mesh = await aMesh({ members: 1 });
    mesh.directory.failNext(new RefusedError("no permission; grant it", { code: "PermissionDenied" }));
    const { post, lines } = await aFunction(mesh);
    expect(await post({})).toMatchObject({ status: 500, body: { code: "PermissionDenied" } });
    expect(lines).toMatchObject([{ severity: "ERROR", message: "request failed" }]);
  });
});

describe("GET /status", () => {
  it("shows every member and every pair as they are", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    const { call } = await aFunction(mesh);
    const { status, body } = await call("GET", "/status");
    const shown: Status = body;
    expect(status).toBe(200);
    expect(shown.members.map((member) => [member.clusterId, member.reachable, member.findings])).toEqual([
      [idOf(mesh, 0), true, []],
      [idOf(mesh, 1), true, []],
    ]);
    const [first] = shown.members;
    expect(first?.intermediate.loaded).toEqual([
      { pod: expect.any(String), fingerprint: first?.intermediate.written?.fingerprint },
    ]);
    expect(shown.pairs.map(({ reader, target, status: is }) => [reader, target, is])).toEqual([
      [idOf(mesh, 0), idOf(mesh, 1), "synced"],
      [idOf(mesh, 1), idOf(mesh, 0), "synced"],
    ]);
    expect(shown).toMatchObject({ meshId: "prod", findings: [], rotation: { stage: "idle" } });
  });

  it("shows an unreachable member as such, and what its absence leaves unknown", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    mesh.servers[0]!.faults.unreachable = true;
    const { call } = await aFunction(mesh);
    const { members, pairs }: Status = (await call("GET", "/status")).body;
    expect(members[0]).toMatchObject({
      reachable: false,
      istioVersion: null,
      findings: [{ reason: "ApiServerUnreachable" }],
    });
    expect(pairs.map(({ reader, pod, status }) => [reader, pod === "", status])).toEqual([
      [idOf(mesh, 0), true, "unknown"],
      [idOf(mesh, 1), false, "unknown"],
    ]);
  });

  it("is answered from memory for a while, unless it is asked not to or a sync came between", async () => {
    const mesh = await aMesh({ members: 1 });
    const { call, post } = await aFunction(mesh);
    const time = async (init?: RequestInit) => (await call("GET", "/status", init)).body.time;
    const first = await time();
    mesh.clock.advance(1000);
    expect(await time()).toBe(first);
    const second = await time({ headers: { "cache-control": "no-cache" } });
    expect(second).not.toBe(first);
    mesh.clock.advance(1000);
    await post({});
    expect(await time()).not.toBe(second);
  });
});

describe("anything else", () => {
  it.each([
    ["GET", "/sync", 405, "POST"],
    ["DELETE", "/status", 405, "GET"],
    ["POST", "/plan", 405, "GET"],
    ["GET", "/mesh", 404, null],
    ["GET", "/sync/", 404, null],
  ])("%s %s is answered with %d", async (method, path, status, allow) => {
    const { call } = await aFunction(await aMesh());
    const { headers, ...refused } = await call(method, path);
    expect(refused).toMatchObject({ status, body: { cure: expect.stringContaining("use ") } });
    expect(headers.get("allow")).toBe(allow);
  });

  it("names a wrong parameter of the plan", async () => {
    const { call } = await aFunction(await aMesh());
    expect(await call("GET", "/plan?cluster=x")).toMatchObject({ status: 400, body: { field: "cluster" } });
  });
});

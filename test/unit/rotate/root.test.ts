import { describe, expect, it } from "@jest/globals";
import { clusterId } from "../../../shared/core/names.ts";
import { rootsOf } from "../../../shared/core/roots/stages.ts";
import { UnavailableError } from "../../../shared/errors.ts";
import { orderRoot } from "../../../shared/rotate/rotate.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { cacertsByHand, namespace } from "../reconcile/installations.ts";
import { expectJoined, versionsOf } from "../reconcile/world.ts";
import { aJoinedMesh, bundleSizes, order, rootsNow, STAGE, serials, throughStage, ticks } from "./world.ts";

describe("a root rotation", () => {
  it("goes through its stages by itself, and leaves the old root disabled", async () => {
    const mesh = await aJoinedMesh();
    const before = serials(mesh);
    await order(mesh, "start");
    expect(await rootsNow(mesh)).toEqual({ stage: "distribute", versions: { signing: 1, next: 2 } });
    await ticks(mesh);
    expect(bundleSizes(mesh)).toEqual([2, 2]);
    await expectJoined(mesh);

    mesh.clock.advance(STAGE);
    await ticks(mesh);
    expect(await rootsNow(mesh)).toEqual({ stage: "switch", versions: { previous: 1, signing: 2 } });
    expect(bundleSizes(mesh)).toEqual([2, 2]);
    await expectJoined(mesh);

    mesh.clock.advance(STAGE);
    await ticks(mesh);
    expect(await rootsNow(mesh)).toEqual({ stage: "retire", versions: { signing: 2 } });
    expect(bundleSizes(mesh)).toEqual([1, 1]);
    expect(await mesh.roots.list()).toMatchObject([{ enabled: true }, { enabled: true }]);

    mesh.clock.advance(STAGE);
    await ticks(mesh);
    expect(await rootsNow(mesh)).toEqual({ stage: "idle", versions: { signing: 2 } });
    expect(await mesh.roots.list()).toMatchObject([{ enabled: false }, { enabled: true }]);
    expect(serials(mesh).filter((serial) => before.includes(serial))).toEqual([]);
    await expectJoined(mesh);
    const versions = versionsOf(mesh);
    await ticks(mesh);
    expect(versionsOf(mesh)).toEqual(versions);
  });

  it("waits for as long as a certificate of the stage before may live", async () => {
    const mesh = await aJoinedMesh();
    await order(mesh, "start");
    await ticks(mesh);
    mesh.clock.advance(STAGE - 10);
    await ticks(mesh);
    expect((await rootsNow(mesh)).stage).toBe("distribute");
    expect(await order(mesh, "advance")).toMatchObject({
      after: { refused: "StageNotOver", message: expect.stringMatching(/may live until 2026-03-02 /) },
    });
    mesh.clock.advance(20);
    await order(mesh, "advance");
    expect((await rootsNow(mesh)).stage).toBe("switch");
  });

  it.each<[string, "distribute" | "switch" | "retire"]>([
    ["distribute", "distribute"],
    ["switch", "switch"],
    ["retire", "retire"],
  ])("is held at %s by a member that cannot be reached, and goes on when it can", async (_, stage) => {
    const mesh = await aJoinedMesh();
    await order(mesh, "start");
    while ((await rootsNow(mesh)).stage !== stage) await throughStage(mesh);
    mesh.servers[1]!.faults.unreachable = true;
    mesh.clock.advance(10 * STAGE);
    await ticks(mesh);
    expect((await rootsNow(mesh)).stage).toBe(stage);
    expect(await order(mesh, "advance")).toMatchObject({
      after: {
        refused: "StageNotOver",
        message: expect.stringContaining(`${clusterId(mesh.clusters[1]!.ref)} cannot be reached`),
      },
    });
    mesh.servers[1]!.faults.unreachable = false;
    await throughStage(mesh);
    await throughStage(mesh);
    expect((await rootsNow(mesh)).stage).not.toBe(stage);
    await expectJoined(mesh);
  });

  it("is held by an istiod that has not loaded the bundle", async () => {
    const mesh = await aJoinedMesh();
    mesh.servers[0]!.istiod.reloadsAfterMs = Number.POSITIVE_INFINITY;
    await order(mesh, "start");
    await ticks(mesh, { signal: AbortSignal.timeout(400) });
    mesh.clock.advance(10 * STAGE);
    expect(await order(mesh, "advance")).toMatchObject({
      after: {
        refused: "StageNotOver",
        message: expect.stringContaining("does not serve its new intermediate"),
      },
    });
    expect((await rootsNow(mesh)).stage).toBe("distribute");
  });

  it("is held by a namespace whose workloads are not told of the new root", async () => {
    const mesh = await aJoinedMesh();
    mesh.servers[0]!.istiod.publishes = false;
    await order(mesh, "start");
    await throughStage(mesh);
    expect(await order(mesh, "advance")).toMatchObject({
      after: {
        message: expect.stringMatching(/istio-ca-root-cert of \S+ does not hold the bundle.*istio-system/),
      },
    });
  });

  it("is held by a list that is not whole", async () => {
    const mesh = await aJoinedMesh({ members: 2, spec: { projects: ["shop", "elsewhere"] } });
    await order(mesh, "start");
    await ticks(mesh);
    mesh.clock.advance(STAGE);
    mesh.directory.refuse("elsewhere");
    await ticks(mesh);
    expect((await rootsNow(mesh)).stage).toBe("distribute");
  });

  it.each<[string, "distribute" | "switch" | "retire", number]>([
    ["distribute", "distribute", 2],
    ["switch", "switch", 2],
    ["retire", "retire", 1],
  ])("gives a member that joins at stage %s what the others have", async (_, stage, size) => {
    const mesh = await aJoinedMesh();
    await order(mesh, "start");
    while ((await rootsNow(mesh)).stage !== stage) await throughStage(mesh);
    await ticks(mesh);
    const cluster = aCluster({ name: "newcomer" });
    mesh.add(cluster);
    await mesh.join(cluster);
    expect(bundleSizes(mesh)).toEqual([size, size, size]);
    await expectJoined(mesh);
  });

  it("does not begin while a member has a cacerts of its own", async () => {
    const mesh = await aJoinedMesh();
    const cluster = aCluster({ name: "by-hand" });
    const server = mesh.add(cluster);
    for (const object of [namespace(), cacertsByHand(mesh)]) server.store.write(object, "kubectl");
    await mesh.join(cluster);
    expect(await order(mesh, "start")).toMatchObject({
      after: { refused: "ForeignCacerts", message: expect.stringContaining("by-hand") },
    });
    expect(await mesh.roots.list()).toHaveLength(1);
  });

  it("is begun by a tick when the root comes to its end, if Meshjoin made it", async () => {
    const mesh = await aJoinedMesh();
    mesh.clock.advance(9 * 365 * 86_400);
    await mesh.reconcile("mesh");
    expect((await rootsNow(mesh)).stage).toBe("idle");
    mesh.clock.advance(0.51 * 365 * 86_400);
    await ticks(mesh);
    expect((await rootsNow(mesh)).stage).toBe("distribute");
  });

  it("is asked for when a root comes to its end that somebody brought", async () => {
    const mesh = await aJoinedMesh();
    mesh.roots.setAnnotations({ "meshjoin.dev_origin": "imported" });
    mesh.clock.advance(9.51 * 365 * 86_400);
    await mesh.reconcile("mesh");
    const { summary } = await ticks(mesh);
    expect(summary.findings).toMatchObject([{ reason: "RootRotationDue", severity: "error" }]);
    expect((await rootsNow(mesh)).stage).toBe("idle");
  });
});

describe("orders about the root", () => {
  it("pause what would go on by itself, until it is resumed; a person may still go on by hand", async () => {
    const mesh = await aJoinedMesh();
    await order(mesh, "start");
    await ticks(mesh);
    await order(mesh, "pause");
    mesh.clock.advance(STAGE);
    await ticks(mesh);
    expect((await rootsNow(mesh)).stage).toBe("distribute");
    await order(mesh, "advance");
    expect((await rootsNow(mesh)).stage).toBe("switch");
    await throughStage(mesh);
    expect((await rootsNow(mesh)).stage).toBe("switch");
    await order(mesh, "resume");
    await ticks(mesh);
    expect((await rootsNow(mesh)).stage).toBe("retire");
  });

  it.each<[string, "distribute" | "switch"]>([
    ["distribute", "distribute"],
    ["switch", "switch"],
  ])("take a rotation back from stage %s, the same way", async (_, stage) => {
    const mesh = await aJoinedMesh();
    await order(mesh, "start");
    while ((await rootsNow(mesh)).stage !== stage) await throughStage(mesh);
    await ticks(mesh);
    await order(mesh, "abort");
    for (let index = 0; index < 4; index += 1) {
      await throughStage(mesh);
      await expectJoined(mesh);
    }
    expect(await rootsNow(mesh)).toEqual({ stage: "idle", versions: { signing: 1 } });
    expect(bundleSizes(mesh)).toEqual([1, 1]);
    expect(await mesh.roots.list()).toMatchObject([{ enabled: true }, { enabled: false }]);
  });

  it("are carried out once, however often and in whatever order they arrive", async () => {
    const mesh = await aJoinedMesh();
    const at = (seconds: number) => new Date(mesh.clock.now().getTime() + seconds * 1000);
    const [start, abort] = [at(1), at(2)];
    const send = (action: "start" | "abort", givenAt: Date) => orderRoot(mesh.run(), { action, givenAt });
    await send("start", start);
    await send("start", start);
    expect(await mesh.roots.list()).toHaveLength(2);
    await send("abort", abort);
    const aborted = await rootsNow(mesh);
    await send("abort", abort);
    await send("start", start);
    expect(await rootsNow(mesh)).toEqual(aborted);
    expect(await mesh.roots.list()).toHaveLength(2);
  });

  it("from a laptop whose clock is an hour fast make no later order stale, then or when that hour has passed", async () => {
    const mesh = await aJoinedMesh();
    const inMinutes = (minutes: number) => new Date(mesh.clock.now().getTime() + minutes * 60_000);
    await orderRoot(mesh.run(), { action: "start", givenAt: inMinutes(60) });
    const pausedAt = inMinutes(10);
    mesh.clock.advance(600);
    const isPaused = async () => rootsOf(await mesh.roots.state()).notes.paused !== undefined;
    await orderRoot(mesh.run(), { action: "pause", givenAt: pausedAt });
    expect(await isPaused()).toBe(true);
    await orderRoot(mesh.run(), { action: "resume", givenAt: inMinutes(60) });
    await ticks(mesh);
    const aborted = inMinutes(1);
    mesh.clock.advance(2 * 3600);
    await orderRoot(mesh.run(), { action: "abort", givenAt: aborted });
    expect((await rootsNow(mesh)).stage).toBe("retire");
  });

  it("to begin are not lost while the signer cannot tell whether a foreign cacerts is of the mesh", async () => {
    const mesh = await aJoinedMesh();
    const guest = mesh.add(aCluster({ name: "guest" }));
    for (const object of [namespace(), cacertsByHand(mesh)]) guest.store.write(object, "kubectl");
    mesh.clock.advance(1);
    const run = mesh.run();
    const away = new UnavailableError("no answer", { code: "Unavailable" });
    const authority = { ...run.ports.authority, trustBundle: () => Promise.reject(away) };
    const start = { action: "start", givenAt: mesh.clock.now() } as const;
    await expect(orderRoot({ ...run, ports: { ...run.ports, authority } }, start)).rejects.toMatchObject({
      code: "Unavailable",
      retryable: true,
      message: expect.stringContaining("guest is of this mesh: no answer"),
    });
    expect(await mesh.roots.list()).toHaveLength(1);
  });

  it("from a laptop that takes its own fast clock for the time silence no order that is given after them", async () => {
    const mesh = await aJoinedMesh();
    await order(mesh, "start");
    await ticks(mesh);
    const pause = { action: "pause", givenAt: mesh.clock.now() } as const;
    await orderRoot(mesh.run(), pause);
    const fast = { now: () => new Date(mesh.clock.now().getTime() + 24 * 3_600_000) };
    const run = mesh.run();
    for (const action of ["resume", "pause", "resume"] as const) {
      mesh.clock.advance(1);
      await orderRoot({ ...run, ports: { ...run.ports, clock: fast } }, { action, givenAt: fast.now() });
    }
    await orderRoot(mesh.run(), pause);
    const isPaused = async () => rootsOf(await mesh.roots.state()).notes.paused !== undefined;
    expect(await isPaused()).toBe(false);
    mesh.clock.advance(3600);
    expect(await order(mesh, "pause")).toMatchObject({ after: { notes: { paused: expect.any(Date) } } });
    expect(await order(mesh, "abort")).toMatchObject({ after: { notes: { retiring: [2] } } });
  });

  it("are not carried out anew by their copies, whatever clock dated an order after them", async () => {
    const mesh = await aJoinedMesh();
    const send = async (action: "start" | "pause" | "resume", minutesAhead = 0) => {
      mesh.clock.advance(60);
      const givenAt = new Date(mesh.clock.now().getTime() + minutesAhead * 60_000);
      await orderRoot(mesh.run(), { action, givenAt });
      return async () => await orderRoot(mesh.run(), { action, givenAt });
    };
    const copies = [await send("start"), await send("pause"), await send("resume", 60)];
    copies.push(await send("pause", 60), await send("resume", 120));
    const expectNothing = async () => {
      const before = await mesh.roots.state();
      for (const again of copies) await again();
      expect(await mesh.roots.state()).toEqual(before);
      expect(rootsOf(before).notes.paused).toBeUndefined();
    };
    await expectNothing();
    await ticks(mesh);
    await expectNothing();
    copies.push(await send("pause"), await send("resume"));
    await expectNothing();
    mesh.clock.advance(3 * 3600);
    copies.push(await send("pause"), await send("resume"));
    await expectNothing();
    expect(rootsOf(await mesh.roots.state()).notes.aheadOrders).toEqual([]);
  });

  it("to begin that come at once leave one root claimed, and the other disabled", async () => {
    const mesh = await aJoinedMesh();
    const begun = await Promise.all([order(mesh, "start"), order(mesh, "start")]);
    expect(begun.filter(({ after }) => after !== undefined && "versions" in after)).toHaveLength(1);
    const { versions } = await rootsNow(mesh);
    const enabled = (await mesh.roots.list()).flatMap(({ version, enabled: is }) => (is ? [version] : []));
    expect(enabled).toEqual([1, versions.next]);
  });

  it("to advance that come at once move on by one stage", async () => {
    const mesh = await aJoinedMesh();
    await order(mesh, "start");
    await ticks(mesh);
    mesh.clock.advance(STAGE);
    await Promise.all([ticks(mesh), ticks(mesh), ticks(mesh)]);
    expect((await rootsNow(mesh)).stage).toBe("switch");
  });
});

describe("what somebody does to the root secret by hand", () => {
  it.each<[string, Readonly<Record<string, number>>, string]>([
    ["the root that signed is dropped", { signing: 2 }, "RootMissing"],
    ["the root is swapped in one step", { signing: 3 }, "RootMissing"],
    ["the next root signs before all trust it", { previous: 1, signing: 2 }, "RootNotDistributed"],
  ])("changes no member: %s", async (_, versions, reason) => {
    const mesh = await aJoinedMesh();
    await order(mesh, "start");
    await mesh.roots.add(await mesh.roots.payload(1));
    await ticks(mesh);
    const before = serials(mesh);
    mesh.roots.setAliases(versions);
    const { summary } = await ticks(mesh);
    expect(summary.members.map(({ findings }) => findings.map((each) => each.reason))).toEqual([
      [reason],
      [reason],
    ]);
    expect(serials(mesh)).toEqual(before);
    expect(bundleSizes(mesh)).toEqual([2, 2]);
  });

  it("does not take a root from the members that it disables", async () => {
    const mesh = await aJoinedMesh();
    await order(mesh, "start");
    await ticks(mesh);
    await mesh.roots.disable(1);
    const versions = versionsOf(mesh);
    await ticks(mesh);
    expect(versionsOf(mesh)).toEqual(versions);
    expect(bundleSizes(mesh)).toEqual([2, 2]);
  });
});

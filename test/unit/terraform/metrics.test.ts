import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { onClusterEvent } from "../../../functions/on-cluster-event/on-cluster-event.ts";
import { onRotationRequest } from "../../../functions/on-rotation-request/on-rotation-request.ts";
import { syncMesh } from "../../../functions/sync-mesh/sync-mesh.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { InputError, RefusedError, UnavailableError } from "../../../shared/errors.ts";
import { createLogger } from "../../../shared/log.ts";
import type { Reporter } from "../../../shared/progress.ts";
import type { RotatorRun } from "../../../shared/rotate/change-roots.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type MeshOptions } from "../../support/fakes/mesh.ts";
import { counting, entryOf, SIGNER } from "../../support/logging/metrics.ts";
import type { Entry } from "../../support/logging/query.ts";
import { rootKeyRead } from "../../support/logging/root-key-read.ts";
import { AUDIT_TYPE, anEntry, PUBSUB_TYPE } from "../functions/entries.ts";
import { waitShortly } from "../reconcile/world.ts";

const DAY = 86_400;

/**
 * The functions over a mesh in memory, and which metrics count what they have written since the last
 * question.
 */
async function aDeployment(options: MeshOptions = { members: 2 }, deadlineMs = 20_000) {
  const mesh = await aMesh(options);
  const entries: Entry[] = [];
  const runtime = (service: string) => ({
    spec: mesh.spec,
    log: createLogger({ write: (line) => entries.push(entryOf(service, line)) }),
    withRun: async <T>(report: Reporter, use: (run: RotatorRun) => Promise<T>) =>
      await use(mesh.run({ report, signal: AbortSignal.timeout(deadlineMs) })),
  });
  const answer = syncMesh(runtime("sync-mesh"));
  return {
    mesh,
    sync: async (body: object = {}) => {
      const rawBody = Buffer.from(JSON.stringify(body));
      await answer({
        method: "POST",
        url: "/sync",
        headers: { "content-type": "application/json" },
        rawBody,
      });
    },
    event: async (entry: string) =>
      await onClusterEvent(runtime("on-cluster-event"), { id: "1", type: AUDIT_TYPE, data: anEntry(entry) }),
    rotation: async (order: object | string) => {
      mesh.clock.advance(1);
      const data = Buffer.from(typeof order === "string" ? order : JSON.stringify(order)).toString("base64");
      const message = { data, attributes: {}, publishTime: mesh.clock.now().toISOString() };
      await onRotationRequest(runtime("on-rotation-request"), {
        id: "1",
        type: PUBSUB_TYPE,
        data: { message },
      });
    },
    counted: () => counting(entries.splice(0)),
  };
}

const EAST: MeshOptions = {
  clusters: [aCluster({ project: "shop-prod", name: "east" })],
  spec: { projects: ["shop-prod"] },
};

afterEach(() => {
  jest.restoreAllMocks();
});

describe("the log-based metrics count", () => {
  it("a full run, and nothing else of a mesh that is well", async () => {
    const { sync, counted } = await aDeployment();
    await sync();
    expect(counted()).toEqual(["full-run"]);
    await sync({ deep: true });
    expect(counted()).toEqual(["full-run"]);
  });

  it("a tick that finds nothing due, and no other order in its place", async () => {
    const { sync, rotation, counted } = await aDeployment();
    await sync();
    counted();
    await rotation({ kind: "tick" });
    expect(counted()).toEqual(["tick"]);
    await rotation({ kind: "intermediate", scope: "mesh", reason: "manual" });
    expect(counted()).toEqual([]);
  });

  it("no tick that did not come to its end", async () => {
    const { rotation, counted, mesh } = await aDeployment();
    mesh.directory.failNext(new UnavailableError("try again", { code: "Unavailable" }));
    await expect(rotation({ kind: "tick" })).rejects.toThrow("try again");
    expect(counted()).toEqual([]);
  });

  it("no full run where one cluster is looked at", async () => {
    const { sync, counted, mesh } = await aDeployment();
    await sync({ scope: { clusterId: clusterId(mesh.clusters[0]!.ref) } });
    expect(counted()).toEqual([]);
  });

  it("nothing of a join that comes out well", async () => {
    const { event, counted } = await aDeployment(EAST);
    await event("creation-finished");
    expect(counted()).toEqual([]);
  });

  it("a join that is given up", async () => {
    const { event, counted, mesh } = await aDeployment(EAST);
    mesh.directory.failNext(new RefusedError("no permission; grant it", { code: "PermissionDenied" }));
    await event("creation-finished");
    expect(counted()).toEqual(["join-failed"]);
  });

  it("no failure where an event only comes again", async () => {
    const { event, counted, mesh } = await aDeployment(EAST);
    mesh.directory.failNext(new UnavailableError("try again", { code: "Unavailable" }));
    await expect(event("creation-finished")).rejects.toThrow("try again");
    expect(counted()).toEqual([]);
  });

  it("a pair that is not synced", async () => {
    const { sync, counted, mesh } = await aDeployment({ members: 2 }, 500);
    await sync();
    mesh.servers[0]!.istiod.syncsAfterMs = Number.POSITIVE_INFINITY;
    await sync();
    expect(counted()).toContain("pair-not-synced");
  });

  it("requests that fail between synced members, and none that pass", async () => {
    const { sync, counted, mesh } = await aDeployment({ members: 2, spec: { probe: "on" } });
    await sync();
    counted();
    await sync();
    expect(counted()).toEqual(["full-run"]);
    const [first, second] = mesh.clusters;
    mesh.fleet.server(first!).probe.answers.set(clusterId(second!.ref), {
      status: 503,
      headers: { "x-ask-flags": "UF", "x-ask-details": "upstream_reset{connection_timeout}" },
      body: "",
    });
    await sync();
    expect(counted()).toContain("requests-fail");
  });

  it("a member whose istiod answers nobody, and none whose istiod has just gone", async () => {
    const { sync, counted, mesh } = await aDeployment();
    await sync();
    const server = mesh.servers[0]!;
    server.istiod.isDown = true;
    server.wakeIstiod();
    waitShortly();
    await sync();
    expect(counted()).not.toContain("certificates-end");
    mesh.clock.advance(600);
    await sync();
    expect(counted()).toEqual(expect.arrayContaining(["certificates-end", "error-finding", "full-run"]));
    server.istiod.isDown = false;
    server.wakeIstiod();
    await sync();
    expect(counted()).toEqual(["full-run"]);
  });

  it("a member whose API server does not answer", async () => {
    const { sync, counted, mesh } = await aDeployment();
    await sync();
    mesh.servers[0]!.faults.unreachable = true;
    counted();
    await sync();
    expect(counted()).toContain("api-server-away");
    mesh.servers[0]!.faults.unreachable = false;
    await sync();
    expect(counted()).toEqual(["full-run"]);
  });

  it("a member that Meshjoin has drained by itself", async () => {
    const { sync, counted, mesh } = await aDeployment({
      members: 3,
      spec: { probe: "on", drainAfter: 1200 },
    });
    await sync();
    await sync();
    const [dead, ...peers] = mesh.servers;
    dead!.faults.unreachable = true;
    for (const { probe } of peers)
      probe.answers.set(clusterId(mesh.clusters[0]!.ref), {
        status: 503,
        headers: { "x-ask-flags": "UF", "x-ask-details": "upstream_reset{connection_timeout}" },
        body: "",
      });
    await sync();
    mesh.clock.advance(1199);
    await sync();
    expect(counted()).not.toContain("drained-automatically");
    mesh.clock.advance(1);
    await sync();
    expect(counted()).toContain("drained-automatically");
    await sync();
    expect(counted()).toContain("drained-automatically");
  });

  it("a token that is past the time of its renewal", async () => {
    const { sync, counted, mesh } = await aDeployment();
    await sync();
    mesh.clock.advance(6 * DAY);
    mesh.servers[0]!.faults.unreachable = true;
    await sync();
    expect(counted()).toContain("renewal-overdue");
    mesh.servers[0]!.faults.unreachable = false;
    await sync();
    expect(counted()).toEqual(["full-run"]);
  });

  it("an intermediate that is past the time of its renewal", async () => {
    const { sync, counted, mesh } = await aDeployment({ members: 2, spec: { tokenTtl: 400 * DAY } });
    await sync();
    mesh.clock.advance(80 * DAY);
    await sync();
    expect(counted()).toContain("renewal-overdue");
  });

  it("a rotation that a member holds up, and none that only takes its time", async () => {
    const { sync, rotation, counted, mesh } = await aDeployment({
      members: 2,
      spec: { tokenTtl: 400 * DAY },
    });
    await sync();
    await rotation({ kind: "root", action: "start" });
    await rotation({ kind: "tick" });
    counted();
    await rotation({ kind: "tick" });
    expect(counted()).toEqual(["tick"]);
    mesh.servers[0]!.faults.unreachable = true;
    await rotation({ kind: "tick" });
    expect(counted()).toContain("rotation-waits");
  });

  it("a finding that asks for somebody", async () => {
    const { sync, counted, mesh } = await aDeployment({ members: 4 });
    await sync();
    for (const cluster of mesh.clusters.slice(1)) mesh.directory.put({ ...cluster, labels: {} });
    await sync();
    expect(counted()).toContain("error-finding");
  });

  it("a member that has lost its label, and none that a person takes out", async () => {
    const { sync, counted, mesh } = await aDeployment({ members: 4 });
    await sync();
    const [lost, leaver] = mesh.clusters;
    const leaving = [clusterId(leaver!.ref)];
    mesh.directory.put({ ...leaver!, labels: {} });
    await mesh.reconcile("mesh", { leaving });
    await sync();
    expect(counted()).not.toContain("member-lost");
    mesh.directory.put({ ...lost!, labels: {} });
    await sync();
    expect(counted()).toContain("member-lost");
  });

  it("what is refused in the middle of a run", async () => {
    const { sync, counted, mesh } = await aDeployment();
    mesh.servers[0]!.faults.forbidden = ["list", "get"];
    await sync();
    expect(counted()).toContain("error-finding");
  });

  it("an order that cannot be understood", async () => {
    const { rotation, counted } = await aDeployment();
    await rotation("{");
    expect(counted()).toEqual(["unexpected-error"]);
  });

  it("no error where a call of one run is not answered", async () => {
    const { sync, counted, mesh } = await aDeployment();
    mesh.directory.failNext(new UnavailableError("try again", { code: "Unavailable" }));
    await sync();
    expect(counted()).toEqual([]);
  });

  it("an error that nobody foresaw, and none that is the caller's", async () => {
    const { sync, counted, mesh } = await aDeployment();
    mesh.directory.failNext(new InputError("it is wrong", { code: "InvalidInput", field: "x" }));
    Object.assign(mesh, {
      run: () => {
        throw new TypeError("secret words");
      },
    });
    await sync();
    expect(counted()).toEqual(["unexpected-error"]);
    await sync({ scope: "everything" });
    expect(counted()).toEqual([]);
  });

  it.each<[string[], Entry]>([
    [["root-key-read"], rootKeyRead("mallory@example.com", "prod")],
    [[], rootKeyRead(SIGNER, "prod")],
    [[], rootKeyRead("mallory@example.com", "other")],
  ])("%j for who reads a root key", (names, entry) => {
    expect(counting([entry])).toEqual(names);
  });
});

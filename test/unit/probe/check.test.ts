import { describe, expect, it } from "@jest/globals";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { lookAtMesh } from "../../../shared/look/mesh.ts";
import type { ObjectQuery } from "../../../shared/ports/member-api.ts";
import { type Checked, type CheckOptions, checkRequests } from "../../../shared/probe/check.ts";
import type { Run } from "../../../shared/run.ts";
import { closing } from "../../../shared/runtime.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { processFaults } from "../../support/fakes/member-api/faults.ts";
import { aMesh, type FakeMesh, type ProcessOptions } from "../../support/fakes/mesh.ts";

const EAST = aCluster({ name: "east" });
const WEST = aCluster({ name: "west" });
const FAR = aCluster({ name: "far", network: { project: "shop", name: "dmz" } });
const SPEC = { connectedNetworks: [["shop.default", "shop.dmz"]] };
const idOf = ({ ref }: Cluster) => clusterId(ref);
const ID = { east: idOf(EAST), west: idOf(WEST), far: idOf(FAR) };
const NAMESPACE = { apiVersion: "v1", kind: "Namespace", name: "meshjoin-probe" };
/** An object with Meshjoin's labels. */
const MARKED = { apiVersion: "v1", kind: "Secret", namespace: "istio-system", name: "cacerts" };
const NEVER = new AbortController().signal;

async function joined(...clusters: readonly Cluster[]): Promise<FakeMesh> {
  const mesh = await aMesh({ clusters, spec: SPEC });
  await mesh.reconcile("mesh");
  await mesh.reconcile("mesh");
  return mesh;
}

async function check(
  mesh: FakeMesh,
  options: Partial<CheckOptions> = {},
  process: ProcessOptions = {},
): Promise<Checked> {
  return await closing(mesh.run(process), async (run) => {
    const seen = await lookAtMesh(run, "mesh");
    const defaults = { among: seen.members, user: "ada1", readyMs: 500, settleMs: 0, signal: NEVER };
    return await checkRequests(run, seen, { ...defaults, ...options });
  });
}

/** What a check may leave in the cluster. */
function traces(mesh: FakeMesh, cluster: Cluster): string[] {
  const { store } = mesh.fleet.server(cluster);
  const query: ObjectQuery = { apiVersion: "v1", kind: "Secret", namespace: "istio-system" };
  const marks = store.list(query).map(({ metadata }) => metadata.name);
  return [
    ...(store.get(NAMESPACE) === undefined ? [] : ["namespace"]),
    ...marks.filter((name) => name.startsWith("meshjoin-probe")),
  ];
}

/** East loses some answers about west. */
function losingAnswers({ ports: { fleet } }: Run, countUp: () => number): Run["ports"]["fleet"] {
  return {
    ...fleet,
    member(cluster) {
      const api = fleet.member(cluster);
      if (idOf(cluster) !== ID.east) return api;
      return {
        ...api,
        probe: {
          open(pod) {
            const session = api.probe.open(pod);
            const ask: typeof session.ask = async (targets, signal) => {
              const answers = new Map(await session.ask(targets, signal));
              for (const target of targets) {
                if (countUp() % 3 === 0 && target === ID.west) answers.delete(target);
              }
              return answers;
            };
            return { ...session, ask };
          },
        },
      };
    },
  };
}

const matrix = ({ pairs }: Checked) =>
  Object.fromEntries(
    pairs.map(({ reader, target, route, probe }) => [
      `${reader} > ${target}`,
      [route, probe.state, probe.cause ?? probe.latencyMs],
    ]),
  );

describe("a check of the mesh", () => {
  it("passes for each pair, directly and through gateways, and leaves nothing behind", async () => {
    const mesh = await joined(EAST, WEST, FAR);
    const checked = await check(mesh);
    const direct = ["direct", "passed", 1.5];
    const through = ["gateway", "passed", 1.5];
    expect(matrix(checked)).toEqual({
      [`${ID.east} > ${ID.west}`]: direct,
      [`${ID.west} > ${ID.east}`]: direct,
      [`${ID.east} > ${ID.far}`]: through,
      [`${ID.far} > ${ID.east}`]: through,
      [`${ID.west} > ${ID.far}`]: through,
      [`${ID.far} > ${ID.west}`]: through,
    });
    expect(checked.left).toEqual([]);
    for (const cluster of mesh.clusters) expect(traces(mesh, cluster)).toEqual([]);
    expect(mesh.fleet.portForwards.open).toBe(0);
  });

  it("keeps the probes where that is wanted, each object with its time", async () => {
    const mesh = await joined(EAST, WEST);
    const keptUntil = new Date(mesh.clock.now().getTime() + 3_600_000);
    await check(mesh, { keptUntil });
    expect(traces(mesh, EAST)).toEqual(["namespace", "meshjoin-probe-ada1"]);
    const { store } = mesh.fleet.server(EAST);
    const routes = store.get({
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      namespace: "meshjoin-probe",
      name: "ask",
    });
    for (const object of [store.get(NAMESPACE), routes])
      expect(object?.metadata.annotations).toMatchObject({
        "meshjoin.dev/probe-until": keptUntil.toISOString(),
      });
  });

  it("cannot ask a member that does not answer, nor for it, and asks the others", async () => {
    const mesh = await joined(EAST, WEST, aCluster({ name: "dead" }));
    mesh.servers[2]!.faults.unreachable = true;
    const dead = idOf(mesh.clusters[2]!);
    expect(matrix(await check(mesh))).toMatchObject({
      [`${ID.east} > ${ID.west}`]: ["direct", "passed", 1.5],
      [`${ID.east} > ${dead}`]: ["direct", "unknown", "NoProbe"],
      [`${dead} > ${ID.east}`]: ["direct", "unknown", "NotAsked"],
    });
  });

  it("tells a pod that is not ready from a target that no istiod knows", async () => {
    const mesh = await joined(EAST, WEST);
    mesh.fleet.server(WEST).probe.isReady = false;
    const checked = await check(mesh);
    expect(matrix(checked)).toMatchObject({
      [`${ID.east} > ${ID.west}`]: ["direct", "failed", "TargetNotReady"],
      [`${ID.west} > ${ID.east}`]: ["direct", "unknown", "NotAsked"],
    });
    const { store } = mesh.fleet.server(EAST);
    store.delete({
      apiVersion: "v1",
      kind: "Secret",
      namespace: "istio-system",
      name: `istio-remote-secret-${ID.west}`,
    });
    mesh.fleet.server(WEST).probe.isReady = true;
    expect(matrix(await check(mesh))).toMatchObject({
      [`${ID.east} > ${ID.west}`]: ["direct", "failed", "NoEndpoint"],
      [`${ID.west} > ${ID.east}`]: ["direct", "passed", 1.5],
    });
  });

  it("calls a pair without a route absent on purpose", async () => {
    const mesh = await aMesh({ clusters: [EAST, FAR] });
    await mesh.reconcile("mesh");
    const { pairs } = await check(mesh);
    expect(pairs.map(({ route, probe }) => [route, probe.state])).toEqual([
      ["none", "absentOnPurpose"],
      ["none", "absentOnPurpose"],
    ]);
    expect(pairs[0]?.probe.message).toContain("network");
  });

  it("writes nothing to a namespace of another owner, and says so", async () => {
    const mesh = await joined(EAST, WEST);
    const { store } = mesh.fleet.server(WEST);
    store.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "meshjoin-probe" } });
    const checked = await check(mesh);
    expect(matrix(checked)[`${ID.east} > ${ID.west}`]).toEqual(["direct", "unknown", "NoProbe"]);
    expect(store.get(NAMESPACE)?.metadata.labels?.["app.kubernetes.io/managed-by"]).toBeUndefined();
    expect(store.list({ apiVersion: "apps/v1", kind: "Deployment", namespace: "meshjoin-probe" })).toEqual(
      [],
    );
    expect(traces(mesh, WEST)).toEqual(["namespace"]);
  });

  it("calls no pair passed that one of the five rounds has no answer for", async () => {
    const mesh = await joined(EAST, WEST);
    const lossy = mesh.run();
    let asked = 0;
    const run: Run = { ...lossy, ports: { ...lossy.ports, fleet: losingAnswers(lossy, () => (asked += 1)) } };
    const checked = await closing(run, async (each) => {
      const seen = await lookAtMesh(each, "mesh");
      const options = { among: seen.members, user: "ada1", readyMs: 500, settleMs: 0, signal: NEVER };
      return await checkRequests(each, seen, options);
    });
    expect(asked).toBeGreaterThan(5);
    expect(matrix(checked)).toEqual({
      [`${ID.east} > ${ID.west}`]: ["direct", "unknown", "NotAsked"],
      [`${ID.west} > ${ID.east}`]: ["direct", "passed", 1.5],
    });
  });

  it("waits for a probe that cannot be deleted as long as for pods, and asks the others", async () => {
    const mesh = await joined(EAST, WEST, aCluster({ name: "stuck" }));
    const stuck = mesh.fleet.server(mesh.clusters[2]!);
    const labels = stuck.store.get(MARKED)?.metadata.labels ?? {};
    stuck.store.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "meshjoin-probe", labels } });
    const held = { name: "held", namespace: "meshjoin-probe", finalizers: ["example.com/never"] };
    stuck.store.create({ apiVersion: "v1", kind: "ConfigMap", metadata: held });
    stuck.store.delete(NAMESPACE);
    const begun = performance.now();
    const checked = await check(mesh);
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(matrix(checked)).toMatchObject({
      [`${ID.east} > ${ID.west}`]: ["direct", "passed", 1.5],
      [`${ID.east} > ${idOf(mesh.clusters[2]!)}`]: ["direct", "unknown", "NoProbe"],
    });
  });

  it("takes away what it made when it is ended early, and asks nobody", async () => {
    const mesh = await joined(EAST, WEST);
    mesh.fleet.server(WEST).probe.isReady = false;
    const stop = new AbortController();
    const ended = check(mesh, { readyMs: 60_000, signal: stop.signal });
    while (mesh.fleet.server(WEST).store.get(NAMESPACE) === undefined)
      await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await ended;
    for (const cluster of mesh.clusters) expect(traces(mesh, cluster)).toEqual([]);
  });
});

describe("two checks at once", () => {
  it("leave each other the probes, and the last one takes them away", async () => {
    const mesh = await joined(EAST, WEST);
    const keptUntil = new Date(mesh.clock.now().getTime() + 3_600_000);
    await check(mesh, { user: "bob1", keptUntil });
    const checked = await check(mesh);
    expect(matrix(checked)[`${ID.east} > ${ID.west}`]).toEqual(["direct", "passed", 1.5]);
    expect(traces(mesh, EAST)).toContain("namespace");
    await check(mesh, { user: "bob1" });
    expect(traces(mesh, EAST)).toEqual([]);
  });

  it("end with nothing left, however they meet", async () => {
    const mesh = await joined(EAST, WEST);
    const both = await Promise.all([check(mesh, { user: "ada1" }), check(mesh, { user: "bob1" })]);
    for (const { left } of both) expect(left).toEqual([]);
    for (const cluster of mesh.clusters) expect(traces(mesh, cluster)).toEqual([]);
  });
});

describe("a check that dies", () => {
  it("leaves after each of its writes what the next full run after its time takes away", async () => {
    const counted = processFaults();
    const whole = await joined(EAST, WEST);
    await check(whole, {}, { faults: counted });
    expect(counted.writes).toBeGreaterThan(20);
    for (let k = 1; k <= counted.writes; k += 1) {
      const mesh = await joined(EAST, WEST);
      const faults = processFaults();
      faults.onWrite(k, k % 2 === 0 ? "dieAfter" : "dieBefore");
      await check(mesh, {}, { faults }).catch(() => undefined);
      mesh.clock.advance(3600);
      await mesh.reconcile("mesh");
      for (const cluster of mesh.clusters) expect([k, traces(mesh, cluster)]).toEqual([k, []]);
    }
  });

  it("keeps its probes until its time has passed", async () => {
    const mesh = await joined(EAST, WEST);
    const keptUntil = new Date(mesh.clock.now().getTime() + 3_600_000);
    await check(mesh, { keptUntil });
    mesh.clock.advance(3500);
    await mesh.reconcile("mesh");
    expect(traces(mesh, EAST)).toContain("namespace");
    mesh.clock.advance(500);
    await mesh.reconcile("mesh");
    for (const cluster of mesh.clusters) expect(traces(mesh, cluster)).toEqual([]);
  });

  it("costs a full run nothing when there is nothing to take away", async () => {
    const mesh = await joined(EAST, WEST);
    const costOfRun = async () => {
      const before = mesh.servers.map(({ requests }) => requests.total);
      await mesh.reconcile("mesh");
      return mesh.servers.map(({ requests }, index) => requests.total - (before[index] ?? 0));
    };
    const usual = await costOfRun();
    const keptUntil = new Date(mesh.clock.now().getTime() + 3_600_000);
    await check(mesh, { keptUntil });
    expect(await costOfRun()).toEqual(usual);
    mesh.clock.advance(4000);
    expect(await costOfRun()).not.toEqual(usual);
    expect(await costOfRun()).toEqual(usual);
  });
});

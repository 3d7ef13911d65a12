import { describe, expect, it } from "@jest/globals";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../../shared/core/names.ts";
import type { RawAnswer } from "../../../shared/core/probe/answer.ts";
import { lookAtMesh } from "../../../shared/look/mesh.ts";
import { preview } from "../../../shared/preview.ts";
import { checkRequests } from "../../../shared/probe/check.ts";
import type { Reconciled } from "../../../shared/reconcile.ts";
import { closing } from "../../../shared/runtime.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { ProcessDeath, processFaults } from "../../support/fakes/member-api/faults.ts";
import { VERBS } from "../../support/fakes/member-api/requests.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { istiod, namespace } from "../reconcile/installations.ts";

const EAST = aCluster({ name: "east" });
const WEST = aCluster({ name: "west" });
const idOf = ({ ref }: Cluster) => clusterId(ref);
const [east, west] = [idOf(EAST), idOf(WEST)];
const ON = { spec: { probe: "on" as const } };
const NAMESPACE = { apiVersion: "v1", kind: "Namespace", name: "meshjoin-probe" };
const MARK = { apiVersion: "v1", kind: "Secret", namespace: "istio-system", name: "meshjoin-probe" };
const ROUTES = {
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  namespace: "meshjoin-probe",
  name: "ask",
};
/** What Envoy answers where nobody takes its packets. */
const TIMEOUT: RawAnswer = {
  status: 503,
  headers: {
    "x-ask-flags": "UF",
    "x-ask-details": "upstream_reset_before_response_started{connection_timeout}",
  },
  body: "",
};

async function joined(...clusters: readonly Cluster[]): Promise<FakeMesh> {
  const mesh = await aMesh({ clusters });
  for (const cluster of clusters) await mesh.join(cluster);
  await mesh.reconcile("mesh");
  return mesh;
}

async function keeping(...clusters: readonly Cluster[]): Promise<FakeMesh> {
  const mesh = await joined(...clusters);
  await mesh.reconcile("mesh", ON);
  return mesh;
}

const storeOf = (mesh: FakeMesh, cluster: Cluster) => mesh.fleet.server(cluster).store;
/** The mark and the namespace of the probe. */
const traces = (mesh: FakeMesh, cluster: Cluster) =>
  [MARK, NAMESPACE].flatMap((ref) => (storeOf(mesh, cluster).get(ref) === undefined ? [] : [ref.kind]));
const findingsOf = ({ summary }: Reconciled, ...reasons: readonly string[]) =>
  summary.findings.filter(({ reason }) => reasons.includes(reason));

async function writesOf(mesh: FakeMesh, how: Parameters<FakeMesh["reconcile"]>[1] = {}): Promise<number> {
  const faults = processFaults();
  await mesh.reconcile("mesh", { ...ON, ...how, faults });
  return faults.writes;
}

/** East first answers about west that nobody takes its packets; what comes with it has happened then. */
function answersOnce(mesh: FakeMesh, happens: () => void): void {
  const { answers } = mesh.fleet.server(EAST).probe;
  answers.set(west, TIMEOUT);
  const get = answers.get.bind(answers);
  answers.get = (target) => {
    const answer = get(target);
    if (answer !== undefined) {
      answers.clear();
      happens();
    }
    return answer;
  };
}

async function statusOf(mesh: FakeMesh) {
  return await closing(mesh.run(ON), collectStatus);
}

async function probesIn(mesh: FakeMesh): Promise<Readonly<Record<string, unknown>>> {
  const { pairs } = await statusOf(mesh);
  return Object.fromEntries(
    pairs.map(({ reader, target, probe: { state, cause } }) => [
      `${reader} > ${target}`,
      cause === undefined ? state : [state, cause],
    ]),
  );
}

describe("a mesh that keeps probes", () => {
  it("has one in each member after a full run, and a run that finds all well writes nothing", async () => {
    const mesh = await joined(EAST, WEST);
    expect(await writesOf(mesh, { spec: {} })).toBe(0);
    const first = await mesh.reconcile("mesh", ON);
    expect(first.summary.outcome).toBe("created");
    for (const cluster of mesh.clusters) expect(traces(mesh, cluster)).toEqual(["Secret", "Namespace"]);
    expect(await writesOf(mesh)).toBe(0);
    const second = await mesh.reconcile("mesh", ON);
    expect([second.summary.outcome, second.summary.findings]).toEqual(["unchanged", []]);
  });

  it("asks each reader once a run, with one further request", async () => {
    const mesh = await keeping(EAST, WEST);
    const requestsOf = async (how: Parameters<FakeMesh["reconcile"]>[1]) => {
      const before = mesh.servers.map(({ requests }) => ({ ...requests.counts }));
      await mesh.reconcile("mesh", how);
      return mesh.servers.map(({ requests }, index) => {
        const rows = VERBS.map(
          (verb) => [verb, requests.counts[verb] - (before[index]?.[verb] ?? 0)] as const,
        );
        return Object.fromEntries(rows.filter(([, number]) => number > 0));
      });
    };
    const kept = await requestsOf(ON);
    await mesh.reconcile("mesh");
    const without = await requestsOf({});
    expect(kept).toEqual(
      without.map((each) => ({
        ...each,
        list: Number(each["list"]) + 1,
        portForward: Number(each["portForward"]) + 1,
      })),
    );
  });

  it("says that requests fail between synced members, and why, until they pass", async () => {
    const mesh = await keeping(EAST, WEST);
    mesh.fleet.server(EAST).probe.answers.set(west, TIMEOUT);
    expect(findingsOf(await mesh.reconcile("mesh", ON), "RequestsFail", "RequestsUnknown")).toEqual([
      expect.objectContaining({
        reason: "RequestsFail",
        severity: "error",
        clusterId: east,
        message: expect.stringContaining(`no request from ${east} to ${west} passes: `),
      }),
    ]);
    expect(await probesIn(mesh)).toEqual({
      [`${east} > ${west}`]: ["failed", "TargetSilent"],
      [`${west} > ${east}`]: "passed",
    });
    mesh.fleet.server(EAST).probe.answers.clear();
    expect(findingsOf(await mesh.reconcile("mesh", ON), "RequestsFail")).toEqual([]);
  });

  it("tells of no failure that a second look does not find: a pod that has moved", async () => {
    const mesh = await keeping(EAST, WEST);
    answersOnce(mesh, () => undefined);
    expect(findingsOf(await mesh.reconcile("mesh", ON), "RequestsFail", "RequestsUnknown")).toEqual([]);
  });

  it("tells of no failure of a member that an event takes out meanwhile", async () => {
    const mesh = await keeping(EAST, WEST, aCluster({ name: "third" }));
    const secret = `istio-remote-secret-${west}`;
    answersOnce(mesh, () => {
      mesh.directory.put({ ...WEST, status: "STOPPING" });
      storeOf(mesh, EAST).delete({ ...MARK, name: secret });
    });
    expect(findingsOf(await mesh.reconcile("mesh", ON), "RequestsFail", "RequestsUnknown")).toEqual([]);
    expect(storeOf(mesh, EAST).get({ ...MARK, name: secret })).toBeUndefined();
  });

  it.each([
    ["routes that a person has changed", ROUTES],
    [
      "a Service that a person has deleted",
      { ...NAMESPACE, kind: "Service", namespace: "meshjoin-probe", name: "probe" },
    ],
  ])("mends %s before it tells of them", async (_, ref) => {
    const mesh = await keeping(EAST, WEST);
    for (const cluster of mesh.clusters) {
      const store = storeOf(mesh, cluster);
      if (ref === ROUTES) store.write({ ...store.get(ref)!, spec: { hosts: [] } }, "kubectl");
      else store.delete(ref);
    }
    const run = await mesh.reconcile("mesh", ON);
    expect(findingsOf(run, "RequestsFail", "RequestsUnknown")).toEqual([]);
    expect(new Set(Object.values(await probesIn(mesh)))).toEqual(new Set(["passed"]));
    expect(await writesOf(mesh)).toBe(0);
  });

  it("tells of no failing request of a pair that there is not, for a reason that is told", async () => {
    const dns = { spec: { ...ON.spec, accessPeers: "dns" as const } };
    const plain = aCluster({ name: "plain" });
    const endpoints = {
      ...plain.endpoints,
      dns: { ...plain.endpoints.dns!, allowsKubernetesTokens: false },
    };
    const mesh = await joined(EAST, WEST);
    mesh.add({ ...plain, endpoints });
    await mesh.reconcile("mesh", dns);
    const run = await mesh.reconcile("mesh", dns);
    const reasons = new Set(run.summary.findings.map(({ reason }) => reason));
    expect(reasons).toEqual(new Set(["DnsTokensNotAllowed"]));
  });

  it.each(["2099-01-01T00:00:00Z", "1999-01-01T00:00:00Z", "for ever"])(
    "makes good once what a person wrote on its mark: %s",
    async (until) => {
      const mesh = await keeping(EAST, WEST);
      const store = storeOf(mesh, EAST);
      const mark = store.get(MARK)!;
      const annotations = { ...mark.metadata.annotations, "meshjoin.dev/probe-until": until };
      store.write({ ...mark, metadata: { ...mark.metadata, annotations } }, "kubectl");
      await mesh.reconcile("mesh", ON);
      expect(await writesOf(mesh)).toBe(0);
      expect(new Set(Object.values(await probesIn(mesh)))).toEqual(new Set(["passed"]));
    },
  );

  it("tells of a newcomer also after a check that did not see it yet", async () => {
    const mesh = await keeping(EAST, WEST);
    const early = mesh.run(ON);
    const seen = await lookAtMesh(early, "mesh");
    const third = aCluster({ name: "new" });
    mesh.add(third);
    await mesh.join(third, ON);
    await mesh.reconcile("mesh", ON);
    const options = { among: seen.members, user: "ada1", readyMs: 500, settleMs: 0 };
    await closing(early, (run) =>
      checkRequests(run, seen, { ...options, signal: new AbortController().signal }),
    );
    expect(findingsOf(await mesh.reconcile("mesh", ON), "RequestsUnknown")).toEqual([]);
    expect(new Set(Object.values(await probesIn(mesh)))).toEqual(new Set(["passed"]));
  });

  it("knows nothing of requests to and from a probe that is not ready, and says so", async () => {
    const mesh = await keeping(EAST, WEST);
    const server = mesh.fleet.server(WEST);
    server.probe.isReady = false;
    server.settleProbe();
    const run = await mesh.reconcile("mesh", ON);
    expect(findingsOf(run, "RequestsFail")).toEqual([]);
    expect(findingsOf(run, "RequestsUnknown").map(({ clusterId: id, severity }) => [id, severity])).toEqual([
      [east, "warning"],
      [west, "warning"],
    ]);
    expect(await probesIn(mesh)).toEqual({
      [`${east} > ${west}`]: ["unknown", "NoProbe"],
      [`${west} > ${east}`]: ["unknown", "NotAsked"],
    });
  });

  it("makes a probe again that a person has deleted, and in a deep run what a person has changed", async () => {
    const mesh = await keeping(EAST, WEST);
    const store = storeOf(mesh, EAST);
    const routes = store.get(ROUTES);
    store.write({ ...routes!, spec: { hosts: [] } }, "kubectl");
    await mesh.reconcile("mesh", { ...ON, deep: true });
    expect(store.get(ROUTES)?.["spec"]).toEqual(routes?.["spec"]);
    store.delete(NAMESPACE);
    mesh.fleet.server(EAST).settleProbe();
    await mesh.reconcile("mesh", ON);
    expect(traces(mesh, EAST)).toEqual(["Secret", "Namespace"]);
    expect(await probesIn(mesh)).toEqual({
      [`${east} > ${west}`]: "passed",
      [`${west} > ${east}`]: "passed",
    });
  });

  it("asks about a newcomer after the full run that follows its join", async () => {
    const mesh = await keeping(EAST, WEST);
    const third = aCluster({ name: "new" });
    mesh.add(third);
    await mesh.join(third, ON);
    expect(traces(mesh, third)).toEqual([]);
    expect(await probesIn(mesh)).toMatchObject({
      [`${east} > ${idOf(third)}`]: ["unknown", "NoProbe"],
      [`${east} > ${west}`]: "passed",
    });
    await mesh.reconcile("mesh", ON);
    expect(new Set(Object.values(await probesIn(mesh)))).toEqual(new Set(["passed"]));
  });

  it("takes the probe of a cluster that leaves away with its credentials", async () => {
    const mesh = await keeping(EAST, WEST, aCluster({ name: "third" }));
    const { project, location, name } = WEST.ref;
    mesh.directory.put({ ...WEST, labels: {} });
    await mesh.reconcile("mesh", { ...ON, leaving: [west] });
    expect({ project, location, name, left: traces(mesh, WEST) }).toMatchObject({ left: [] });
    expect(traces(mesh, EAST)).toEqual(["Secret", "Namespace"]);
  });

  it("plans it, and when it is turned off has none, after a death of any write, too", async () => {
    const mesh = await joined(EAST, WEST);
    const planned = await closing(mesh.run(ON), (run) => preview(run, { scope: "mesh", reason: "test" }));
    expect(planned.actions.map(({ verb, object }) => `${verb} ${object.kind} ${object.name}`)).toEqual([
      "create Namespace meshjoin-probe",
      "create Secret meshjoin-probe",
      "create Namespace meshjoin-probe",
      "create Secret meshjoin-probe",
    ]);
    const faults = processFaults();
    await mesh.reconcile("mesh", { ...ON, faults });
    const puts = faults.writes;
    const off = processFaults();
    await mesh.reconcile("mesh", { faults: off });
    for (const cluster of mesh.clusters) expect(traces(mesh, cluster)).toEqual([]);
    expect(puts).toBeGreaterThan(20);
    for (let k = 1; k <= puts; k += 1) {
      const dying = processFaults();
      dying.onWrite(k, "dieAfter");
      await expect(mesh.reconcile("mesh", { ...ON, faults: dying })).rejects.toThrow(ProcessDeath);
      await mesh.reconcile("mesh", ON);
      expect([k, new Set(Object.values(await probesIn(mesh)))]).toEqual([k, new Set(["passed"])]);
      await mesh.reconcile("mesh");
      for (const cluster of mesh.clusters) expect([k, traces(mesh, cluster)]).toEqual([k, []]);
    }
    for (let k = 1; k <= off.writes; k += 1) {
      await mesh.reconcile("mesh", ON);
      const dying = processFaults();
      dying.onWrite(k, "dieAfter");
      await expect(mesh.reconcile("mesh", { faults: dying })).rejects.toThrow(ProcessDeath);
      await mesh.reconcile("mesh");
      for (const cluster of mesh.clusters) expect([k, traces(mesh, cluster)]).toEqual([k, []]);
    }
  });

  it("keeps it when a check ends that was killed, and takes that one's mark away", async () => {
    const mesh = await keeping(EAST, WEST);
    const store = storeOf(mesh, EAST);
    const { apiVersion, kind } = MARK;
    const killed = { ...MARK, name: "meshjoin-probe-ada1" };
    const labels = store.get(MARK)?.metadata.labels;
    store.write(
      {
        apiVersion,
        kind,
        metadata: {
          namespace: killed.namespace,
          name: killed.name,
          ...(labels === undefined ? {} : { labels }),
          annotations: { "meshjoin.dev/probe-until": new Date(0).toISOString() },
        },
      },
      "meshjoin",
    );
    await mesh.reconcile("mesh", ON);
    expect([store.get(killed), traces(mesh, EAST)]).toEqual([undefined, ["Secret", "Namespace"]]);
  });

  it("writes none to a member whose control plane has another owner, and tells nothing of its requests", async () => {
    const mesh = await joined(EAST, WEST);
    const guest = aCluster({ name: "guest" });
    const { store } = mesh.add(guest);
    for (const object of [namespace(), istiod("guest")]) store.write(object, "kubectl");
    const run = await mesh.reconcile("mesh", ON);
    expect([traces(mesh, guest), findingsOf(run, "RequestsFail", "RequestsUnknown")]).toEqual([[], []]);
    expect(traces(mesh, EAST)).toEqual(["Secret", "Namespace"]);
  });
});

describe("a mesh that keeps none", () => {
  it("has no answer of a probe to show", async () => {
    const mesh = await joined(EAST, WEST);
    const { pairs } = await closing(mesh.run(), collectStatus);
    expect(pairs.map(({ probe }) => probe)).toEqual([{ state: "none" }, { state: "none" }]);
  });
});

import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { Outcome } from "../../../shared/core/answers/outcome.ts";
import { clusterId, FAILOVER_RULE, ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import type { FailoverPolicy } from "../../../shared/core/spec.ts";
import { FAILOVER_REF, ROOT_RULES } from "../../../shared/istio/traffic-defaults.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import { preview } from "../../../shared/preview.ts";
import { collectStatus } from "../../../shared/status.ts";
import { ProcessDeath, processFaults } from "../../support/fakes/member-api/faults.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { inLockstep, versionsOf } from "./world.ts";

const CONFIRM = { confirm: ["TrafficDefaultsDiffer"] };
const REGION = "topology.kubernetes.io/region";
const CLUSTER = "topology.istio.io/cluster";
const ZONE = "topology.kubernetes.io/zone";
const DEPLOYMENT = { apiVersion: "apps/v1", kind: "Deployment", namespace: ISTIO_NAMESPACE, name: "istiod" };

/** A mesh in which each member was installed with this setting; afterwards the configuration is `on`. */
async function installed(failover: FailoverPolicy, members = 1): Promise<FakeMesh> {
  const mesh = await aMesh({ members });
  await mesh.reconcile("mesh", { spec: { failover } });
  return mesh;
}

/** By what the rule of each member prefers endpoints; undefined without one. */
function prioritiesOf(mesh: FakeMesh): (readonly string[] | undefined)[] {
  return mesh.servers.map(({ store }) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- networking.istio.io/v1 DestinationRule
    const spec = store.get(FAILOVER_REF)?.["spec"] as
      | { trafficPolicy: { loadBalancer: { localityLbSetting: { failoverPriority: readonly string[] } } } }
      | undefined;
    return spec?.trafficPolicy.loadBalancer.localityLbSetting.failoverPriority;
  });
}

function ruleOfAnother(name: string, host: string, more: object = {}): KubernetesObject {
  const { apiVersion, kind, namespace = "" } = ROOT_RULES;
  return { apiVersion, kind, metadata: { name, namespace }, spec: { host, ...more } };
}

/** Before Istio is installed. */
function createInRoot({ servers }: FakeMesh, rule: KubernetesObject): void {
  const { store } = servers[0]!;
  store.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: ISTIO_NAMESPACE } });
  store.create(rule);
}

/** In the next process: once it has read the rules for the first time. */
function afterFirstRules({ fleet }: FakeMesh, meanwhile: () => unknown): void {
  const process = fleet.process.bind(fleet);
  let isDone = false;
  jest.spyOn(fleet, "process").mockImplementationOnce((faults) => {
    const own = process(faults);
    return {
      ...own,
      member(cluster) {
        const api = own.member(cluster);
        const list: typeof api.reader.list = async (query, signal) => {
          const found = await api.reader.list(query, signal);
          if (query.kind === ROOT_RULES.kind && !isDone) {
            isDone = true;
            meanwhile();
          }
          return found;
        };
        return { ...api, reader: { ...api.reader, list } };
      },
    };
  });
}

afterEach(() => {
  jest.restoreAllMocks();
});

const reasons = (findings: readonly { readonly reason: string }[]) => findings.map(({ reason }) => reason);

async function reasonsAfter(mesh: FakeMesh, ...how: Parameters<FakeMesh["reconcile"]>[1][]) {
  const { summary } = await mesh.reconcile("mesh", ...how);
  return [summary.outcome, reasons(summary.findings)];
}

describe("the rule about failover", () => {
  it.each<[FailoverPolicy, readonly string[] | undefined]>([
    ["on", [REGION, CLUSTER]],
    ["zone", [REGION, CLUSTER, ZONE]],
    ["off", undefined],
  ])("comes to a new member with MESHJOIN_FAILOVER=%s", async (failover, expected) => {
    const mesh = await aMesh({ members: 2, spec: { failover } });
    await mesh.reconcile("mesh");
    expect(prioritiesOf(mesh)).toEqual([expected, expected]);
    const before = versionsOf(mesh);
    expect(await reasonsAfter(mesh)).toEqual(["unchanged", []]);
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("comes to a new member before its istiod", async () => {
    const mesh = await aMesh({ members: 1 });
    const { store } = mesh.servers[0]!;
    const sequence: string[] = [];
    const look = () => {
      if (store.get(FAILOVER_REF) !== undefined && !sequence.includes("rule")) sequence.push("rule");
      if (store.get(DEPLOYMENT) !== undefined && !sequence.includes("istiod")) sequence.push("istiod");
    };
    store.onChange(look);
    await mesh.join(mesh.clusters[0]!);
    expect(sequence).toEqual(["rule", "istiod"]);
  });

  it("comes in the run of the join where the API server takes its time to serve new definitions", async () => {
    const mesh = await aMesh({ members: 1 });
    mesh.servers[0]!.kinds.lateBy = 2;
    const { summary } = await mesh.join(mesh.clusters[0]!);
    expect([summary.outcome, prioritiesOf(mesh)]).toEqual(["created", [[REGION, CLUSTER]]]);
  });

  it.each<[string, FailoverPolicy, Parameters<FakeMesh["reconcile"]>[1], readonly string[] | undefined]>([
    ["missing", "off", {}, [REGION, CLUSTER]],
    ["of other settings", "zone", {}, [REGION, CLUSTER]],
    ["there though the configuration wants none", "on", { spec: { failover: "off" } }, undefined],
  ])("waits for a confirmation where istiod runs and it is %s", async (_, was, how, expected) => {
    const mesh = await installed(was, 2);
    const before = versionsOf(mesh);
    const waits = ["TrafficDefaultsDiffer", "TrafficDefaultsDiffer"];
    expect(await reasonsAfter(mesh, how)).toEqual(["unchanged", waits]);
    expect(await reasonsAfter(mesh, { ...how, deep: true })).toEqual(["unchanged", waits]);
    expect(versionsOf(mesh)).toEqual(before);
    const run = mesh.run(how);
    expect((await collectStatus(run)).members.map(({ findings }) => reasons(findings))).toEqual(
      waits.map((each) => [each]),
    );
    const request = { scope: "mesh", reason: "test" } as const;
    expect((await preview(run, request)).actions).toEqual([]);
    const planned = await preview(run, { ...request, ...CONFIRM });
    expect(planned.actions.map(({ object }) => object.name)).toEqual([FAILOVER_RULE, FAILOVER_RULE]);

    await mesh.reconcile("mesh", { ...how, ...CONFIRM });
    expect(prioritiesOf(mesh)).toEqual([expected, expected]);
    const after = versionsOf(mesh);
    expect(await reasonsAfter(mesh, how)).toEqual(["unchanged", []]);
    expect(versionsOf(mesh)).toEqual(after);
  });

  it("comes to one member alone where a person confirms it for that, and a plan shows it", async () => {
    const mesh = await installed("off", 2);
    const [first] = mesh.clusters.map(({ ref }) => clusterId(ref));
    const scope = { clusterId: first! };
    const planned = await preview(mesh.run(), { scope, reason: "test", ...CONFIRM });
    expect(planned.actions.map(({ object }) => object.name)).toEqual([FAILOVER_RULE]);
    expect((await mesh.reconcile(scope)).summary.outcome).toBe("unchanged");
    expect(prioritiesOf(mesh)).toEqual([undefined, undefined]);
    await mesh.reconcile(scope, CONFIRM);
    expect(prioritiesOf(mesh)).toEqual([[REGION, CLUSTER], undefined]);
  });

  it("goes off, on and off again with a confirmation each", async () => {
    const mesh = await installed("on");
    for (const failover of ["off", "on", "off"] as const) {
      await mesh.reconcile("mesh", { spec: { failover }, ...CONFIRM });
      expect(prioritiesOf(mesh)).toEqual([failover === "on" ? [REGION, CLUSTER] : undefined]);
      expect(await reasonsAfter(mesh, { spec: { failover } })).toEqual(["unchanged", []]);
    }
  });

  it("is left to one of two configurations that differ, until a person confirms", async () => {
    const mesh = await installed("on");
    for (const failover of ["zone", "on", "off", "on"] as const) {
      await mesh.reconcile("mesh", { spec: { failover } });
      expect(prioritiesOf(mesh)).toEqual([[REGION, CLUSTER]]);
    }
  });

  it("is the same after two runs at once that confirm it", async () => {
    const mesh = await installed("off", 2);
    inLockstep(mesh);
    const runs = await Promise.all([mesh.reconcile("mesh", CONFIRM), mesh.reconcile("mesh", CONFIRM)]);
    expect(runs.map(({ errors }) => errors)).toEqual([[], []]);
    expect(prioritiesOf(mesh)).toEqual([
      [REGION, CLUSTER],
      [REGION, CLUSTER],
    ]);
    expect(await reasonsAfter(mesh)).toEqual(["unchanged", []]);
  });

  it.each<[FailoverPolicy, FailoverPolicy]>([
    ["off", "on"],
    ["on", "off"],
  ])(
    "is made good by the next run where one that turns it from %s to %s dies after any write",
    async (was, failover) => {
      for (let k = 1; k <= 4; k += 1) {
        const mesh = await installed(was);
        const faults = processFaults();
        faults.onWrite(k, "dieAfter");
        const how = { spec: { failover }, ...CONFIRM };
        await mesh.reconcile("mesh", { ...how, faults }).catch((error: unknown) => {
          if (!(error instanceof ProcessDeath)) throw error;
        });
        await mesh.reconcile("mesh", how);
        expect({ k, rules: prioritiesOf(mesh) }).toEqual({
          k,
          rules: [failover === "on" ? [REGION, CLUSTER] : undefined],
        });
        expect(await reasonsAfter(mesh, how)).toEqual(["unchanged", []]);
      }
    },
  );

  it("does not come to a member whose istiod a person has deleted, before it is confirmed", async () => {
    const mesh = await installed("off");
    await mesh.reconcile("mesh", { spec: { failover: "off" } });
    mesh.servers[0]!.store.delete(DEPLOYMENT);
    await mesh.reconcile("mesh");
    expect(mesh.servers[0]!.store.get(DEPLOYMENT)).toBeDefined();
    expect(prioritiesOf(mesh)).toEqual([undefined]);
    expect(await reasonsAfter(mesh)).toEqual(["unchanged", ["TrafficDefaultsDiffer"]]);
  });

  it("does not come unasked to one whose istiod was deleted while a new certificate was not loaded yet", async () => {
    const mesh = await installed("off");
    const { store } = mesh.servers[0]!;
    const cacerts = store.get({
      apiVersion: "v1",
      kind: "Secret",
      namespace: ISTIO_NAMESPACE,
      name: "cacerts",
    })!;
    const { "meshjoin.dev/loaded-at": _, ...annotations } = cacerts.metadata.annotations ?? {};
    store.write({ ...cacerts, metadata: { ...cacerts.metadata, annotations } }, "meshjoin");
    store.delete(DEPLOYMENT);
    await mesh.reconcile("mesh");
    expect(store.get(DEPLOYMENT)).toBeDefined();
    expect(prioritiesOf(mesh)).toEqual([undefined]);
    expect(await reasonsAfter(mesh)).toEqual(["unchanged", ["TrafficDefaultsDiffer"]]);
  });

  it("keeps no cluster from joining again whose namespace was deleted: the webhook still asks istiod", async () => {
    const mesh = await installed("on");
    const { store } = mesh.servers[0]!;
    store.delete({ apiVersion: "v1", kind: "Namespace", name: ISTIO_NAMESPACE });
    expect([store.get(DEPLOYMENT), store.get(FAILOVER_REF)]).toEqual([undefined, undefined]);
    expect(await reasonsAfter(mesh)).toEqual(["created", []]);
    expect(await reasonsAfter(mesh)).toEqual(["unchanged", ["TrafficDefaultsDiffer"]]);
    await mesh.reconcile("mesh", CONFIRM);
    expect(prioritiesOf(mesh)).toEqual([[REGION, CLUSTER]]);
    expect(await reasonsAfter(mesh)).toEqual(["unchanged", []]);
  });

  it("is asked for again where a person has deleted it", async () => {
    const mesh = await installed("on");
    mesh.servers[0]!.store.delete(FAILOVER_REF);
    expect(await reasonsAfter(mesh, { deep: true })).toEqual(["unchanged", ["TrafficDefaultsDiffer"]]);
    expect(prioritiesOf(mesh)).toEqual([undefined]);
  });

  it("is taken back once by a deep run, without a confirmation, where another manager has edited it", async () => {
    const mesh = await installed("on");
    const { store } = mesh.servers[0]!;
    const edit = (host: string) =>
      store.write({ ...store.get(FAILOVER_REF)!, spec: { host } }, "kubectl-edit");
    edit("*.local");
    expect(await reasonsAfter(mesh)).toEqual(["unchanged", []]);
    expect((await mesh.reconcile("mesh", { deep: true })).summary.members[0]).toMatchObject({
      outcome: "updated",
      findings: [{ reason: "ControlPlaneEdited" }],
    });
    expect(prioritiesOf(mesh)).toEqual([[REGION, CLUSTER]]);
    edit("*.local");
    expect((await mesh.reconcile("mesh", { deep: true })).summary.members[0]).toMatchObject({
      outcome: "failed",
      findings: [{ reason: "FieldConflict" }],
    });
  });
});

describe("a rule of somebody else", () => {
  it.each(["*", "*.local", "*.cluster.local", "*.svc.cluster.local"])(
    "for %s keeps Meshjoin's away, from a new member too, and nobody is asked to confirm anything",
    async (host) => {
      const mesh = await aMesh({ members: 1 });
      createInRoot(mesh, ruleOfAnother("defaults", host));
      await mesh.reconcile("mesh");
      expect(prioritiesOf(mesh)).toEqual([undefined]);
      const before = versionsOf(mesh);
      expect(await reasonsAfter(mesh, CONFIRM)).toEqual(["unchanged", ["TrafficDefaultsForeign"]]);
      expect(versionsOf(mesh)).toEqual(before);
      expect(await reasonsAfter(mesh, { spec: { failover: "off" } })).toEqual(["unchanged", []]);
      mesh.servers[0]!.store.delete({ ...FAILOVER_REF, name: "defaults" });
      expect(await reasonsAfter(mesh)).toEqual(["unchanged", ["TrafficDefaultsDiffer"]]);
    },
  );

  it.each<[string, KubernetesObject]>([
    ["for the Services of one namespace", ruleOfAnother("defaults", "*.shop.svc.cluster.local")],
    ["for hosts outside of the mesh", ruleOfAnother("defaults", "*.example.com")],
    ["for the gateways alone", ruleOfAnother("defaults", "*.local", { exportTo: ["."] })],
  ])("%s stays beside Meshjoin's", async (_, rule) => {
    const mesh = await aMesh({ members: 1 });
    createInRoot(mesh, rule);
    await mesh.reconcile("mesh");
    expect(prioritiesOf(mesh)).toEqual([[REGION, CLUSTER]]);
    expect(await reasonsAfter(mesh)).toEqual(["unchanged", []]);
    expect(mesh.servers[0]!.store.get({ ...FAILOVER_REF, name: "defaults" })).toMatchObject(rule);
  });

  it("that has come beside Meshjoin's has its way after a confirmation", async () => {
    const mesh = await installed("on");
    mesh.servers[0]!.store.create(ruleOfAnother("defaults", "*.local"));
    expect(await reasonsAfter(mesh)).toEqual([
      "unchanged",
      ["TrafficDefaultsForeign", "TrafficDefaultsDiffer"],
    ]);
    const { findings } = (await mesh.reconcile("mesh")).summary;
    const found = findings.find(({ reason }) => reason === "TrafficDefaultsDiffer");
    expect(found?.message).toContain("takes the place of DestinationRule defaults");
    expect(found?.cure).not.toContain("MESHJOIN_FAILOVER=off");
    await mesh.reconcile("mesh", CONFIRM);
    expect(prioritiesOf(mesh)).toEqual([undefined]);
  });

  it("that goes after the look leaves Meshjoin's in its place", async () => {
    const mesh = await installed("on");
    const { store } = mesh.servers[0]!;
    store.create(ruleOfAnother("defaults", "*.local"));
    afterFirstRules(mesh, () => store.delete({ ...FAILOVER_REF, name: "defaults" }));
    const [outcome] = await reasonsAfter(mesh, CONFIRM);
    expect([outcome, prioritiesOf(mesh)]).toEqual(["unchanged", [[REGION, CLUSTER]]]);
    expect(await reasonsAfter(mesh)).toEqual(["unchanged", []]);
  });

  it("with the name of Meshjoin's is neither changed nor deleted", async () => {
    const mesh = await installed("off");
    mesh.servers[0]!.store.create(ruleOfAnother(FAILOVER_RULE, "hello.shop.svc.cluster.local"));
    const before = mesh.servers[0]!.store.get(FAILOVER_REF);
    for (const failover of ["on", "off"] as const)
      await mesh.reconcile("mesh", { spec: { failover }, deep: true, ...CONFIRM });
    expect(mesh.servers[0]!.store.get(FAILOVER_REF)).toEqual(before);
    expect(await reasonsAfter(mesh)).toEqual(["unchanged", ["TrafficDefaultsForeign"]]);
  });
});

describe("a member", () => {
  it("whose webhook does not answer fails alone, and the others get the rule", async () => {
    const mesh = await installed("off", 2);
    mesh.servers[0]!.faults.broken = ["apply DestinationRule"];
    const { summary } = await mesh.reconcile("mesh", CONFIRM);
    expect(summary.members.map(({ outcome }) => outcome)).toEqual(["waiting", "created"]);
    expect(prioritiesOf(mesh)).toEqual([undefined, [REGION, CLUSTER]]);
    expect(summary.pairs.map(({ outcome }) => outcome)).toEqual(["unchanged", "unchanged"]);
  });

  it.each<[string, "broken" | "forbidden", string, Outcome]>([
    ["are not answered", "broken", "ApiServerUnreachable", "waiting"],
    ["may not be read", "forbidden", "RunFailed", "failed"],
  ])("whose rules %s is told of, and nothing is written to it", async (_, fault, reason, outcome) => {
    const mesh = await installed("off", 2);
    mesh.servers[0]!.faults[fault] = ["list DestinationRule"];
    expect((await collectStatus(mesh.run())).members.map(({ findings }) => reasons(findings))).toEqual([
      [reason],
      ["TrafficDefaultsDiffer"],
    ]);
    expect(await reasonsAfter(mesh, CONFIRM)).toEqual([outcome, [reason]]);
    expect(prioritiesOf(mesh)).toEqual([undefined, [REGION, CLUSTER]]);
  });

  it("whose control plane is somebody else's gets no rule", async () => {
    const mesh = await installed("on");
    const { store } = mesh.servers[0]!;
    store.delete(FAILOVER_REF);
    const { labels: _, ...metadata } = store.get(DEPLOYMENT)!.metadata;
    store.write({ ...store.get(DEPLOYMENT)!, metadata: { ...metadata, labels: { app: "istiod" } } }, "helm");
    await mesh.reconcile("mesh", { ...CONFIRM, deep: true });
    expect(prioritiesOf(mesh)).toEqual([undefined]);
  });

  it("that leaves keeps the rule, as it keeps its istiod", async () => {
    const mesh = await installed("on", 2);
    const [leaver] = mesh.clusters;
    mesh.directory.put({ ...leaver!, labels: {} });
    await mesh.reconcile("mesh", { leaving: [clusterId(leaver!.ref)] });
    expect(prioritiesOf(mesh)[0]).toEqual([REGION, CLUSTER]);
  });
});

import { describe, expect, it } from "@jest/globals";
import { clusterId } from "../../../shared/core/names.ts";
import { sentenceTime } from "../../../shared/core/time.ts";
import { UnavailableError } from "../../../shared/errors.ts";
import { RECORD } from "../../../shared/istio/record-config-map.ts";
import { lookAtMesh } from "../../../shared/look/mesh.ts";
import { record } from "../../../shared/phases/record.ts";
import { planFirst } from "../../../shared/plan/mesh.ts";
import { planContext } from "../../../shared/plan-context.ts";
import { preview } from "../../../shared/preview.ts";
import { reconcile } from "../../../shared/reconcile.ts";
import { merge } from "../../../shared/report.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { isRecordOfRuns, objectsOf, versionsOf } from "./world.ts";

const HOUR = 3600;
const WHOLE = { scope: "mesh", reason: "test" } as const;

const records = (mesh: FakeMesh) => objectsOf(mesh).filter(isRecordOfRuns);

/** What the functions do every ten minutes. */
async function noted(mesh: FakeMesh, notedAs: "full" | "tick" = "full") {
  return await reconcile(mesh.run(), { ...WHOLE, rollOut: true, notedAs });
}

describe("a join that fails", () => {
  it("is shown by status and plan with its real cure, until it succeeds", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    const third = aCluster({ name: "m3" });
    mesh.add(third);
    await mesh.roots.disable(1);
    await mesh.join(third);

    const id = clusterId(third.ref);
    const failure = expect.objectContaining({ reason: "RunFailed", severity: "error", cure: "enable it" });
    const member = (await collectStatus(mesh.run())).members.find((each) => each.clusterId === id);
    expect(member?.findings).toContainEqual(failure);
    expect((await preview(mesh.run(), WHOLE)).findings).toContainEqual(failure);

    mesh.roots.enable(1);
    await mesh.join(third);
    const mended = (await collectStatus(mesh.run())).members.find((each) => each.clusterId === id);
    expect(mended?.findings.map(({ reason }) => reason)).not.toContain("RunFailed");
  });

  it("is no trouble of another member", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    const third = aCluster({ name: "m3" });
    mesh.add(third);
    await mesh.roots.disable(1);
    await mesh.join(third);
    const { members } = await collectStatus(mesh.run());
    expect(members.slice(0, 2).flatMap(({ findings }) => findings)).toEqual([]);
  });
});

describe("the runs of the functions", () => {
  it("are noted on one member, once an hour; the runs between write nothing", async () => {
    const mesh = await aMesh({ members: 2 });
    await noted(mesh);
    await noted(mesh);
    const before = versionsOf(mesh);
    mesh.clock.advance(HOUR / 2);
    await noted(mesh);
    expect(versionsOf(mesh)).toEqual(before);
    mesh.clock.advance(HOUR / 2);
    await noted(mesh);
    const changed = versionsOf(mesh).filter((version) => !before.includes(version));
    expect(changed.map((version) => version.split(" ")[1])).toEqual([RECORD.name]);
  });

  it("are told by status, and their silence is a warning of a mesh that is old enough", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    expect((await collectStatus(mesh.run())).runs).toEqual({ full: "unknown", tick: "unknown" });
    await noted(mesh);
    await noted(mesh, "tick");
    const at = mesh.clock.now().toISOString();
    const { runs, findings } = await collectStatus(mesh.run());
    expect(runs).toMatchObject({ full: { at, outcome: "unchanged" }, tick: { at } });
    expect(findings).toEqual([]);
    mesh.clock.advance(3 * HOUR);
    await noted(mesh, "tick");
    const silent = (await collectStatus(mesh.run())).findings;
    expect(silent).toMatchObject([
      {
        reason: "RunSilent",
        message: `the functions have noted no full run since ${sentenceTime(at)}`,
        cure: `see why: gcloud logging read --project=shop --freshness=6h --limit=20 'resource.labels.service_name="sync-mesh"'; or see that the scheduler's job is enabled; by hand: meshjoin sync`,
      },
    ]);
  });
});

describe("a member that does not answer", () => {
  const silent = (mesh: FakeMesh, index: number, isSilent = true) => {
    mesh.servers[index]!.faults.unreachable = isSilent;
  };
  const saidOf = (findings: readonly { readonly reason: string; readonly message: string }[]) =>
    findings.filter(({ reason }) => reason === "ApiServerUnreachable").map(({ message }) => message);
  const statusOf = async (mesh: FakeMesh, index: number) =>
    saidOf((await collectStatus(mesh.run())).members[index]?.findings ?? []);
  const notes = (mesh: FakeMesh) => records(mesh).map(({ data }) => JSON.stringify(data).includes("silent"));
  const since = (date: Date) => [expect.stringContaining(`, since ${sentenceTime(date)} at the latest: `)];

  it("is told of with the time since when, by status and by every look of a run, until it answers", async () => {
    const mesh = await aMesh({ members: 3 });
    await noted(mesh);
    silent(mesh, 1);
    expect(await statusOf(mesh, 1)).toEqual([expect.not.stringContaining("at the latest")]);
    const began = mesh.clock.now();
    await noted(mesh);
    expect(notes(mesh)).toEqual([true, false, false]);
    mesh.clock.advance(600);
    const before = versionsOf(mesh);
    const { summary } = await noted(mesh);
    expect(versionsOf(mesh)).toEqual(before);
    expect(await statusOf(mesh, 1)).toEqual(since(began));
    const told = [...summary.findings, ...summary.members.flatMap(({ findings }) => findings)];
    expect(new Set(saidOf(told))).toEqual(new Set(since(began)));
    mesh.add(aCluster({ name: "m4" }));
    const joined = await noted(mesh);
    expect(saidOf(joined.summary.findings)).toEqual(since(began));
    silent(mesh, 1, false);
    await noted(mesh);
    expect(notes(mesh)).not.toContain(true);
  });

  it("has no older time than that of its last silence, whoever has kept the notes", async () => {
    const mesh = await aMesh({ members: 3 });
    await noted(mesh);
    silent(mesh, 2);
    await noted(mesh);
    silent(mesh, 0);
    silent(mesh, 2, false);
    mesh.clock.advance(600);
    await noted(mesh);
    silent(mesh, 2);
    mesh.clock.advance(600);
    const again = mesh.clock.now();
    await noted(mesh);
    silent(mesh, 0, false);
    expect(await statusOf(mesh, 2)).toEqual(since(again));
    silent(mesh, 2, false);
    await noted(mesh);
    expect(notes(mesh)).not.toContain(true);
  });

  it("has no time of a person's sync or of one that is yet to come", async () => {
    const mesh = await aMesh({ members: 2 });
    await noted(mesh);
    silent(mesh, 1);
    await mesh.reconcile("mesh");
    expect(notes(mesh)).not.toContain(true);
    mesh.clock.advance(3600);
    await noted(mesh);
    mesh.clock.advance(-3000);
    expect(await statusOf(mesh, 1)).toEqual([expect.not.stringContaining("at the latest")]);
  });
});

describe("the record", () => {
  it("may be deleted, and may be nonsense, without harm", async () => {
    const mesh = await aMesh({ members: 2 });
    await noted(mesh);
    expect(records(mesh)).toHaveLength(2);
    mesh.servers[0]!.store.delete(RECORD);
    const other = mesh.servers[1]!.store.get(RECORD);
    mesh.servers[1]!.store.write({ ...other!, data: { "record.json": "{" } }, "kubectl");
    expect((await noted(mesh)).summary).toMatchObject({ outcome: "unchanged", findings: [] });
    expect((await collectStatus(mesh.run())).runs.full).toMatchObject({ outcome: "unchanged" });
  });

  it("is left alone where it is another owner's, and stops nothing", async () => {
    const mesh = await aMesh({ members: 1 });
    await mesh.reconcile("mesh");
    const { store } = mesh.servers[0]!;
    store.delete(RECORD);
    const { name, namespace = "" } = RECORD;
    store.create({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace },
      data: { "record.json": "mine" },
    });
    const { summary } = await noted(mesh);
    expect(summary.outcome).toBe("unchanged");
    expect(store.get(RECORD)?.["data"]).toEqual({ "record.json": "mine" });
  });

  it("says what was done, without a key", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    const { lately } = await collectStatus(mesh.run());
    expect(lately[0]?.what).toMatch(/^its own half was created.*; 1 remote secret was created$/);
    expect(JSON.stringify(records(mesh))).not.toMatch(/BEGIN|eyJ/);
  });
});

describe("a cluster that has left and runs on", () => {
  it("is listed until its CA ends, or until it is a member again", async () => {
    const mesh = await aMesh({ members: 3 });
    await mesh.reconcile("mesh");
    const leaver = mesh.clusters[2]!;
    const id = clusterId(leaver.ref);
    mesh.directory.put({ ...leaver, labels: {} });
    const since = mesh.clock.now().toISOString();
    await mesh.reconcile("mesh", { leaving: [id] });
    const left = async () => (await collectStatus(mesh.run())).left;
    const [listed] = await left();
    expect(listed).toEqual({ clusterId: id, since, trustedUntil: expect.any(String) });
    mesh.clock.advance((new Date(listed!.trustedUntil!).getTime() - mesh.clock.now().getTime()) / 1000 - 1);
    expect(await left()).toHaveLength(1);
    mesh.clock.advance(2);
    expect(await left()).toEqual([]);
  });

  it("is listed, too, if no root signed when it left", async () => {
    const mesh = await aMesh({ members: 3 });
    await mesh.reconcile("mesh");
    const leaver = mesh.clusters[2]!;
    const id = clusterId(leaver.ref);
    mesh.directory.put({ ...leaver, labels: {} });
    mesh.roots.failNext(new UnavailableError("no answer", { code: "Unavailable" }));
    await mesh.reconcile("mesh", { leaving: [id] }).catch(() => undefined);
    await mesh.reconcile("mesh");
    expect((await collectStatus(mesh.run())).left).toMatchObject([{ clusterId: id }]);
  });

  it("stays listed when an older run, which began before, writes its record last", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    const leaver = mesh.clusters[1]!;
    const id = clusterId(leaver.ref);
    mesh.directory.put({ ...leaver, labels: {} });
    const run = mesh.run();
    const first = await lookAtMesh(run, "mesh");
    await mesh.reconcile("mesh", { leaving: [id] });
    await record(run, {
      request: { ...WHOLE, notedAs: "full" },
      mesh: first,
      plan: planFirst(first, planContext(run, WHOLE)),
      report: merge(),
    });
    expect((await collectStatus(mesh.run())).left).toMatchObject([{ clusterId: id }]);
  });

  it("is not listed once it is back", async () => {
    const mesh = await aMesh({ members: 3 });
    await mesh.reconcile("mesh");
    const leaver = mesh.clusters[2]!;
    mesh.directory.put({ ...leaver, labels: {} });
    await mesh.reconcile("mesh", { leaving: [clusterId(leaver.ref)] });
    mesh.directory.put(leaver);
    await mesh.reconcile("mesh");
    expect((await collectStatus(mesh.run())).left).toEqual([]);
  });
});

import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { connectPair } from "../../../shared/apply/connect.ts";
import type { Finding } from "../../../shared/core/answers/finding.ts";
import { isReachable } from "../../../shared/core/member/observation.ts";
import { annotation, clusterId, ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import { observeMember } from "../../../shared/look/member.ts";
import { planPairs } from "../../../shared/plan/pair.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import { preview } from "../../../shared/preview.ts";
import type { Progress } from "../../../shared/progress.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aPairContext } from "../../support/builders/member.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { MANIFEST_TEMPLATE } from "../../support/fixtures/manifest-template.ts";
import {
  contentsFromNow,
  expectJoined,
  fileOf,
  inLockstep,
  secretsOf,
  versionsOf,
  waitShortly,
} from "./world.ts";

const DAY = 86_400;

it("the status tells when the next renewal is due: a run before it writes nothing, one at it renews", async () => {
  const mesh = await twoMembers();
  const due = new Date((await collectStatus(mesh.run())).nextRenewal ?? "");
  const before = versionsOf(mesh);
  mesh.clock.advance((due.getTime() - mesh.clock.now().getTime()) / 1000 - 60);
  expect((await mesh.reconcile("mesh")).summary.outcome).toBe("unchanged");
  mesh.clock.advance(120);
  expect((await mesh.reconcile("mesh")).summary.outcome).toBe("updated");
  expect(versionsOf(mesh)).not.toEqual(before);
  const next = new Date((await collectStatus(mesh.run())).nextRenewal ?? "");
  expect(next.getTime()).toBeGreaterThan(due.getTime());
});

afterEach(() => {
  jest.restoreAllMocks();
});

async function twoMembers(): Promise<FakeMesh> {
  const mesh = await aMesh({ members: 2 });
  await mesh.reconcile("mesh");
  return mesh;
}

function ofFirst(mesh: FakeMesh, prefix: string): KubernetesObject {
  const found = secretsOf(mesh, mesh.clusters[0]!).find(({ metadata }) => metadata.name.startsWith(prefix));
  if (found === undefined) throw new Error(`no Secret ${prefix}…`);
  return found;
}

function withImageTag(object: KubernetesObject, tag: string): KubernetesObject {
  if (object.kind !== "Deployment") return object;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same object with another image
  return JSON.parse(JSON.stringify(object).replace("/pilot:1.31.4", `/pilot:${tag}`)) as KubernetesObject;
}

function tokenOf(secret: KubernetesObject): string {
  const kubeconfig = fileOf(secret, secret.metadata.name.replace("istio-remote-secret-", ""));
  return /token: (?<token>\S+)/.exec(kubeconfig)?.groups?.["token"] ?? "";
}

describe("a token", () => {
  it("is left alone for half of its life", async () => {
    const mesh = await twoMembers();
    const before = versionsOf(mesh);
    mesh.clock.advance(3.4 * DAY);
    expect((await mesh.reconcile("mesh")).summary.outcome).toBe("unchanged");
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("is renewed in place, and the one before goes on being accepted", async () => {
    const mesh = await twoMembers();
    const before = ofFirst(mesh, "istio-remote-secret-");
    const standIn = ofFirst(mesh, "meshjoin-reader-");
    mesh.clock.advance(5 * DAY);
    const { summary } = await mesh.reconcile("mesh");
    expect(summary.pairs.map(({ outcome }) => outcome)).toEqual(["updated", "updated"]);

    const after = ofFirst(mesh, "istio-remote-secret-");
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(tokenOf(after)).not.toBe(tokenOf(before));
    expect(ofFirst(mesh, "meshjoin-reader-")).toEqual(standIn);
    expect(mesh.servers[1]!.accepts(tokenOf(before))).toBe(true);
    await expectJoined(mesh);
  });

  it("of a target that refuses tokens holds up no other: as many are renewed as are to be, and in time", async () => {
    const mesh = await aMesh({ members: 4 });
    await mesh.reconcile("mesh");
    const refusing = clusterId(mesh.clusters[0]!.ref);
    mesh.servers[0]!.faults.forbidden = ["tokenRequest"];
    const issued = () =>
      mesh.clusters.flatMap((cluster) =>
        secretsOf(mesh, cluster).flatMap(({ metadata: { name, annotations } }) =>
          name.startsWith("istio-remote-secret-") && !name.endsWith(refusing)
            ? [annotations?.[annotation("token-issued-at")]]
            : [],
        ),
      );
    const before = issued();
    mesh.clock.advance(5 * DAY);
    const { summary } = await mesh.reconcile("mesh");
    const renewed = summary.pairs.filter(({ outcome }) => outcome === "updated");
    expect(renewed.map(({ reader }) => reader)).toEqual(mesh.clusters.map(({ ref }) => clusterId(ref)));
    for (let run = 0; run < 3; run += 1) await mesh.reconcile("mesh");
    expect(issued().filter((at) => before.includes(at))).toEqual([]);
  });

  it("of a target whose istiod is down is renewed, so that its readers keep it", async () => {
    waitShortly();
    const mesh = await aMesh({ members: 3 });
    await mesh.reconcile("mesh");
    const down = mesh.clusters[0]!;
    const { istiod, store } = mesh.servers[0]!;
    istiod.readyAfterMs = Number.POSITIVE_INFINITY;
    const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: ISTIO_NAMESPACE, name: "istiod" };
    store.write({ ...store.get(ref)!, status: { replicas: 1 } }, "kube-controller-manager");
    for (let days = 0; days < 20; days += 2) {
      mesh.clock.advance(2 * DAY);
      await mesh.reconcile("mesh");
    }
    const tokens = mesh.clusters.slice(1).map((reader) => {
      const name = `istio-remote-secret-${clusterId(down.ref)}`;
      return tokenOf(secretsOf(mesh, reader).find(({ metadata }) => metadata.name === name)!);
    });
    expect(tokens.map((token) => mesh.servers[0]!.accepts(token))).toEqual([true, true]);
  });

  it("near its end is renewed with all others that are, whatever their number", async () => {
    const mesh = await aMesh({ members: 4 });
    await mesh.reconcile("mesh");
    mesh.clock.advance(5.5 * DAY);
    const { summary } = await mesh.reconcile("mesh");
    expect(summary.pairs.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 12 }, () => "updated"));
    await expectJoined(mesh);
  });

  it("is renewed once, though ten runs come at once", async () => {
    const mesh = await twoMembers();
    mesh.clock.advance(5 * DAY);
    inLockstep(mesh);
    const { name } = ofFirst(mesh, "istio-remote-secret-").metadata;
    const written = contentsFromNow(mesh, mesh.clusters[0]!, name);
    const runs = await Promise.all(Array.from({ length: 10 }, () => mesh.reconcile("mesh")));
    expect(written.size).toBe(2);
    for (const { errors } of runs) expect(errors.every(({ code }) => code === "Conflict")).toBe(true);
    expect((await mesh.reconcile("mesh")).summary.outcome).toBe("unchanged");
    await expectJoined(mesh);
  });

  it("is renewed by what was granted, not by what was asked for", async () => {
    const mesh = await aMesh({ members: 2 });
    for (const server of mesh.servers) server.capTokens(DAY);
    await mesh.reconcile("mesh");
    const expiry = ofFirst(mesh, "istio-remote-secret-").metadata.annotations?.[
      annotation("token-expires-at")
    ];
    expect(expiry).toBe("2026-03-02T12:00:00.000Z");
    mesh.clock.advance(0.8 * DAY);
    const { summary } = await mesh.reconcile("mesh");
    expect(summary.pairs.map(({ outcome }) => outcome)).toEqual(["updated", "updated"]);
  });

  it("is not renewed while istiod is still syncing", async () => {
    const mesh = await twoMembers();
    const before = ofFirst(mesh, "istio-remote-secret-");
    mesh.clock.advance(5 * DAY);
    mesh.servers[0]!.istiod.syncsAfterMs = Number.POSITIVE_INFINITY;
    const { retry, errors } = await mesh.join(mesh.clusters[0]!, { signal: AbortSignal.timeout(300) });
    expect(retry).toBe(true);
    expect(errors.map(({ code }) => code)).toEqual(["PairSyncing"]);
    expect(ofFirst(mesh, "istio-remote-secret-")).toEqual(before);
  });

  it("is not renewed while istiod is still syncing another cluster", async () => {
    const mesh = await aMesh({ members: 3 });
    await mesh.reconcile("mesh");
    const [reader] = mesh.clusters;
    const contents = () =>
      secretsOf(mesh, reader!)
        .filter(({ metadata }) => metadata.name.startsWith("istio-remote-secret-"))
        .map((secret) => tokenOf(secret));
    const before = contents();
    mesh.clock.advance(5 * DAY);
    const report = ({ step, clusterId: id }: Progress) => {
      if (step === "connect" && id === clusterId(reader!.ref)) {
        mesh.servers[0]!.istiod.syncsNoMore = true;
      }
    };
    await mesh.reconcile("mesh", { report, signal: AbortSignal.timeout(500) });
    const renewed = contents();
    expect(renewed.filter((token) => !before.includes(token))).toHaveLength(1);

    const { errors } = await mesh.reconcile("mesh", { signal: AbortSignal.timeout(500) });
    expect(errors.map(({ code }) => code)).toContain("PairSyncing");
    expect(contents()).toEqual(renewed);
    mesh.servers[0]!.istiod.syncsNoMore = false;
    await mesh.reconcile("mesh");
    expect(contents().filter((token) => before.includes(token))).toEqual([]);
  });

  it("that is dead is renewed although istiod is still syncing", async () => {
    const mesh = await twoMembers();
    const [, second] = mesh.servers;
    for (const { metadata, apiVersion, kind } of secretsOf(mesh, mesh.clusters[1]!)) {
      if (!metadata.name.startsWith("meshjoin-reader-")) continue;
      second!.store.delete({ apiVersion, kind, namespace: ISTIO_NAMESPACE, name: metadata.name });
    }
    const before = ofFirst(mesh, "istio-remote-secret-");
    expect(second!.accepts(tokenOf(before))).toBe(false);
    const { retry, errors } = await mesh.join(mesh.clusters[0]!);
    expect({ retry, errors }).toEqual({ retry: false, errors: [] });
    expect(ofFirst(mesh, "istio-remote-secret-").metadata.uid).toBe(before.metadata.uid);
    await expectJoined(mesh);
  });
});

describe("a remote secret", () => {
  it("follows the address of its target", async () => {
    const mesh = await twoMembers();
    const [first, second] = mesh.clusters;
    const { dns: _, ...endpoints } = second!.endpoints;
    mesh.directory.put({ ...second!, endpoints });
    const { summary, retry } = await mesh.join(first!);
    expect(retry).toBe(false);
    expect(summary.pairs.map(({ outcome }) => outcome).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      "unchanged",
      "updated",
    ]);
    const secret = ofFirst(mesh, "istio-remote-secret-");
    expect(fileOf(secret, secret.metadata.name.replace("istio-remote-secret-", ""))).toContain(
      endpoints.public?.server,
    );
  });
});

/** As an operator has it done who has a single member in mind. */
const sync = (mesh: FakeMesh, process: Parameters<FakeMesh["reconcile"]>[1]) =>
  mesh.reconcile({ clusterId: clusterId(mesh.clusters[0]!.ref) }, process);

describe("a changed manifest", () => {
  it("is applied, and leaves to istiod what istiod has set", async () => {
    const mesh = await twoMembers();
    const { store } = mesh.servers[0]!;
    const webhooks = () =>
      store
        .list({ apiVersion: "", kind: "ValidatingWebhookConfiguration" })
        .map(({ webhooks: each, metadata }) => ({ webhooks: each, generation: metadata.generation }));
    const before = webhooks();
    expect(JSON.stringify(before)).toContain('"failurePolicy":"Fail"');
    const template = { ...MANIFEST_TEMPLATE, digest: "fixture-2" };
    const { summary } = await sync(mesh, { template });
    expect(summary.outcome).toBe("updated");
    expect(webhooks()).toEqual(before);
    await expectJoined(mesh);
    const versions = versionsOf(mesh);
    await sync(mesh, { template });
    expect(versionsOf(mesh)).toEqual(versions);
  });

  it("of another Istio waits to be confirmed", async () => {
    const mesh = await twoMembers();
    const before = versionsOf(mesh);
    const template = { ...MANIFEST_TEMPLATE, release: "1.32.0", tag: "1.32.0", digest: "fixture-3" };
    const { summary, retry } = await sync(mesh, { template });
    expect(retry).toBe(false);
    expect(summary.members[0]?.findings).toMatchObject([{ reason: "IstioVersionDiffers" }]);
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("of a flavoured image is applied: the tag is the version, and the release that of the CRDs", async () => {
    const tag = "1.31.4-distroless";
    const objects = MANIFEST_TEMPLATE.objects.map((object) => withImageTag(object, tag));
    const flavoured = { ...MANIFEST_TEMPLATE, tag, objects };
    const mesh = await aMesh({ members: 1 });
    const join = (digest: string) => sync(mesh, { template: { ...flavoured, digest } });
    expect((await join("flavoured-1")).summary.members).toMatchObject([{ outcome: "created", findings: [] }]);
    const { summary } = await join("flavoured-2");
    expect(summary.members[0]).toMatchObject({ outcome: "updated" });
    expect(summary.members[0]?.findings.map(({ reason }) => reason)).not.toContain("IstioVersionDiffers");
    const crds = mesh.servers[0]!.store.list({ apiVersion: "", kind: "CustomResourceDefinition" });
    expect(crds.length).toBeGreaterThan(0);
    expect(new Set(crds.map(({ metadata }) => metadata.annotations?.[annotation("istio-version")]))).toEqual(
      new Set(["1.31.4"]),
    );
  });

  it("takes back a field of an object of ours that somebody edited", async () => {
    const mesh = await twoMembers();
    const { store } = mesh.servers[0]!;
    const service = { apiVersion: "v1", kind: "Service", namespace: ISTIO_NAMESPACE, name: "istiod" };
    const desired = store.get(service);
    store.apply(
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "istiod", namespace: ISTIO_NAMESPACE },
        spec: { selector: { app: "other" }, sessionAffinity: "ClientIP" },
      },
      { manager: "kubectl", force: true },
    );
    await sync(mesh, { template: { ...MANIFEST_TEMPLATE, digest: "fixture-4" } });
    expect(store.get(service)?.["spec"]).toEqual({
      ...Object(desired?.["spec"]),
      sessionAffinity: "ClientIP",
    });
  });
});

describe("a token that has used up three quarters of its life", () => {
  const expiring = ({ findings }: { readonly findings: readonly Finding[] }) =>
    findings.filter(({ reason }) => reason === "TokenExpiring").map((each) => each.clusterId);

  it("is renewed without a word, and until then status says so", async () => {
    const mesh = await twoMembers();
    const [one, other] = mesh.clusters.map(({ ref }) => clusterId(ref));
    mesh.clock.advance(6 * DAY);
    expect(expiring(await collectStatus(mesh.run()))).toEqual([one, other]);
    expect(expiring(await preview(mesh.run(), { scope: "mesh", reason: "test" }))).toEqual([]);
    expect(expiring((await mesh.reconcile("mesh")).summary)).toEqual([]);
    expect(expiring(await collectStatus(mesh.run()))).toEqual([]);
  });

  it("is told of in each run while what it is for cannot be reached", async () => {
    const mesh = await twoMembers();
    const [one] = mesh.clusters.map(({ ref }) => clusterId(ref));
    mesh.clock.advance(6 * DAY);
    mesh.servers[1]!.faults.unreachable = true;
    expect(expiring((await mesh.reconcile("mesh")).summary)).toEqual([one]);
    expect(expiring(await preview(mesh.run(), { scope: "mesh", reason: "test" }))).toEqual([one]);
    expect(expiring(await collectStatus(mesh.run()))).toEqual([one]);
    mesh.servers[1]!.faults.unreachable = false;
    expect(expiring((await mesh.reconcile("mesh")).summary)).toEqual([]);
  });

  it("is told of when its renewal fails", async () => {
    const mesh = await twoMembers();
    const [one] = mesh.clusters.map(({ ref }) => clusterId(ref));
    mesh.clock.advance(6 * DAY);
    mesh.servers[0]!.istiod.syncsAfterMs = Number.POSITIVE_INFINITY;
    const { summary, errors } = await mesh.reconcile("mesh", { signal: AbortSignal.timeout(300) });
    expect(errors.map(({ code }) => code)).toContain("PairSyncing");
    expect(expiring(summary)).toContain(one);
  });
});

describe("a reader Secret that another run has just made", () => {
  it("is found when it is needed, and the remote secret that names it is left alone", async () => {
    const mesh = await twoMembers();
    const run = mesh.run();
    const seen = await Promise.all(
      mesh.clusters.map((cluster) => observeMember(run, cluster, { depth: "peer", signal: run.signal })),
    );
    const [reader, target] = seen.filter(isReachable);
    // The target was seen a moment before the other run got there.
    const stale = { ...target!, state: { ...target!.state, readerSecrets: [] } };
    const members = [reader!, stale];
    const context = { ...aPairContext(seen, { spec: run.spec, now: mesh.clock.now() }), members };
    const plans = planPairs(new Set([reader!.clusterId]), context);
    const action = plans.find((plan) => plan.reader === reader!.clusterId)?.action;
    const before = versionsOf(mesh);
    expect(
      await connectPair(run.ports, run.spec, { reader: reader!, target: stale }, action!, run.signal),
    ).toBe(false);
    expect(versionsOf(mesh)).toEqual(before);
  });
});

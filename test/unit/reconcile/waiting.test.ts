import { describe, expect, it } from "@jest/globals";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId, ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import { UnavailableError } from "../../../shared/errors.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { expectJoined } from "./world.ts";

/** Instead of the minute that a run waits at most. */
const soon = () => ({ signal: AbortSignal.timeout(300) });
const reasonsOf = (findings: readonly { readonly reason: string }[]) => [
  ...new Set(findings.map(({ reason }) => reason)),
];
const ISTIOD_DEPLOYMENT = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  namespace: ISTIO_NAMESPACE,
  name: "istiod",
};
const NEWCOMER = aCluster({ name: "newcomer" });

async function twoMembersAndANewcomer(): Promise<FakeMesh & { readonly peer: Cluster }> {
  const mesh = await aMesh({ members: 2 });
  await mesh.reconcile("mesh");
  mesh.add(NEWCOMER);
  return Object.assign(mesh, { peer: mesh.clusters[0]! });
}

const pairsWith = (
  summary: { pairs: readonly { reader: string; target: string; outcome: string }[] },
  peer: Cluster,
) =>
  summary.pairs
    .filter(({ reader, target }) => [reader, target].includes(clusterId(peer.ref)))
    .map(({ outcome }) => outcome);

describe("a member that cannot be reached", () => {
  it("stops no other and asks for no redelivery, and is paired once it can", async () => {
    const mesh = await twoMembersAndANewcomer();
    const server = mesh.fleet.server(mesh.peer);
    server.faults.unreachable = true;
    const { summary, retry } = await mesh.join(NEWCOMER);
    expect(retry).toBe(false);
    expect(reasonsOf(summary.findings)).toEqual(["ApiServerUnreachable"]);
    expect(summary.findings).toHaveLength(1);
    expect(pairsWith(summary, mesh.peer)).toEqual(["waiting", "waiting"]);
    expect(pairsWith(summary, mesh.clusters[1]!)).toEqual(["created", "created"]);

    server.faults.unreachable = false;
    expect(await mesh.join(NEWCOMER)).toMatchObject({ retry: false });
    await expectJoined(mesh);
  });

  it("is named when it refuses, too", async () => {
    const mesh = await twoMembersAndANewcomer();
    mesh.fleet.server(mesh.peer).faults.forbidden = ["list"];
    const { summary, retry } = await mesh.join(NEWCOMER);
    expect(retry).toBe(false);
    expect(pairsWith(summary, mesh.peer)).toEqual(["waiting", "waiting"]);
    expect(pairsWith(summary, mesh.clusters[1]!)).toEqual(["created", "created"]);
  });

  it("fails its own pair alone when it refuses tokens", async () => {
    const mesh = await twoMembersAndANewcomer();
    mesh.fleet.server(mesh.peer).faults.forbidden = ["tokenRequest"];
    const { summary, errors } = await mesh.join(NEWCOMER);
    expect(errors.map(({ code }) => code)).toEqual(["Forbidden"]);
    expect(pairsWith(summary, mesh.peer).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(["created", "failed"]);
    expect(pairsWith(summary, mesh.clusters[1]!)).toEqual(["created", "created"]);
  });
});

describe("a cluster that was whole a moment ago", () => {
  /** Does it when the run has seen the newcomer's istiod ready, before it reads any pair. */
  const whenReady = (upset: () => void) => ({
    report: ({ step }: { readonly step: string }) => {
      if (step === "istiodReady") upset();
    },
  });
  const expectComesAgain = async (mesh: FakeMesh, run: Parameters<FakeMesh["join"]>[1]) => {
    const { summary, retry } = await mesh.join(NEWCOMER, { ...run, ...soon() });
    expect(retry).toBe(true);
    expect(summary.members[0]).toMatchObject({ clusterId: clusterId(NEWCOMER.ref), outcome: "waiting" });
    return summary;
  };
  const expectCompletes = async (mesh: FakeMesh) => {
    expect(await mesh.join(NEWCOMER)).toMatchObject({ retry: false, errors: [] });
    await expectJoined(mesh);
  };

  it("has its event come again when its API server is gone before its pairs are made", async () => {
    const mesh = await twoMembersAndANewcomer();
    const { faults } = mesh.fleet.server(NEWCOMER);
    const summary = await expectComesAgain(
      mesh,
      whenReady(() => {
        faults.unreachable = true;
      }),
    );
    expect(reasonsOf(summary.members[0]?.findings ?? [])).toContain("ApiServerUnreachable");
    faults.unreachable = false;
    await expectCompletes(mesh);
  });

  it("has its event come again when its only istiod is not ready any more", async () => {
    const mesh = await twoMembersAndANewcomer();
    const { store } = mesh.fleet.server(NEWCOMER);
    const pods = { apiVersion: "v1", kind: "Pod", namespace: ISTIO_NAMESPACE };
    const setReady = (status: string) => {
      const [pod] = store.list(pods);
      store.write({ ...pod!, status: { conditions: [{ type: "Ready", status }] } }, "kubelet");
    };
    await expectComesAgain(
      mesh,
      whenReady(() => setReady("False")),
    );
    setReady("True");
    await expectCompletes(mesh);
  });

  it("is paired though the second list of clusters fails, and the failure is named", async () => {
    const mesh = await twoMembersAndANewcomer();
    const error = new UnavailableError("no answer; try again", { code: "Unavailable" });
    const { summary, retry } = await mesh.join(
      NEWCOMER,
      whenReady(() => mesh.directory.failNext(error)),
    );
    expect(retry).toBe(false);
    expect(reasonsOf(summary.findings)).toEqual(["ListingIncomplete"]);
    await expectJoined(mesh);
  });

  it("is paired though its location is missing from the second list", async () => {
    const mesh = await twoMembersAndANewcomer();
    const run = whenReady(() => mesh.directory.missing([NEWCOMER.ref.location]));
    const { summary, retry } = await mesh.join(NEWCOMER, run);
    expect(retry).toBe(false);
    expect(reasonsOf(summary.findings)).toEqual(["ListingIncomplete"]);
    await expectJoined(mesh);
  });

  it("has its event come again when the second list does not hold it", async () => {
    const mesh = await twoMembersAndANewcomer();
    await expectComesAgain(
      mesh,
      whenReady(() => mesh.directory.delete(NEWCOMER.ref)),
    );
    mesh.directory.put(NEWCOMER);
    await expectCompletes(mesh);
  });
});

describe("a project that refuses", () => {
  const elsewhere = aCluster({ project: "shop-europe", name: "newcomer" });
  const meshOf = async (projects: readonly string[], refused: string) => {
    const mesh = await aMesh({ clusters: [elsewhere], spec: { projects } });
    mesh.directory.refuse(refused);
    return mesh;
  };

  it("is named, and stops no cluster of another project", async () => {
    const mesh = await meshOf(["shop", "shop-europe"], "shop");
    const { summary, retry } = await mesh.join(elsewhere);
    expect(retry).toBe(false);
    expect(reasonsOf(summary.findings)).toEqual(["ListingIncomplete"]);
    await expectJoined(mesh);
  });

  it("stops everything if there is no other", async () => {
    const mesh = await meshOf(["shop-europe"], "shop-europe");
    await expect(mesh.join(elsewhere)).rejects.toMatchObject({ code: "PermissionDenied", retryable: false });
  });
});

describe("a run that is out of time", () => {
  it("has its event come again, whatever it has found", async () => {
    const mesh = await twoMembersAndANewcomer();
    const time = new AbortController();
    const { retry } = await mesh.join(NEWCOMER, {
      signal: time.signal,
      report: ({ step }) => {
        if (step === "istiodReady") time.abort();
      },
    });
    expect(retry).toBe(true);
  });
});

describe("an istiod that Meshjoin may not look at", () => {
  it("fails the cluster itself at once, because asking again does not help", async () => {
    const mesh = await aMesh({ members: 1 });
    mesh.servers[0]!.faults.forbidden = ["portForward"];
    const { summary, retry, errors } = await mesh.join(mesh.clusters[0]!);
    expect(summary.members[0]).toMatchObject({ outcome: "failed" });
    expect(reasonsOf(summary.members[0]?.findings ?? [])).toContain("RunFailed");
    expect(errors.map(({ code }) => code)).toEqual(["Forbidden"]);
    expect(retry).toBe(false);

    mesh.servers[0]!.faults.forbidden = [];
    expect(await mesh.join(mesh.clusters[0]!)).toMatchObject({ retry: false, errors: [] });
    await expectJoined(mesh);
  });

  it("fails the pair in which it reads, and no other", async () => {
    const mesh = await twoMembersAndANewcomer();
    mesh.fleet.server(mesh.peer).faults.forbidden = ["portForward"];
    const { summary, retry } = await mesh.join(NEWCOMER);
    expect(retry).toBe(false);
    expect(summary.pairs.filter(({ outcome }) => outcome === "failed")).toMatchObject([
      { reader: clusterId(mesh.peer.ref), target: clusterId(NEWCOMER.ref) },
    ]);
    expect(pairsWith(summary, mesh.clusters[1]!)).toEqual(["created", "created"]);
  });
});

describe("an istiod that needs time", () => {
  it("is waited for until it serves", async () => {
    const mesh = await aMesh({ members: 1 });
    mesh.servers[0]!.istiod.readyAfterMs = 50;
    expect(await mesh.join(mesh.clusters[0]!)).toMatchObject({ retry: false });
    await expectJoined(mesh);
  });

  it("has its event come again when it takes too long, and is a pending peer meanwhile", async () => {
    const mesh = await twoMembersAndANewcomer();
    const server = mesh.fleet.server(NEWCOMER);
    server.istiod.readyAfterMs = Number.POSITIVE_INFINITY;
    const late = await mesh.join(NEWCOMER, soon());
    expect(late).toMatchObject({ retry: true, summary: { outcome: "waiting", pairs: [] } });

    const peer = await mesh.join(mesh.peer);
    expect(peer.retry).toBe(false);
    expect(reasonsOf(peer.summary.findings)).toEqual(["PeerPending"]);
    expect(pairsWith(peer.summary, NEWCOMER)).toEqual(["waiting", "waiting"]);

    server.istiod.readyAfterMs = 20;
    server.wakeIstiod();
    expect(await mesh.join(NEWCOMER)).toMatchObject({ retry: false });
    await expectJoined(mesh);
  });

  it("is looked at until it has synced", async () => {
    const mesh = await twoMembersAndANewcomer();
    for (const { istiod } of mesh.servers) istiod.syncsAfterMs = 120;
    expect(await mesh.join(NEWCOMER)).toMatchObject({ retry: false });
    await expectJoined(mesh);
  });

  it("has its event come again when it does not sync", async () => {
    const mesh = await twoMembersAndANewcomer();
    const { istiod } = mesh.fleet.server(mesh.peer);
    istiod.syncsAfterMs = Number.POSITIVE_INFINITY;
    const { summary, retry } = await mesh.join(NEWCOMER, soon());
    expect(retry).toBe(true);
    expect(reasonsOf(summary.findings)).toEqual(["PairNotSynced"]);
    expect(summary.pairs.filter(({ outcome }) => outcome === "waiting")).toEqual([
      { reader: clusterId(mesh.peer.ref), target: clusterId(NEWCOMER.ref), outcome: "waiting" },
    ]);

    istiod.syncsAfterMs = 0;
    const again = await mesh.join(NEWCOMER);
    expect(again).toMatchObject({ retry: false, errors: [] });
    expect(again.summary.pairs.map(({ outcome }) => outcome)).toEqual(Array(4).fill("unchanged"));
    await expectJoined(mesh);
  });

  it("has its event come again when it does not serve the new certificate", async () => {
    const mesh = await aMesh({ members: 1 });
    const [cluster] = mesh.clusters;
    await mesh.join(cluster!);
    const { store, istiod } = mesh.servers[0]!;
    istiod.reloadsAfterMs = 100;
    const ref = { apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name: "cacerts" };
    store.delete(ref);
    expect(await mesh.join(cluster!)).toMatchObject({ retry: false, errors: [] });
    await expectJoined(mesh);

    istiod.reloadsAfterMs = Number.POSITIVE_INFINITY;
    store.delete(ref);
    const { summary, retry } = await mesh.join(cluster!, soon());
    expect(retry).toBe(true);
    expect(reasonsOf(summary.members[0]?.findings ?? [])).toContain("CertificateLoading");
    mesh.clock.advance(240);
    const late = await mesh.join(cluster!, soon());
    expect(late.retry).toBe(true);
    expect(reasonsOf(late.summary.members[0]?.findings ?? [])).toContain("CertificateNotLoaded");
  });

  it("does not get a cacerts back, empty but for a note, that was deleted while it was looked at", async () => {
    const mesh = await twoMembersAndANewcomer();
    const { store } = mesh.fleet.server(NEWCOMER);
    const ref = { apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name: "cacerts" };
    await mesh.join(NEWCOMER, {
      report: ({ step }) => {
        if (step === "pairSynced") store.delete(ref);
      },
    });
    expect(store.get(ref)).toBeUndefined();
    expect(await mesh.join(NEWCOMER)).toMatchObject({ retry: false, errors: [] });
    await expectJoined(mesh);
  });
});

describe("a member whose istiod is scaled to 0", () => {
  it("is said to be that at once, with the command, and is whole again when a person scales it up", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    const { store } = mesh.servers[0]!;
    const scale = (replicas: number) => {
      const deployment = store.get(ISTIOD_DEPLOYMENT)!;
      const spec = Object.assign({}, deployment["spec"], { replicas });
      store.write({ ...deployment, spec }, "kubectl");
    };
    scale(0);
    const { summary, retry } = await mesh.reconcile("mesh");
    expect(summary.members[0]).toMatchObject({
      outcome: "failed",
      findings: [
        {
          reason: "ScaledToZero",
          severity: "error",
          cure: expect.stringContaining("scale deployment istiod --replicas=1"),
        },
      ],
    });
    expect(retry).toBe(false);
    const status = await collectStatus(mesh.run());
    expect(reasonsOf(status.members[0]!.findings)).toEqual(["ScaledToZero"]);
    scale(1);
    await mesh.reconcile("mesh");
    await expectJoined(mesh);
  });
});

import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type CloudEvent, cloudEvent } from "@google-cloud/functions-framework";
import { getTestServer } from "@google-cloud/functions-framework/testing";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { onClusterEvent } from "../../../functions/on-cluster-event/on-cluster-event.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { RefusedError, UnavailableError } from "../../../shared/errors.ts";
import { createLogger } from "../../../shared/log.ts";
import type { Runtime } from "../../../shared/runtime.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh, type ProcessOptions } from "../../support/fakes/mesh.ts";
import { expectJoined } from "../reconcile/world.ts";
import { AUDIT_TYPE, anEntry, PUBSUB_TYPE, pushed } from "./entries.ts";

interface Line {
  readonly severity: string;
  readonly message: string;
  readonly reason?: string;
  readonly code?: string;
}

/**
 * A mesh of project `shop-prod` whose one cluster is what the fixtures are about, and the function over it.
 */
async function aFunction(seed: Partial<Cluster> = {}, process: ProcessOptions = {}) {
  const cluster = { ...aCluster({ project: "shop-prod", name: "east" }), ...seed };
  const mesh = await aMesh({ clusters: [cluster], spec: { projects: ["shop-prod"] } });
  const lines: Line[] = [];
  const runtime: Runtime = {
    spec: mesh.spec,
    log: createLogger({ write: (line) => lines.push(JSON.parse(line)) }),
    withRun: async (report, use) => await use(mesh.run({ ...process, report })),
  };
  const handle = (name: string) =>
    onClusterEvent(runtime, { id: "1", type: AUDIT_TYPE, data: anEntry(name) });
  return { mesh, runtime, handle, lines, cluster };
}

/** Every line of an event can be found by its cluster. */
const LABELLED = {
  "logging.googleapis.com/labels": {
    cluster_id: clusterId(aCluster({ project: "shop-prod", name: "east" }).ref),
  },
};

const requests = (mesh: FakeMesh) => mesh.servers.map(({ requests: { total } }) => total);

describe("on-cluster-event", () => {
  it("joins the cluster that was created", async () => {
    const { mesh, handle, lines } = await aFunction();
    await handle("creation-finished");
    await expectJoined(mesh);
    expect(lines.filter(({ severity }) => severity === "ERROR")).toEqual([]);
    expect(lines.at(-1)).toMatchObject({ severity: "INFO", message: "reconciled" });
  });

  it.each([
    ["creation-started", "OperationNotFinished"],
    ["creation-failed", "OperationFailed"],
    ["creation-rejected", "OperationFailed"],
    ["node-pool-created", "OtherMethod"],
    ["other-service", "OtherService"],
  ])("acknowledges %s with one debug line and no request", async (name, reason) => {
    const { mesh, handle, lines } = await aFunction();
    mesh.directory.failNext(new UnavailableError("nobody asks", { code: "Unavailable" }));
    await handle(name);
    expect(lines).toMatchObject([{ severity: "DEBUG", message: "event ignored", reason }]);
    expect(requests(mesh)).toEqual([0]);
  });

  it.each<[string, Partial<Cluster>]>([
    ["NotLabelled", { labels: {} }],
    ["OtherMesh", { labels: { mesh_id: "staging" } }],
    ["Stopping", { status: "STOPPING" }],
    ["Failed", { status: "ERROR" }],
  ])("acknowledges a cluster that is no member: %s", async (reason, seed) => {
    const { mesh, handle, lines } = await aFunction(seed);
    await handle("creation-finished");
    expect(lines).toMatchObject([{ severity: "INFO", message: "cluster is no member", reason }]);
    expect(requests(mesh)).toEqual([0]);
  });

  it("acknowledges a cluster that is gone meanwhile", async () => {
    const { mesh, handle, lines, cluster } = await aFunction();
    mesh.directory.delete(cluster.ref);
    await handle("creation-finished");
    expect(lines).toMatchObject([{ severity: "INFO", reason: "Gone" }]);
  });

  it.each(["RECONCILING", "DEGRADED"] as const)("joins a cluster that is %s", async (status) => {
    const { mesh, handle } = await aFunction({ status });
    await handle("creation-finished");
    await expectJoined(mesh);
  });

  it.each<[string, string, Partial<Cluster>, (mesh: FakeMesh) => void]>([
    ["is still being provisioned", "Provisioning", { status: "PROVISIONING" }, () => undefined],
    [
      "does not answer",
      "JoinIncomplete",
      {},
      ({ servers }) => {
        servers[0]!.faults.unreachable = true;
      },
    ],
    [
      "has no istiod in time",
      "JoinIncomplete",
      {},
      ({ servers }) => {
        servers[0]!.istiod.readyAfterMs = Number.POSITIVE_INFINITY;
      },
    ],
    [
      "cannot be looked up",
      "Unavailable",
      {},
      ({ directory }) => directory.failNext(new UnavailableError("try again", { code: "Unavailable" })),
    ],
  ])("has the event delivered again when the cluster %s", async (_, code, seed, upset) => {
    const { mesh, handle, lines } = await aFunction(seed, { signal: AbortSignal.timeout(300) });
    upset(mesh);
    await expect(handle("creation-finished")).rejects.toMatchObject({ code, retryable: true });
    expect(lines.at(-1)).toMatchObject({
      severity: "WARNING",
      message: "event is delivered again",
      code,
      ...LABELLED,
    });
  });

  it.each(["deletion-started", "deletion-finished"])(
    "leaves a cluster alone that still runs, whatever %s says: the name may be another's",
    async (name) => {
      const { mesh, handle, lines } = await aFunction();
      await handle(name);
      expect(lines).toMatchObject([{ message: "cluster is no member", reason: "StillRunning" }]);
      expect(requests(mesh)).toEqual([0]);
    },
  );

  it.each<[string, string, (mesh: FakeMesh, cluster: Cluster) => void]>([
    [
      "deletion-started",
      "Stopping",
      (mesh, cluster) => mesh.directory.put({ ...cluster, status: "STOPPING" }),
    ],
    ["deletion-finished", "Gone", (mesh, cluster) => mesh.directory.delete(cluster.ref)],
  ])("takes a member out of the mesh after %s, because it is %s", async (name, reason, depart) => {
    const { mesh, handle, lines, cluster } = await aFunction();
    const peer = aCluster({ project: "shop-prod", name: "peer" });
    mesh.add(peer);
    await mesh.reconcile("mesh");
    depart(mesh, cluster);
    await handle(name);
    expect(lines[0]).toMatchObject({ message: "cluster leaves", reason });
    expect(lines.at(-1)).toMatchObject({ message: "reconciled", outcome: "deleted" });
    await expectJoined(mesh, [peer]);
  });

  it("leaves a member that has lost its label to the full run, and says so", async () => {
    const { mesh, handle, lines, cluster } = await aFunction();
    mesh.add(aCluster({ project: "shop-prod", name: "peer" }));
    await mesh.reconcile("mesh");
    mesh.directory.put({ ...cluster, labels: {} });
    await handle("labels-set");
    expect(lines[0]).toMatchObject({ message: "cluster leaves", reason: "NotLabelled" });
    expect(lines).toContainEqual(
      expect.objectContaining({ finding: expect.objectContaining({ reason: "MemberLeft" }) }),
    );
    expect(lines.at(-1)).toMatchObject({ message: "reconciled", outcome: "unchanged" });
    await expectJoined(mesh);
  });

  it.each([
    ["Failed", "ERROR"],
    ["StatusUnknown", "STATUS_UNSPECIFIED"],
  ] as const)("neither takes a cluster in nor out that is %s", async (reason, status) => {
    const { mesh, handle, lines, cluster } = await aFunction();
    await mesh.reconcile("mesh");
    mesh.directory.put({ ...cluster, status });
    await handle("update-finished");
    expect(lines).toMatchObject([{ severity: "INFO", message: "cluster is no member", reason }]);
  });

  it.each(["labels-set", "update-finished"])("looks at a member again after %s", async (name) => {
    const { mesh, handle, lines } = await aFunction();
    await handle(name);
    expect(lines[0]).toMatchObject({ message: "cluster joins" });
    await expectJoined(mesh);
  });

  it("acknowledges what asking again does not mend, with one line that has its code", async () => {
    const { mesh, handle, lines } = await aFunction();
    mesh.directory.failNext(new RefusedError("no permission; grant it", { code: "PermissionDenied" }));
    await handle("creation-finished");
    expect(lines.filter(({ severity }) => severity === "ERROR")).toMatchObject([
      { message: "event given up", code: "PermissionDenied", ...LABELLED },
    ]);
  });

  it.each<[string, (mesh: FakeMesh) => void]>([
    ["RootSecretMissing", ({ roots }) => roots.deleteSecret()],
    ["NoSigningRoot", ({ roots }) => roots.setAliases({})],
    ["RootVersionDisabled", ({ roots }) => roots.disable(1)],
    ["RootChecksumMismatch", ({ roots }) => roots.damage(1)],
  ])("acknowledges a bad root, with one line that has its code: %s", async (code, spoil) => {
    const { mesh, handle, lines } = await aFunction();
    spoil(mesh);
    await handle("creation-finished");
    const errors = lines.filter(({ severity }) => severity === "ERROR");
    expect(errors.filter((line) => line.code !== undefined)).toMatchObject([{ code }]);
  });

  it("tells nobody what an unexpected error says", async () => {
    const { runtime, handle } = await aFunction();
    Object.assign(runtime, { withRun: () => Promise.reject(new TypeError("secret words")) });
    await expect(handle("creation-finished")).rejects.toMatchObject({
      code: "Internal",
      message: expect.not.stringContaining("secret words"),
    });
  });

  it("logs no key, no token and no kubeconfig", async () => {
    const { mesh, handle, lines } = await aFunction();
    await handle("creation-finished");
    mesh.add(aCluster({ project: "shop-prod", name: "west" }));
    await mesh.reconcile("mesh");
    await handle("creation-finished");
    expect(JSON.stringify(lines)).not.toMatch(/PRIVATE KEY|fake-token|LS0tLS1CRUdJTi|certificate-authority/);
  });
});

describe("under the Functions Framework", () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.close();
  });

  /** Posts as Eventarc and Pub/Sub do; answers the status that decides about a redelivery. */
  async function post(runtime: Runtime, headers: Record<string, string>, body: unknown): Promise<number> {
    cloudEvent("on-cluster-event", (event: CloudEvent<unknown>) =>
      onClusterEvent(runtime, event, { GOOGLE_CLOUD_PROJECT: "shop" }),
    );
    server = getTestServer("on-cluster-event").listen(0, "127.0.0.1");
    await once(server, "listening");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/projects/shop-prod/topics/meshjoin`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    await response.arrayBuffer();
    return response.status;
  }

  const entry = anEntry("creation-finished");
  const json = { "content-type": "application/json" };
  const binary = (type: string) => ({
    ...json,
    "ce-id": "1",
    "ce-source": "//cloudaudit.googleapis.com/projects/shop-prod/logs/activity",
    "ce-specversion": "1.0",
    "ce-type": type,
  });
  const structured = (type: string, data: unknown) => ({
    specversion: "1.0",
    id: "1",
    source: "//cloudaudit.googleapis.com/projects/shop-prod/logs/activity",
    type,
    datacontenttype: "application/json",
    data,
  });
  const STRUCTURED = { "content-type": "application/cloudevents+json" };

  it.each<[string, Record<string, string>, unknown]>([
    ["binary, from Eventarc", binary(AUDIT_TYPE), entry],
    ["structured, from Eventarc", STRUCTURED, structured(AUDIT_TYPE, entry)],
    ["binary, from a sink", binary(PUBSUB_TYPE), pushed(entry)],
    ["structured, from a sink", STRUCTURED, structured(PUBSUB_TYPE, pushed(entry))],
    ["as Pub/Sub pushes it without CloudEvents", json, pushed(entry)],
  ])("an event joins its cluster, and its lines are of its request's trace: %s", async (_, headers, body) => {
    const { mesh, runtime, lines } = await aFunction();
    const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    expect(await post(runtime, { ...headers, traceparent }, body)).toBe(204);
    await expectJoined(mesh);
    const trace = { "logging.googleapis.com/trace": `projects/shop/traces/${"a".repeat(32)}` };
    expect(lines).toMatchObject(lines.map(() => trace));
  });

  it("an event that must come again is answered with an error, and one that need not with success", async () => {
    // The framework prints what it answers with 500.
    const print = jest.spyOn(console, "error").mockImplementation(() => undefined);
    const { mesh, runtime } = await aFunction();
    mesh.directory.failNext(new UnavailableError("try again", { code: "Unavailable" }));
    expect(await post(runtime, binary(AUDIT_TYPE), entry)).toBe(500);
    print.mockRestore();
    server?.close();
    mesh.roots.deleteSecret();
    expect(await post(runtime, binary(AUDIT_TYPE), entry)).toBe(204);
  });
});

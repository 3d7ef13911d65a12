import { describe, expect, it } from "@jest/globals";
import { onRotationRequest } from "../../../functions/on-rotation-request/on-rotation-request.ts";
import { createLogger } from "../../../shared/log.ts";
import type { RotatorRun } from "../../../shared/rotate/change-roots.ts";
import type { Runtime } from "../../../shared/runtime.ts";
import type { FakeMesh, ProcessOptions } from "../../support/fakes/mesh.ts";
import { versionsOf } from "../reconcile/world.ts";
import { aJoinedMesh, rootsNow, STAGE, serials } from "../rotate/world.ts";
import { PUBSUB_TYPE } from "./entries.ts";

interface Line {
  readonly severity: string;
  readonly message: string;
  readonly code?: string;
  readonly [field: string]: unknown;
}

const ENVIRONMENT = { GOOGLE_CLOUD_PROJECT: "shop" };

async function aFunction(process: ProcessOptions = {}) {
  const mesh = await aJoinedMesh();
  const lines: Line[] = [];
  const runtime: Runtime<RotatorRun> = {
    spec: mesh.spec,
    log: createLogger({ write: (line) => lines.push(JSON.parse(line)) }),
    withRun: async (report, use) => await use(mesh.run({ ...process, report })),
  };
  const deliver = (message: object, traceparent?: string) =>
    onRotationRequest(runtime, { id: "1", type: PUBSUB_TYPE, data: { message }, traceparent }, ENVIRONMENT);
  return { mesh, runtime, lines, deliver };
}

/** A message that is published now; every delivery of it is the same. */
function published(mesh: FakeMesh, order: object | string, attributes = {}): object {
  mesh.clock.advance(1);
  const publishTime = mesh.clock.now().toISOString();
  mesh.clock.advance(1);
  const text = typeof order === "string" ? order : JSON.stringify(order);
  return { data: Buffer.from(text).toString("base64"), attributes, publishTime };
}

const SECRET = { secretId: "projects/1/secrets/prod-root-ca" };

describe("on-rotation-request", () => {
  it("carries a root rotation through by ticks, and logs each step once", async () => {
    const { mesh, deliver, lines } = await aFunction();
    await deliver(published(mesh, { kind: "root", action: "start" }));
    for (let index = 0; index < 4; index += 1) {
      mesh.clock.advance(STAGE);
      await deliver(published(mesh, { kind: "tick" }));
    }
    expect(await rootsNow(mesh)).toEqual({ stage: "idle", versions: { signing: 2 } });
    expect(
      lines.flatMap(({ message, from, to }) => (message === "root rotation moved on" ? [[from, to]] : [])),
    ).toEqual([
      ["idle", "distribute"],
      ["distribute", "switch"],
      ["switch", "retire"],
      ["retire", "idle"],
    ]);
  });

  it("writes one line for a tick that finds nothing due", async () => {
    const { mesh, deliver, lines } = await aFunction();
    await deliver(published(mesh, { kind: "tick" }));
    expect(lines).toMatchObject([{ message: "reconciled", outcome: "unchanged" }]);
  });

  it("writes its lines under the trace of the request", async () => {
    const { mesh, deliver, lines } = await aFunction();
    await deliver(published(mesh, { kind: "tick" }), `00-${"a".repeat(32)}-${"b".repeat(16)}-01`);
    const trace = { "logging.googleapis.com/trace": `projects/shop/traces/${"a".repeat(32)}` };
    expect(lines).toMatchObject([trace]);
  });

  it("replaces intermediates once, however often the message comes", async () => {
    const { mesh, deliver } = await aFunction();
    const before = serials(mesh);
    const message = published(mesh, { kind: "intermediate", scope: "mesh", reason: "manual" });
    await deliver(message);
    const after = versionsOf(mesh);
    expect(serials(mesh).filter((serial) => before.includes(serial))).toEqual([]);
    await deliver(message);
    await Promise.all([deliver(message), deliver(message)]);
    expect(versionsOf(mesh)).toEqual(after);
  });

  it("has an order come again that was not carried out to its end", async () => {
    const { mesh, deliver } = await aFunction({ signal: AbortSignal.timeout(500) });
    for (const { istiod } of mesh.servers) istiod.reloadsAfterMs = Number.POSITIVE_INFINITY;
    const message = published(mesh, { kind: "intermediate", scope: "mesh", reason: "manual" });
    await expect(deliver(message)).rejects.toMatchObject({ code: "RotationIncomplete" });
  });

  it("says what an order to advance waits for", async () => {
    const { mesh, deliver, lines } = await aFunction();
    await deliver(published(mesh, { kind: "root", action: "start" }));
    mesh.servers[0]!.faults.unreachable = true;
    await deliver(published(mesh, { kind: "root", action: "advance" }));
    expect(lines.find(({ code }) => code === "StageNotOver")).toMatchObject({
      severity: "WARNING",
      waitingFor: [expect.stringContaining("cannot be reached")],
    });
    expect((await rootsNow(mesh)).stage).toBe("distribute");
    await deliver(published(mesh, { kind: "tick" }));
    expect(lines.filter(({ code }) => code === "StageNotOver").map(({ severity }) => severity)).toEqual([
      "WARNING",
      "INFO",
    ]);
  });

  it.each([
    ["", "data"],
    ["{", "data"],
    ['{"kind":"root","action":"explode"}', "action"],
  ])("acknowledges %j, and logs the field at fault", async (text, field) => {
    const { mesh, deliver, lines } = await aFunction();
    const before = versionsOf(mesh);
    await deliver(published(mesh, text));
    expect(lines).toMatchObject([
      {
        severity: "ERROR",
        code: "MessageNotUnderstood",
        err: { fields: { field } },
        message: "message given up",
      },
    ]);
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("acknowledges an event that is no message", async () => {
    const { deliver, lines } = await aFunction();
    await deliver({});
    expect(lines).toMatchObject([{ severity: "ERROR", code: "MessageNotUnderstood" }]);
  });

  it("begins a rotation on Secret Manager's schedule for a root that Meshjoin made", async () => {
    const { mesh, deliver } = await aFunction();
    const message = published(mesh, "{}", { ...SECRET, eventType: "SECRET_ROTATE" });
    await deliver(message);
    expect((await rootsNow(mesh)).stage).toBe("distribute");
    await deliver(message);
    expect(await mesh.roots.list()).toHaveLength(2);
  });

  it("only names the schedule for a root that somebody brought", async () => {
    const { mesh, deliver, lines } = await aFunction();
    mesh.roots.setAnnotations({ "meshjoin.dev_origin": "imported" });
    await deliver(published(mesh, "{}", { ...SECRET, eventType: "SECRET_ROTATE" }));
    expect((await rootsNow(mesh)).stage).toBe("idle");
    expect(lines.flatMap(({ finding }) => finding ?? [])).toMatchObject([
      { reason: "RootRotationDue", severity: "error" },
    ]);
  });

  it("makes no new notifications out of those of its own changes", async () => {
    const { mesh, deliver } = await aFunction();
    await deliver(published(mesh, { kind: "root", action: "start" }));
    const { etag } = await mesh.roots.state();
    for (const eventType of ["SECRET_VERSION_ADD", "SECRET_UPDATE", "SECRET_VERSION_DISABLE"]) {
      await deliver(published(mesh, "{}", { ...SECRET, eventType }));
    }
    expect((await mesh.roots.state()).etag).toBe(etag);
    expect(await mesh.roots.list()).toHaveLength(2);
  });

  it("tells nobody what an unexpected error says, and no log a key", async () => {
    const { mesh, runtime, deliver, lines } = await aFunction();
    await deliver(published(mesh, { kind: "root", action: "start" }));
    expect(JSON.stringify(lines)).not.toMatch(/PRIVATE KEY|BEGIN CERTIFICATE/);
    Object.assign(runtime, { withRun: () => Promise.reject(new TypeError("secret words")) });
    await expect(deliver(published(mesh, { kind: "tick" }))).rejects.toMatchObject({
      code: "Internal",
      message: expect.not.stringContaining("secret words"),
    });
  });
});

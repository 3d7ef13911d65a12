import { describe, expect, it } from "@jest/globals";
import { ConflictError, UnavailableError } from "../../shared/errors.ts";
import { createLogger, describeError, traceFields } from "../../shared/log.ts";
import { VERSION } from "../../shared/version.ts";

function capture() {
  const lines: string[] = [];
  const log = createLogger({ write: (line) => lines.push(line) });
  return { log, lines, last: (): unknown => JSON.parse(lines.at(-1) ?? "") };
}

const failedAt = (clusterId: string) =>
  new UnavailableError("no answer; try again", { code: "Unavailable", fields: { clusterId } });

describe("createLogger", () => {
  it.each([
    ["debug", "DEBUG"],
    ["info", "INFO"],
    ["warn", "WARNING"],
    ["error", "ERROR"],
  ] as const)("writes %s as severity %s", (level, severity) => {
    const { log, last } = capture();
    log[level]({ clusterId: "cn-a" }, "member joined");
    expect(last()).toEqual({
      severity,
      version: VERSION,
      time: expect.any(String),
      clusterId: "cn-a",
      message: "member joined",
      "logging.googleapis.com/labels": { cluster_id: "cn-a" },
    });
  });

  it.each<[string, object, object]>([
    ["the line", { clusterId: "cn-b" }, { mesh_id: "prod", cluster_id: "cn-b" }],
    ["its finding", { finding: { clusterId: "cn-c", reason: "x" } }, { mesh_id: "prod", cluster_id: "cn-c" }],
    ["its error", { err: failedAt("cn-d") }, { mesh_id: "prod", cluster_id: "cn-d" }],
    [
      "its finding and not its run",
      { clusterId: "cn-b", finding: { clusterId: "cn-c" } },
      { cluster_id: "cn-c" },
    ],
    ["its error and not its run", { clusterId: "cn-b", err: failedAt("cn-d") }, { cluster_id: "cn-d" }],
    [
      "its run where the error names none",
      { clusterId: "cn-b", err: new Error("x") },
      { cluster_id: "cn-b" },
    ],
    ["the mesh alone", { outcome: "unchanged" }, { mesh_id: "prod" }],
  ])("labels a line by mesh and cluster: those of %s", (_, fields, labels) => {
    const { log, last } = capture();
    log.child({ meshId: "prod" }).info({ ...fields }, "finding");
    expect(last()).toMatchObject({ "logging.googleapis.com/labels": labels });
  });

  it("labels nothing where there is nothing to say", () => {
    const { log, last } = capture();
    log.info({}, "started");
    expect(last()).not.toHaveProperty("logging.googleapis.com/labels");
  });

  it("keeps the fields of a child on every line", () => {
    const { log, last } = capture();
    log
      .child({ clusterId: "cn-a" })
      .child({ reason: "Created" })
      .info({ outcome: "created" }, "member joined");
    expect(last()).toMatchObject({ clusterId: "cn-a", reason: "Created", outcome: "created" });
  });

  it("tells code, cure, fields and causes of an error", () => {
    const { log, last } = capture();
    const cause = new ConflictError("the secret moved on: read it again", { code: "Stale" });
    const error = new UnavailableError("no answer", {
      code: "DeadlineExceeded",
      cure: "look at the network",
      cause,
      fields: { ms: 5 },
    });
    log.error({ err: error }, "reconcile failed");
    expect(last()).toMatchObject({
      err: {
        name: "UnavailableError",
        code: "DeadlineExceeded",
        retryable: true,
        message: "no answer",
        cure: "look at the network",
        fields: { ms: 5 },
        cause: { name: "ConflictError", code: "Stale" },
      },
    });
  });

  const JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2ln";
  const PEM = "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n";
  it.each([
    ["in the message", {}, `got ${JWT}`],
    ["in a field", { note: `Bearer canary` }, "x"],
    ["deep in a field", { a: { b: [{ c: PEM }] } }, "x"],
    ["in an error", { err: new Error(PEM) }, "x"],
    ["in a cause", { err: new Error("outer", { cause: new Error(`for ${JWT}`) }) }, "x"],
    ["in one error of many", { err: new AggregateError([new Error(PEM)], "all failed") }, "x"],
    [
      "in a request that hangs on an error",
      { err: Object.assign(new Error("x"), { config: "canary" }) },
      "x",
    ],
    ["under a telling name", { token: "canary" }, "x"],
    ["under a telling name, four levels deep", { a: { b: { c: { token: "canary" } } } }, "x"],
    ["under a telling name, as deep as a line goes", { a: { b: { c: [{ d: { token: "canary" } }] } } }, "x"],
    [
      "under a telling name of an error",
      { err: new UnavailableError("x", { code: "Unavailable", fields: { token: "canary" } }) },
      "x",
    ],
    ["under a telling name, deeper", { secret: { data: { key: "canary" } } }, "x"],
  ])("lets no key material through %s", (_, fields, message) => {
    const { log, lines } = capture();
    log.error(fields, message);
    log.child(fields).info({}, message);
    expect(lines).toHaveLength(2);
    expect(lines.join("")).not.toMatch(/canary|eyJzdWI/);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
  });
});

describe("describeError", () => {
  it("ends, however long the chain of causes is", () => {
    const error = new Error("loop");
    error.cause = error;
    expect(JSON.stringify(describeError(error)).match(/"loop"/g)).toHaveLength(6);
  });

  it("takes anything that was thrown", () => {
    expect(describeError("plain")).toEqual({ message: "plain" });
  });
});

describe("traceFields", () => {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  it("points to the trace", () => {
    expect(traceFields(`00-${trace}-00f067aa0ba902b7-01`, "fleet")).toEqual({
      "logging.googleapis.com/trace": `projects/fleet/traces/${trace}`,
      "logging.googleapis.com/spanId": "00f067aa0ba902b7",
      "logging.googleapis.com/trace_sampled": true,
    });
  });

  it.each([
    ["no header", undefined, "fleet"],
    ["no project", `00-${trace}-00f067aa0ba902b7-01`, undefined],
    ["a malformed header", "00-xyz", "fleet"],
  ])("says nothing with %s", (_, header, project) => {
    expect(traceFields(header, project)).toEqual({});
  });
});

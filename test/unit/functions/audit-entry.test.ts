import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { parse } from "yaml";
import { type IgnoredReason, parseAuditEntry } from "../../../functions/on-cluster-event/audit-entry.ts";
import { type AuditEntry, anEntry } from "./entries.ts";

const OPERATION = "operation-1772366400000-0a1b2c3d";
const EAST = { project: "shop-prod", location: "europe-west1", name: "east" };
const WEST = { project: "shop-prod", location: "europe-west1-b", name: "west" };

function changed(name: string, change: (entry: AuditEntry) => void): AuditEntry {
  const entry = anEntry(name);
  change(entry);
  return entry;
}

const finished = (change: (entry: AuditEntry) => void) => changed("creation-finished", change);
const named = (resourceName: string) =>
  finished((entry) => {
    delete entry.resource;
    Object.assign(entry.protoPayload ?? {}, { resourceName });
  });

describe("an audit-log entry about a cluster that was created", () => {
  it.each<[string, unknown, object]>([
    ["by v1", anEntry("creation-finished"), EAST],
    ["by v1beta1, as gcloud beta does", anEntry("creation-finished-v1beta1"), EAST],
    ["in a zone", anEntry("creation-finished-zonal"), WEST],
    ["with no status", finished((entry) => delete entry.protoPayload?.["status"]), EAST],
    [
      "without resource labels, by a location",
      named("projects/shop-prod/locations/europe-west1/clusters/east"),
      EAST,
    ],
    [
      "without resource labels, by a zone",
      named("projects/shop-prod/zones/europe-west1-b/clusters/west"),
      WEST,
    ],
    [
      "without resource labels, by a region",
      named("projects/shop-prod/regions/europe-west1/clusters/east"),
      EAST,
    ],
    ["with a label missing", finished((entry) => delete entry.resource?.labels?.["location"]), EAST],
  ])("is understood: %s", (_, entry, cluster) => {
    expect(parseAuditEntry(entry)).toEqual({
      event: { cluster, method: "CreateCluster", operationId: OPERATION },
    });
  });
});

const begun = (entry: AuditEntry): AuditEntry => {
  const { last: _, ...operation } = entry.operation ?? {};
  return { ...entry, operation: { ...operation, first: true } };
};

describe("an audit-log entry about a cluster that is there or was", () => {
  const of = (method: string, entry: AuditEntry): AuditEntry => ({
    ...entry,
    protoPayload: { ...entry.protoPayload, methodName: `google.container.${method}` },
  });
  it.each([
    ["the beginning of a deletion", anEntry("deletion-started"), "DeleteCluster"],
    ["the end of a deletion", anEntry("deletion-finished"), "DeleteCluster"],
    ["the end of an update", anEntry("update-finished"), "UpdateCluster"],
    ["labels that were set, in one entry", anEntry("labels-set"), "SetLabels"],
    ...["v1", "v1beta1"].flatMap((version) =>
      ["StartIPRotation", "CompleteIPRotation", "SetMasterAuth", "SetLabels"].map(
        (method): [string, AuditEntry, string] => [
          `the end of ${method} by ${version}`,
          of(`${version}.ClusterManager.${method}`, anEntry("update-finished")),
          method,
        ],
      ),
    ),
  ])("is understood: %s", (_, entry, method) => {
    expect(parseAuditEntry(entry)).toMatchObject({
      event: { method, cluster: { name: expect.any(String) } },
    });
  });
});

describe("an audit-log entry about anything else", () => {
  it.each<[IgnoredReason, string, unknown]>([
    ["OperationNotFinished", "a creation that has begun", anEntry("creation-started")],
    ["OperationFailed", "a creation that failed", anEntry("creation-failed")],
    ["OperationFailed", "a creation that was rejected", anEntry("creation-rejected")],
    ["OperationNotFinished", "a creation without an operation", finished((entry) => delete entry.operation)],
    ["OperationNotFinished", "an update that has begun", begun(anEntry("update-finished"))],
    [
      "OperationFailed",
      "a deletion that failed",
      changed("deletion-finished", (entry) =>
        Object.assign(entry.protoPayload ?? {}, { status: { code: 13, message: "Internal error." } }),
      ),
    ],
    ["OtherMethod", "a node pool", anEntry("node-pool-created")],
    [
      "OtherMethod",
      "a version of the API that does not exist",
      finished((entry) =>
        Object.assign(entry.protoPayload ?? {}, {
          methodName: "google.container.v2.ClusterManager.CreateCluster",
        }),
      ),
    ],
    [
      "OtherMethod",
      "a method whose name only begins so",
      finished((entry) =>
        Object.assign(entry.protoPayload ?? {}, {
          methodName: "google.container.v1.ClusterManager.CreateClusterBackup",
        }),
      ),
    ],
    ["OtherMethod", "no method", finished((entry) => delete entry.protoPayload?.["methodName"])],
    ["OtherService", "another service", anEntry("other-service")],
    ["OtherService", "an empty payload", { protoPayload: {} }],
    ["OtherService", "a payload of null", { protoPayload: null }],
    ["NoCluster", "no cluster at all", named("projects/shop-prod")],
    ["NotAnAuditEntry", "a log line", { textPayload: "hello" }],
    ["NotAnAuditEntry", "text", "hello"],
    ["NotAnAuditEntry", "nothing", undefined],
    ["NotAnAuditEntry", "null", null],
    ["NotAnAuditEntry", "a list", []],
  ])("is ignored (%s): %s", (reason, _, entry) => {
    expect(parseAuditEntry(entry)).toEqual({ ignored: reason });
  });

  it("is ignored whatever it holds", () => {
    const noise = fc.record(
      { protoPayload: fc.anything(), operation: fc.anything(), resource: fc.anything() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(noise, (entry) => {
        expect(parseAuditEntry(entry)).toHaveProperty("ignored");
      }),
    );
  });
});

const REAL = new URL("../../../../shared/fixtures/gke-audit/", import.meta.url);

/**
 * Entries of real projects are not part of the repository. If a developer has them beside it, the test reads
 * them too.
 */
describe("entries of real projects", () => {
  const files = existsSync(REAL) ? readdirSync(REAL).filter((file) => file.endsWith(".yaml")) : [];
  const FOUND: Readonly<Record<string, object>> = {
    "cluster_creation_finished.yaml": {
      event: { cluster: { name: "gke-basic-1", location: "us-central1-a" }, method: "CreateCluster" },
    },
    "cluster_creation_started.yaml": { ignored: "OperationNotFinished" },
    "cluster_deletion_started.yaml": { event: { method: "DeleteCluster" } },
  };

  it(`are understood (${files.length === 0 ? "none here, so this proves nothing" : files.length})`, () => {
    const results = files.map((file) => {
      const entry: unknown = parse(readFileSync(new URL(file, REAL), "utf8"));
      return [file, parseAuditEntry(entry)] as const;
    });
    expect(Object.fromEntries(results)).toMatchObject(
      Object.fromEntries(Object.entries(FOUND).filter(([file]) => files.includes(file))),
    );
  });
});

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { parse } from "yaml";
import { parseAuditEntry } from "../../../functions/on-cluster-event/audit-entry.ts";
import { sinkFilter } from "../../support/logging/filters.ts";
import { type Entry, matches } from "../../support/logging/query.ts";

const FIXTURES = new URL("../../support/fixtures/audit-log/", import.meta.url);
const SHARED = new URL("../../../../shared/fixtures/gke-audit/", import.meta.url);
const filter = await sinkFilter();

function isActedOn(entry: unknown): boolean {
  return "event" in parseAuditEntry(entry);
}

const names = readdirSync(FIXTURES);
const fixture = (name: string): Entry => JSON.parse(readFileSync(new URL(name, FIXTURES), "utf8"));

describe("the filter of the log sink", () => {
  it.each(names)("lets %s through if the function acts on it", (name) => {
    const entry = fixture(name);
    expect(matches(filter, entry)).toBe(isActedOn(entry));
  });

  it("lets some of the fixtures through, and some not", () => {
    const through = names.filter((name) => matches(filter, fixture(name)));
    expect(through.length).toBeGreaterThan(4);
    expect(through.length).toBeLessThan(names.length - 4);
  });

  const methods = [
    "CreateCluster",
    "DeleteCluster",
    "SetLabels",
    "UpdateCluster",
    "StartIPRotation",
    "CompleteIPRotation",
    "SetMasterAuth",
    "CreateNodePool",
    "SetLabel",
    "UpdateClusterX",
    "createcluster",
  ];
  const entries = fc.record({
    logName: fc.constant("projects/shop-prod/logs/cloudaudit.googleapis.com%2Factivity"),
    operation: fc.option(
      fc.constantFrom(
        { id: "operation-1", first: true },
        { id: "operation-1", last: true },
        { id: "operation-1", first: true, last: true },
        { id: "operation-1" },
      ),
      { nil: undefined },
    ),
    protoPayload: fc.record({
      serviceName: fc.constantFrom("container.googleapis.com", "compute.googleapis.com"),
      methodName: fc
        .tuple(
          fc.constantFrom(
            "google.container.v1.",
            "google.container.v1beta1.",
            "google.container.v1alpha1.",
            "",
          ),
          fc.constantFrom("ClusterManager.", "OtherManager."),
          fc.constantFrom(...methods),
        )
        .map((parts) => parts.join("")),
      status: fc.option(fc.constantFrom({}, { code: 0 }, { code: 3, message: "no" }, { code: 13 }), {
        nil: undefined,
      }),
    }),
    resource: fc.constant({
      type: "gke_cluster",
      labels: { project_id: "shop-prod", location: "europe-west1", cluster_name: "east" },
    }),
  });

  it("lets through just what the function acts on", () => {
    fc.assert(
      fc.property(entries, (entry) => matches(filter, entry) === isActedOn(entry)),
      { numRuns: 2000 },
    );
  });

  const shared = existsSync(SHARED) ? readdirSync(SHARED).filter((name) => name.endsWith(".yaml")) : [];

  it("agrees on entries of real clusters, where they are at hand", () => {
    for (const name of shared) {
      const entry: Entry = parse(readFileSync(new URL(name, SHARED), "utf8"));
      expect([name, matches(filter, entry)]).toEqual([name, isActedOn(entry)]);
    }
  });
});

import { describe, expect, it } from "@jest/globals";
import { OUTCOMES, type Outcome } from "../../shared/core/answers/outcome.ts";
import { UnavailableError } from "../../shared/errors.ts";
import { createLogger } from "../../shared/log.ts";
import { logProgress, logReconciled } from "../../shared/run-log.ts";

/** Cloud Logging's limit; what it adds itself is left for that. */
const ENTRY_MAX = 256 * 1024 * 0.9;

it("a step has a line of its own unless it left everything unchanged", () => {
  const lines: object[] = [];
  const report = logProgress(createLogger({ write: (line) => lines.push(JSON.parse(line)) }));
  for (const outcome of OUTCOMES) report({ step: "pairSynced", clusterId: "a", target: "b", outcome });
  const logged = ["failed", "waiting", "deleted", "created", "updated"];
  expect(lines).toMatchObject(
    logged.map((outcome) => ({ severity: "INFO", message: "step", step: "pairSynced", outcome })),
  );
});

it("an error is labelled with the cluster that it is about", () => {
  const lines: object[] = [];
  const log = createLogger({ write: (line) => lines.push(JSON.parse(line)) });
  const errors = ["cn-a", "cn-b"].map(
    (clusterId) =>
      new UnavailableError("no answer; try again", { code: "Unavailable", fields: { clusterId } }),
  );
  const summary = { outcome: "failed" as const, members: [], pairs: [], findings: [] };
  logReconciled(log.child({ meshId: "prod" }), { summary, errors, retry: true });
  expect(lines.slice(0, 2)).toMatchObject(
    ["cn-a", "cn-b"].map((cluster_id) => ({
      message: "step failed",
      "logging.googleapis.com/labels": { mesh_id: "prod", cluster_id },
    })),
  );
});

describe("the last line of a run", () => {
  it("counts what came of members and pairs, and fits into an entry however many there are", () => {
    const ids = Array.from(
      { length: 100 },
      (_, index) => `cn-shop-prod-europe-west1-a-rather-long-name-${index}`,
    );
    const outcome: Outcome = "unchanged";
    const members = ids.map((clusterId) => ({ clusterId, outcome, findings: [] }));
    const pairs = ids.flatMap((reader) =>
      ids.filter((target) => target !== reader).map((target) => ({ reader, target, outcome })),
    );
    const lines: string[] = [];
    const summary = {
      outcome,
      members: [{ ...members[0]!, outcome: "created" as const }, ...members.slice(1)],
      pairs,
      findings: [],
    };
    logReconciled(createLogger({ write: (line) => lines.push(line) }), { summary, errors: [], retry: false });
    expect(lines).toHaveLength(1);
    expect(lines[0]!.length).toBeLessThan(ENTRY_MAX);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      message: "reconciled",
      outcome: "unchanged",
      members: { created: 1, unchanged: 99 },
      pairs: { unchanged: 9900 },
    });
  });
});

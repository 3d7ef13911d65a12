import { describe, expect, it } from "@jest/globals";
import { finding } from "../../../shared/core/answers/finding.ts";
import {
  EMPTY_RECORD,
  type MemberRecord,
  nextRecord,
  type RunResult,
} from "../../../shared/core/member/record.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const HOUR = 3_600_000;
const later = (ms: number) => new Date(NOW.getTime() + ms);

function result(seed: Partial<RunResult> = {}): RunResult {
  return {
    now: NOW,
    outcome: "unchanged",
    findings: [],
    changes: undefined,
    left: [],
    roots: { signing: 1 },
    isMember: () => false,
    ...seed,
  };
}

const failed = (message: string, now = NOW) =>
  result({ now, outcome: "failed", findings: [finding("RunFailed", message, "enable it", "cn-a")] });

function after(...results: readonly RunResult[]): MemberRecord {
  return results.reduce(nextRecord, EMPTY_RECORD);
}

describe("the record of a member", () => {
  it("stays the very same after a run that found nothing to do", () => {
    expect(nextRecord(EMPTY_RECORD, result())).toBe(EMPTY_RECORD);
    const busy = after(failed("version 1 is disabled"));
    expect(nextRecord(busy, failed("version 1 is disabled", later(HOUR)))).toBe(busy);
  });

  it("keeps why a run failed, and since when, until a run succeeds", () => {
    const record = after(failed("version 1 is disabled"), failed("version 1 is gone", later(HOUR)));
    expect(record.troubles).toEqual([
      {
        reason: "RunFailed",
        outcome: "failed",
        message: "version 1 is gone",
        cure: "enable it",
        since: NOW.toISOString(),
      },
    ]);
    expect(nextRecord(record, result({ now: later(2 * HOUR) })).troubles).toEqual([]);
  });

  it.each([
    ["waited 10 s", "waited 11 s"],
    ["until 2026-03-01T12:00:00Z", "until 2026-03-01T13:00:00.000Z"],
    ["trace ab12cd34ef", "trace 99887766aa"],
  ])("is not written anew for «%s» in place of «%s»", (first, second) => {
    const record = after(failed(first));
    expect(nextRecord(record, failed(second))).toBe(record);
  });

  it("holds a cure whole, or says where it is: half a command may do another thing", () => {
    const cures = [700, 5000].map((length) => `gcloud x --ranges=${"1".repeat(length)}`);
    const [fits, tooLong] = cures.map((cure) =>
      after(result({ outcome: "failed", findings: [finding("RunFailed", "m", cure)] })),
    );
    expect(fits?.troubles).toMatchObject([{ cure: cures[0] }]);
    expect(tooLong?.troubles).toMatchObject([
      { cure: "it is too long for a note; a run shows it whole: meshjoin sync" },
    ]);
  });

  it("names the other cluster when another is at fault, and does not care for the sequence", () => {
    const record = after(failed("cluster m1 does not answer"));
    expect(nextRecord(record, failed("cluster m2 does not answer")).troubles).toMatchObject([
      { message: "cluster m2 does not answer" },
    ]);
    const [a, b] = [finding("RunFailed", "a", "c"), finding("ApiServerRefused", "b", "c")];
    const both = after(result({ outcome: "failed", findings: [a, b] }));
    expect(nextRecord(both, result({ outcome: "failed", findings: [b, a] }))).toBe(both);
  });

  it("notes a run again if its last note is from the future", () => {
    const run = (at: Date) => result({ now: at, run: { kind: "full", outcome: "unchanged", version: "1" } });
    const ahead = after(run(later(1000 * HOUR)));
    expect(nextRecord(ahead, run(NOW)).runs.full?.at).toBe(NOW.toISOString());
  });

  it("tells what happened, the newest first, and no more than it can hold", () => {
    const record = after(
      ...Array.from({ length: 30 }, (_, hour) =>
        result({ now: later(hour * HOUR), changes: `change ${hour}` }),
      ),
    );
    expect(record.lately.length).toBeLessThanOrEqual(12);
    expect(record.lately[0]).toEqual({ at: later(29 * HOUR).toISOString(), what: "change 29" });
  });

  it("notes the end of a run once an hour, and at once if it went another way", () => {
    const run = (outcome: RunResult["outcome"], at: Date) =>
      result({ now: at, run: { kind: "full", outcome, version: "1" } });
    const first = after(run("created", NOW));
    expect(first.runs.full).toEqual({ at: NOW.toISOString(), outcome: "created", version: "1" });
    expect(nextRecord(first, run("unchanged", later(HOUR - 1)))).toBe(first);
    expect(nextRecord(first, run("unchanged", later(HOUR))).runs.full?.at).toBe(later(HOUR).toISOString());
    expect(nextRecord(first, run("failed", later(1))).runs.full?.outcome).toBe("failed");
    const tick = nextRecord(first, result({ run: { kind: "tick", outcome: "unchanged", version: "1" } }));
    expect(Object.keys(tick.runs).toSorted()).toEqual(["full", "tick"]);
  });

  it.each<[string, Partial<RunResult>]>([
    ["its CA has ended", { now: later(48 * HOUR) }],
    ["it is a member again", { isMember: () => true }],
    ["no root that it chains to is claimed", { roots: { signing: 2 } }],
  ])("forgets a cluster that has left when %s", (_, change) => {
    const left = {
      clusterId: "cn-b",
      since: NOW.toISOString(),
      trustedUntil: later(24 * HOUR).toISOString(),
      rootVersions: [1],
    };
    const record = after(result({ left: [left] }));
    expect(record.left).toEqual([left]);
    expect(nextRecord(record, result({ now: later(HOUR), roots: { signing: 2, previous: 1 } })).left).toEqual(
      [left],
    );
    expect(nextRecord(record, result(change)).left).toEqual([]);
  });
});

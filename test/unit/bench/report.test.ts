import { describe, expect, it } from "@jest/globals";
import { renderReport } from "../../../bench/report.ts";
import { atLeast, atMost } from "../../../bench/target.ts";

function aReport({ requests = 76, connections = 3, exchangeMs = 100, coldStartMs = 400 } = {}): string {
  return renderReport({
    joins: [
      {
        n: 3,
        requests,
        connections,
        portForwards: 4,
        writtenMs: 2700,
        verifiedMs: 2800,
        peakMemory: 180e6,
        manifestMs: 900,
        manifestByHandMs: 1800,
        exchangeMs,
        exchangeByHandMs: 3000,
        targets: {
          requests: atMost(78, requests),
          connections: atMost(3, connections),
          exchange: atLeast(10, 3000 / exchangeMs, " ×"),
        },
      },
    ],
    fullRuns: [
      {
        n: 3,
        runs: 7,
        medianMs: 130,
        slowestMs: 190,
        roundTrips: 8,
        cpuMs: 60,
        requestsPerMember: 4.04,
        portForwardsPerIstiod: 1,
        googleRequests: 2,
        logLines: 1,
      },
    ],
    coldStarts: [
      {
        firstEvent: "ignored",
        compileCache: "none",
        runs: 7,
        medianMs: coldStartMs,
        slowestMs: 1500,
        target: atMost(1000, coldStartMs, " ms"),
      },
    ],
  });
}

describe("the report of the bench", () => {
  it("has a row for the full runs of each size", () => {
    expect(aReport()).toMatch(/^3 +130 ms +190 ms +8 +60 ms +4 +1 +2 +1 +7$/m);
  });

  it("names every target that is met", () => {
    const report = aReport();
    for (const target of ["≤ 78", "≤ 3", "≥ 10 ×", "≤ 1000 ms"]) expect(report).toContain(target);
    expect(report).not.toContain("MISSED");
  });

  it.each([
    [{ requests: 79 }, "≤ 78 MISSED"],
    [{ connections: 4 }, "≤ 3 MISSED"],
    [{ exchangeMs: 301 }, "≥ 10 × MISSED"],
    [{ coldStartMs: 1001 }, "≤ 1000 ms MISSED"],
  ])("says which one is missed: %j", (measured, missed) => {
    expect(aReport(measured)).toContain(missed);
  });
});

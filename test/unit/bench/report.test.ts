import { describe, expect, it } from "@jest/globals";
import { renderReport } from "../../../bench/report.ts";
import type { Simulated } from "../../../bench/simulate/measure.ts";
import { isTooLarge, renderSimulated } from "../../../bench/simulate/report.ts";
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

describe("the report of the simulation", () => {
  const aSize = (seed: Partial<Simulated> = {}): Simulated => ({
    members: 250,
    fullRunMs: 12_340,
    fullRunCpuMs: 9900,
    churnRunMs: 20_000,
    joinMs: 59_000,
    rotationMs: 400_000,
    stageMs: 300_000,
    requestsPerMember: 6,
    portForwardsPerMember: 1,
    portForwardsMost: 16,
    connectionsMost: 280,
    rssMiB: 512,
    planMs: 490,
    loopDelayMs: 120,
    ...seed,
  });

  it("has a row for each size, and none of its targets is missed", () => {
    const report = renderSimulated([aSize({ members: 10, fullRunMs: 500 }), aSize()]);
    expect(report).toMatch(/^ *10 +0\.5 s /m);
    expect(report).toMatch(/^ *250 +12\.3 s /m);
    expect(report).not.toContain("MISSED");
  });

  it.each([
    [{ fullRunCpuMs: 10_100 }, "≤ 10 s MISSED"],
    [{ requestsPerMember: 6.1 }, "≤ 6 MISSED"],
    [{ planMs: 510 }, "≤ 0.5 s MISSED"],
    [{ joinMs: 60_100 }, "≤ 60 s MISSED"],
    [{ joinMs: null }, "≤ 60 s MISSED"],
    [{ rssMiB: 513 }, "≤ 512 MiB MISSED"],
  ])("says which one is missed at 250 members: %j", (measured, missed) => {
    expect(renderSimulated([aSize(measured)])).toContain(missed);
  });

  it("holds smaller sizes to the memory alone", () => {
    expect(renderSimulated([aSize({ members: 100, fullRunCpuMs: 20_000, planMs: 900 })])).not.toContain(
      "MISSED",
    );
    expect(isTooLarge(aSize({ members: 100, rssMiB: 513 }))).toBe(true);
    expect(isTooLarge(aSize({ members: 100 }))).toBe(false);
  });

  it("says so where something did not come to its end", () => {
    expect(renderSimulated([aSize({ rotationMs: null })])).toContain(" none ");
  });
});

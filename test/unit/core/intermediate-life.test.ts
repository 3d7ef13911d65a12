import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  isIntermediateDue,
  isIntermediateExpiring,
  rotationLead,
  wouldGainLife,
} from "../../../shared/core/member/intermediate-life.ts";
import { aSpec } from "../../support/builders/spec.ts";

const DAY = 86_400_000;
const issuedAt = new Date("2026-03-01T00:00:00Z");
const notAfter = new Date(issuedAt.getTime() + 90 * DAY);
const after = (days: number) => new Date(issuedAt.getTime() + days * DAY);
const id = fc.stringMatching(/^cn-[a-z0-9-]{1,40}$/);

describe("an intermediate of ninety days", () => {
  it("is due when a third of its life is left, and at most a tenth of it earlier", () => {
    fc.assert(
      fc.property(id, (clusterId) => {
        expect(isIntermediateDue({ issuedAt, notAfter }, clusterId, after(50.9))).toBe(false);
        expect(isIntermediateDue({ issuedAt, notAfter }, clusterId, after(60))).toBe(true);
      }),
    );
  });

  it("is not due at the same moment as all others", () => {
    const dueAt = (clusterId: string) => {
      let days = 50;
      while (!isIntermediateDue({ issuedAt, notAfter }, clusterId, after(days))) days += 0.1;
      return days.toFixed(1);
    };
    const moments = new Set(
      Array.from({ length: 20 }, (_, index) => dueAt(`cn-shop-europe-west1-m${index}`)),
    );
    expect(moments.size).toBeGreaterThan(10);
  });

  it("is expiring with less than a sixth left", () => {
    expect(isIntermediateExpiring({ issuedAt, notAfter }, after(74))).toBe(false);
    expect(isIntermediateExpiring({ issuedAt, notAfter }, after(76))).toBe(true);
  });

  it.each([
    ["a root that goes on for long", after(3000), true],
    ["a root that ends with it", after(90), false],
    ["a root that ends a week later", after(97), false],
    ["a root that ends a month later", after(120), true],
    ["a root of which nobody knows the end", undefined, true],
  ])("would gain life from %s: %s", (_, rootNotAfter, gains) => {
    expect(wouldGainLife({ issuedAt, notAfter, rootNotAfter }, aSpec(), after(60))).toBe(gains);
  });
});

it("a rotation begins two lives of an intermediate and three of a workload's certificate before the root ends", () => {
  expect(rotationLead(aSpec())).toBe((2 * 90 + 3) * 86_400);
});

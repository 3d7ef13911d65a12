import { describe, expect, it } from "@jest/globals";
import { absoluteTime, parseTime, relativeTime } from "../../../../functions/sync-mesh/page/facts/times.ts";
import { NOW } from "../../../support/builders/member.ts";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

describe("relativeTime", () => {
  it.each([
    [0, "now"],
    [0.9, "now"],
    [-0.9, "now"],
    [1, "in 1 s"],
    [-1, "1 s ago"],
    [59.9, "in 59 s"],
    [MINUTE, "in 1 min"],
    [-(MINUTE + 30), "1 min 30 s ago"],
    [HOUR, "in 1 h"],
    [HOUR + 59, "in 1 h"],
    [2 * HOUR + 5 * MINUTE, "in 2 h 5 min"],
    [DAY, "in 1 d"],
    [3 * DAY + 4 * HOUR + 59 * MINUTE, "in 3 d 4 h"],
    [10 * DAY + 4 * HOUR, "in 10 d"],
    [-400 * DAY, "400 d ago"],
    [730 * DAY, "in 730 d"],
    [731 * DAY, "in 2 years"],
    [3653 * DAY, "in 10 years"],
  ])("%d seconds from now is %s", (seconds, expected) => {
    expect(relativeTime(new Date(NOW.getTime() + seconds * 1000), NOW)).toBe(expected);
  });
});

it("absoluteTime names its zone", () => {
  expect(absoluteTime(NOW)).toBe("2026-03-01 12:00:00 UTC");
});

describe("parseTime", () => {
  it("reads any offset", () => {
    expect(parseTime("2026-03-01T13:00:00+01:00")).toEqual(NOW);
  });

  it.each(["", "soon", "2026-13-01T00:00:00Z"])("%j is no time", (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});

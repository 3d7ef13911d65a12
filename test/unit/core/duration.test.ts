import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { formatGoDuration, parseDuration, parseGoDuration } from "../../../shared/core/duration.ts";

describe("parseDuration", () => {
  it.each([
    ["90d", 7_776_000],
    ["24h", 86_400],
    ["5m", 300],
    ["60s", 60],
    ["0s", 0],
    ["", undefined],
    ["5", undefined],
    ["h", undefined],
    ["1.5h", undefined],
    ["1h30m", undefined],
    [" 5m", undefined],
    ["5w", undefined],
  ])("%j is %j seconds", (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });
});

describe("formatGoDuration", () => {
  it.each([
    [86_400, "24h"],
    [5400, "90m"],
    [61, "61s"],
    [0, "0s"],
  ])("%d seconds are %s", (seconds, text) => {
    expect(formatGoDuration(seconds)).toBe(text);
  });

  it("is read back as the same time", () => {
    fc.assert(fc.property(fc.nat(1e9 - 1), (n) => parseDuration(formatGoDuration(n)) === n));
  });
});

describe("parseGoDuration", () => {
  it.each([
    ["24h", 86_400],
    ["24h0m0s", 86_400],
    ["1.5h", 5400],
    ["90m", 5400],
    ["1m30s", 90],
    ["500ms", 0.5],
  ])("reads %s", (text, seconds) => {
    expect(parseGoDuration(text)).toBe(seconds);
  });

  it.each(["", "24", "1d", "h", "-1h", "1h 30m"])("does not read %j", (text) => {
    expect(parseGoDuration(text)).toBeUndefined();
  });
});

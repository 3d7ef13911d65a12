import { describe, expect, it } from "@jest/globals";
import { fnv1a, shareOf } from "../../../shared/core/hash.ts";

/** Vectors of its authors; http://www.isthe.com/chongo/src/fnv/test_fnv.c */
describe("FNV-1a", () => {
  it.each([
    ["", "cbf29ce484222325"],
    ["a", "af63dc4c8601ec8c"],
    ["foobar", "85944171f73967e8"],
    ["chongo was here!\n", "46810940eff5f915"],
  ])("of %j is as published", (text, hash) => {
    expect(fnv1a(text)).toBe(hash);
  });
});

describe("the share of a name", () => {
  it("is spread evenly over names that differ in a digit", () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let index = 0; index < 1000; index += 1) {
      const tenth = Math.floor(shareOf(`cn-shop-europe-west1-mesh-${index}`) * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) {
      expect(count).toBeGreaterThan(60);
      expect(count).toBeLessThan(150);
    }
  });

  it("is always the same", () => {
    expect(shareOf("cn-shop-europe-west1-mesh-1")).toBe(shareOf("cn-shop-europe-west1-mesh-1"));
  });
});

import { describe, expect, it } from "@jest/globals";
import { nearest } from "../../shared/nearest.ts";

describe("nearest", () => {
  it.each([
    ["a letter too few", "alow", "allow"],
    ["letters swapped", "projetcs", "projects"],
    ["nothing alike", "kitchen", undefined],
    ["no letter at all", "", undefined],
  ])("%s", (_, word, expected) => {
    expect(nearest(word, ["projects", "allow", "root"])).toBe(expected);
  });

  it("has no answer without candidates", () => {
    expect(nearest("word", [])).toBeUndefined();
  });
});

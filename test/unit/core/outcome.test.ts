import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { type Outcome, worst } from "../../../shared/core/answers/outcome.ts";

const outcome = fc.constantFrom<Outcome>("unchanged", "created", "updated", "deleted", "waiting", "failed");

describe("worst", () => {
  it.each<[Outcome[], Outcome]>([
    [[], "unchanged"],
    [["unchanged", "unchanged"], "unchanged"],
    [["unchanged", "created"], "created"],
    [["updated", "created"], "created"],
    [["created", "deleted"], "deleted"],
    [["created", "waiting"], "waiting"],
    [["waiting", "failed", "created"], "failed"],
  ])("of %j is %s", (outcomes, expected) => {
    expect(worst(outcomes)).toBe(expected);
  });

  it("does not depend on the order, and is one of them", () => {
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 1 }), (outcomes) => {
        expect(worst(outcomes.toReversed())).toBe(worst(outcomes));
        expect(outcomes).toContain(worst(outcomes));
      }),
    );
  });
});

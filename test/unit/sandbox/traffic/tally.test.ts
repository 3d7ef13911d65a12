import { expect, it } from "@jest/globals";
import { createTally } from "../../../../sandbox/traffic/tally.ts";

const success = { time: "2026-01-01T00:00:00.000Z", ms: 1, status: 200 };
const failure = { ...success, status: 503, failure: "connection termination" };

it("the counts of all steps add up to those of the whole, whatever comes in between two steps", () => {
  const tally = createTally();
  tally.add(success);
  tally.add(failure);
  const first = tally.endStep("first");
  tally.add(failure);
  tally.add(success);
  tally.add(success);
  const second = tally.endStep("second");
  expect(first).toEqual({ name: "first", requests: 2, failed: 1 });
  expect(second).toEqual({ name: "second", requests: 3, failed: 1 });
  expect(tally.counts()).toEqual({ requests: 5, failed: 2 });
});

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
  expect(first).toEqual({ name: "first", requests: 2, failed: 1, failures: [failure] });
  expect(second).toEqual({ name: "second", requests: 3, failed: 1, failures: [failure] });
  expect(tally.counts()).toEqual({ requests: 5, failed: 2 });
});

it("a step shows how its first failures ended, and counts the others", () => {
  const tally = createTally();
  for (let ms = 0; ms < 1000; ms += 1) tally.add({ ...failure, ms });
  const { failed, failures } = tally.endStep("broken");
  expect(failed).toBe(1000);
  expect(failures.map(({ ms }) => ms)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

import { expect, it } from "@jest/globals";
import { newerNote, sinceAfter } from "../../../shared/core/member/drain.ts";
import { drainCopy, drainNoteObject } from "../../../shared/istio/drain-note.ts";

const CLUSTER = {
  clusterId: "a",
  gkeId: "1",
  ref: { project: "p", location: "l", name: "a" },
};

const readBack = (since: string) =>
  drainCopy(
    drainNoteObject("m", CLUSTER, { state: "drained", since: new Date(since), by: "me", reason: "" }),
    "m",
  )?.note;

it("a note at the end of all dates says nothing, so that an undrain can write over it", () => {
  for (const since of ["9999-12-31T23:59:59.999Z", "+275760-09-13T00:00:00.000Z", "-000001-01-01T00:00:00Z"])
    expect(readBack(since)).toBeUndefined();
});

it("a note far ahead is followed by a newer one", () => {
  const seen = { state: "drained", since: new Date("9998-01-01"), by: "me", reason: "" } as const;
  expect(readBack(seen.since.toISOString())).toEqual(seen);
  const next = { ...seen, state: "serving", since: sinceAfter(seen, new Date("2026-01-01")) } as const;
  expect(newerNote(seen, next)).toBe(next);
});

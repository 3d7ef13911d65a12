import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  formatRootNotes,
  NO_NOTES,
  parseRootNotes,
  type RootNotes,
} from "../../../../shared/core/roots/notes.ts";

const date = fc.date({ min: new Date("2020-01-01"), max: new Date("2060-01-01"), noInvalidDate: true });
const versions = fc
  .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 5 })
  .map((all) => all.toSorted((a, b) => a - b));
const notes: fc.Arbitrary<RootNotes> = fc.record(
  {
    stageSince: date,
    paused: date,
    writesPaused: date,
    rotateBefore: date,
    origin: fc.constantFrom("generated" as const, "imported" as const),
    otherOrigin: fc.constantFrom("generated" as const, "imported" as const),
    lastOrders: fc.array(date, { maxLength: 3 }),
    aheadOrders: fc.array(date, { maxLength: 3 }),
    distributed: versions,
    retired: versions,
    retiring: versions,
    without: fc
      .uniqueArray(fc.constantFrom("cn-a", "cn-b", "cn-c"))
      .map((all) => all.toSorted((a, b) => (a < b ? -1 : 1))),
    view: fc.constantFrom(
      { sources: ["shop"], allow: [] },
      { sources: ["shop", "zoo"], allow: ["m*", "n?"] },
    ),
  },
  { requiredKeys: ["distributed", "retired", "retiring", "without", "lastOrders", "aheadOrders"] },
);

describe("the notes on the root secret", () => {
  it("are read as they were written", () => {
    fc.assert(
      fc.property(notes, (written) => {
        expect(parseRootNotes(formatRootNotes(written, {}))).toEqual(written);
      }),
    );
  });

  it("stand under keys that Secret Manager takes", () => {
    fc.assert(
      fc.property(notes, (written) => {
        for (const key of Object.keys(formatRootNotes(written, {}))) {
          expect(key).toMatch(/^meshjoin\.dev_[a-z-]+$/);
        }
      }),
    );
  });

  it("leave somebody else's annotations alone, and take their own away", () => {
    const before = { team: "mesh", "meshjoin.dev_paused": "2026-03-01T00:00:00.000Z" };
    expect(formatRootNotes({ ...NO_NOTES, retired: [1, 2] }, before)).toEqual({
      team: "mesh",
      "meshjoin.dev_retired": "1,2",
    });
  });

  it.each([
    ["stage-since", "yes"],
    ["origin", "stolen"],
    ["retired", "all,-1,x"],
  ])("count as not written where %s is %s", (key, value) => {
    expect(parseRootNotes({ [`meshjoin.dev_${key}`]: value })).toEqual(NO_NOTES);
  });

  it.each(["paused", "writes-paused"])("hold a pause where %s is no time", (key) => {
    const read = parseRootNotes({ [`meshjoin.dev_${key}`]: "yes" });
    expect(Object.values(read)).toContainEqual(new Date(0));
  });
});

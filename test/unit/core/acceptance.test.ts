import { describe, expect, it } from "@jest/globals";
import { formatAcceptance, isAccepted } from "../../../shared/core/member/acceptance.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const SEEN = { resourceVersion: "41", rootVersions: { signing: 2, next: 3 } };
const NOTE = formatAcceptance({ ...SEEN, until: new Date("2026-06-01T00:00:00Z") });

describe("what was noted of an accepted cacerts", () => {
  it("is one line that names what it was judged by", () => {
    expect(NOTE).toBe('41 {"next":3,"signing":2} 2026-06-01T00:00:00.000Z');
  });

  it("holds while nothing of it has changed", () => {
    expect(isAccepted(NOTE, SEEN, NOW)).toBe(true);
  });

  it.each([
    ["the Secret was changed", NOTE, { ...SEEN, resourceVersion: "42" }, NOW],
    ["the mesh has other roots", NOTE, { ...SEEN, rootVersions: { signing: 2 } }, NOW],
    ["a certificate in it has expired", NOTE, SEEN, new Date("2026-06-01T00:00:00Z")],
    ["it is empty", "", SEEN, NOW],
    ["somebody wrote no date", NOTE.replace("2026-06-01T00:00:00.000Z", "for ever"), SEEN, NOW],
  ])("does not hold when %s", (_, note, seen, now) => {
    expect(isAccepted(note, seen, now)).toBe(false);
  });
});

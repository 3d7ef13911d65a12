import { describe, expect, it } from "@jest/globals";
import { expiriesOf } from "../../../../functions/sync-mesh/page/facts/expiries.ts";
import { orderedPairsOf } from "../../../../functions/sync-mesh/page/facts/pairs.ts";
import { aMemberStatus, aStatus } from "../../../support/builders/status.ts";

const WRITTEN = { fingerprint: "aa", notAfter: "2026-05-01T00:00:00Z" };
const NOTHING = { written: null, loaded: [] };

describe("what expires", () => {
  it("comes in the order in which it does, whatever it is and however its time is written", () => {
    const status = aStatus({ members: 3, troubled: true });
    const all = expiriesOf(status, orderedPairsOf(status));
    const times = all.map(({ at }) => Date.parse(at));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(all.map(({ kind }) => kind)).toEqual([
      "token",
      "token",
      "token",
      "intermediate",
      "intermediate",
      "root",
    ]);
  });

  it("names a root once, with how many trust it", () => {
    const root = [{ fingerprint: "01", notAfter: "2030-01-01T00:00:00Z" }];
    const next = { fingerprint: "02", notAfter: "2029-01-01T00:00:00Z" };
    const members = [
      aMemberStatus({ clusterId: "a", root, intermediate: NOTHING }),
      aMemberStatus({ clusterId: "b", root: [...root, next], intermediate: NOTHING }),
    ];
    expect(expiriesOf({ ...aStatus(), members }, [])).toEqual([
      { kind: "root", at: next.notAfter, fingerprint: "02", members: 1 },
      { kind: "root", at: "2030-01-01T00:00:00Z", fingerprint: "01", members: 2 },
    ]);
  });

  it("tells pods that serve the written intermediate from those that do not", () => {
    const loaded = ["aa", "bb", "aa"].map((fingerprint, index) => ({ pod: `istiod-${index}`, fingerprint }));
    const members = [aMemberStatus({ clusterId: "a", root: [], intermediate: { written: WRITTEN, loaded } })];
    expect(expiriesOf({ ...aStatus(), members }, [])).toEqual([
      {
        kind: "intermediate",
        at: WRITTEN.notAfter,
        clusterId: "a",
        fingerprint: "aa",
        loadedBy: 2,
        otherwise: 1,
      },
    ]);
  });

  it("puts what is no time first: somebody should look at it", () => {
    const odd = { fingerprint: "cc", notAfter: "never" };
    const members = [
      aMemberStatus({ clusterId: "a", root: [], intermediate: { written: WRITTEN, loaded: [] } }),
      aMemberStatus({ clusterId: "b", root: [], intermediate: { written: odd, loaded: [] } }),
    ];
    expect(expiriesOf({ ...aStatus(), members }, []).map(({ at }) => at)).toEqual([
      "never",
      WRITTEN.notAfter,
    ]);
  });
});

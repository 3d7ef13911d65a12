import { describe, expect, it } from "@jest/globals";
import { gapsOf } from "../../../../functions/sync-mesh/page/facts/gaps.ts";
import {
  countByState,
  describeTally,
  isWanted,
  orderedPairsOf,
  type PairState,
  WORST_FIRST,
  worstPairState,
} from "../../../../functions/sync-mesh/page/facts/pairs.ts";
import { renderPage } from "../../../../functions/sync-mesh/page/page.ts";
import { finding } from "../../../../shared/core/answers/finding.ts";
import { PAIR_STATUSES, type PairStatus } from "../../../../shared/core/answers/status.ts";
import { aView } from "../../../support/builders/page-view.ts";
import { aStatus } from "../../../support/builders/status.ts";

const status = aStatus({ members: 2 });
const [reader = "", target = ""] = status.members.map(({ clusterId }) => clusterId);

function pod(seed: Partial<PairStatus>): PairStatus {
  return {
    reader,
    target,
    pod: "istiod-1",
    status: "synced",
    isDue: true,
    route: "direct",
    probe: { state: "none" },
    tokenExpiry: null,
    seenAt: status.time,
    ...seed,
  };
}

describe("the worst state", () => {
  it("is known of every state", () => {
    expect(WORST_FIRST.toSorted()).toEqual([...PAIR_STATUSES, "pending", "failing", "drained"].toSorted());
  });

  it.each<[PairState[], PairState]>([
    [["synced"], "synced"],
    [["synced", "syncing"], "syncing"],
    [["syncing", "unknown"], "unknown"],
    [["unknown", "timeout", "synced"], "timeout"],
    [["timeout", "closed"], "closed"],
    [["closed", "missing", "synced"], "missing"],
    [["missing", "failing"], "failing"],
    [[], "unknown"],
  ])("of %j is %s", (states, expected) => {
    expect(worstPairState(states)).toBe(expected);
  });
});

describe("a pair whose target is drained", () => {
  const [first, ...others] = status.members;
  const drain = { state: "present", since: status.time, by: "ann", reason: "disk" } as const;
  const members = first === undefined ? others : [{ ...first, drain }, ...others];

  it("is none of those that should be, and no gap, whatever an istiod lists", () => {
    const to = { reader: target, target: reader };
    const rows = [pod({}), pod({ ...to, status: "missing" }), pod({ ...to, pod: "b" })];
    const pairs = orderedPairsOf({ ...status, members, pairs: rows });
    expect(pairs.map(({ state }) => state)).toEqual(["synced", "drained"]);
    expect(pairs.filter(isWanted)).toHaveLength(1);
    expect(gapsOf(pairs)).toEqual([]);
  });

  it("is drained on the page, with the member’s drain, and nothing to do", () => {
    const { html: page } = renderPage(aView({ status: { ...status, members } }));
    expect(page).toContain('<span class="badge info">drained</span>');
    expect(page).toContain("by ann: disk");
    expect(page).toContain("<dd>1<small> of 1 synced</small></dd>");
    expect(page).toContain("drained 1");
  });

  it("and whose reader is dead, is no trouble on the page, as it is none for the verdict", () => {
    const findings = [finding("ApiServerUnreachable", "no answer", "wait", members[0]?.clusterId)];
    const dead = members.map((each, index) => (index === 0 ? { ...each, reachable: false, findings } : each));
    const back = { reader: target, target: reader, status: "missing", isDue: false } as const;
    const pairs = [pod({ pod: "", status: "unknown" }), pod(back)];
    const { html: page } = renderPage(aView({ status: { ...status, members: dead, pairs } }));
    expect(page).toContain("<title>Whole: ");
    expect(page).not.toContain('class="alert');
    expect(page).not.toMatch(/class="tile (?:warning|error)"/);
    expect(page).not.toContain('<span class="badge warning">unreachable</span>');
    expect(page).not.toContain("A sync cannot help");
  });

  it("is drained by Meshjoin on the page, and a warning", () => {
    const dead = members.map((each, index) =>
      index === 0 ? { ...each, drain: { ...drain, by: "meshjoin" } } : each,
    );
    const { html: page } = renderPage(aView({ status: { ...status, members: dead } }));
    expect(page).toMatch(/<span class="badge warning">drained by Meshjoin<\/span> .+: disk/);
    expect(page).not.toContain("by meshjoin");
  });
});

describe("an ordered pair", () => {
  it("is one ordered pair over all pods of its reader", () => {
    const pods = [pod({}), pod({ pod: "istiod-2", status: "timeout" })];
    const back = pod({ reader: target, target: reader });
    expect(orderedPairsOf({ ...status, pairs: [...pods, back] })).toEqual([
      {
        reader,
        target,
        route: "direct",
        state: "timeout",
        probe: { state: "none" },
        pods: [
          { pod: "istiod-1", state: "synced" },
          { pod: "istiod-2", state: "timeout" },
        ],
        tokenExpiry: undefined,
      },
      {
        reader: target,
        target: reader,
        route: "direct",
        state: "synced",
        probe: { state: "none" },
        pods: [{ pod: "istiod-1", state: "synced" }],
        tokenExpiry: undefined,
      },
    ]);
  });

  it("is pending, and not missing, while a side is not ready for it", () => {
    const pairs = [pod({ status: "missing", isDue: false })];
    expect(orderedPairsOf({ ...status, pairs })).toMatchObject([{ state: "pending" }]);
  });

  it("is synced once it is, whether it was due or not", () => {
    expect(orderedPairsOf({ ...status, pairs: [pod({ isDue: false })] })).toMatchObject([
      { state: "synced" },
    ]);
  });

  it("fails where it is synced and no request passes", () => {
    const probe = { state: "failed", cause: "TargetSilent" } as const;
    expect(orderedPairsOf({ ...status, pairs: [pod({ probe })] })).toMatchObject([{ state: "failing" }]);
    const both = orderedPairsOf({ ...status, pairs: [pod({ probe, status: "missing" })] });
    expect(both).toMatchObject([{ state: "missing" }]);
  });

  it("has the first expiry of its tokens, whatever their offsets", () => {
    const pairs = [
      pod({ tokenExpiry: "2026-03-03T01:00:00+02:00" }),
      pod({ pod: "istiod-2", tokenExpiry: "2026-03-03T00:00:00Z" }),
      pod({ pod: "istiod-3" }),
    ];
    expect(orderedPairsOf({ ...status, pairs })).toMatchObject([
      { tokenExpiry: "2026-03-03T01:00:00+02:00" },
    ]);
  });

  it("is between members", () => {
    const pairs = [pod({ target: "cn-gone" }), pod({ reader: "cn-gone" })];
    expect(orderedPairsOf({ ...status, pairs })).toEqual([]);
  });
});

it("a tally counts every state, and names all but synced, the worst first", () => {
  const counts = countByState(orderedPairsOf(aStatus({ members: 3, troubled: true })));
  expect(counts).toEqual({
    synced: 1,
    syncing: 0,
    pending: 0,
    drained: 0,
    failing: 0,
    timeout: 1,
    closed: 1,
    missing: 1,
    unknown: 2,
  });
  expect(describeTally(counts)).toBe("missing 1, closed 1, timeout 1, not known 2");
});

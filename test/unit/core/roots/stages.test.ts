import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { named } from "../../../../shared/core/member/observation.ts";
import { unsafeRoots } from "../../../../shared/core/roots/guard.ts";
import { NO_NOTES } from "../../../../shared/core/roots/notes.ts";
import {
  abort,
  advance,
  claimNext,
  claimSigning,
  isRefusal,
  isStaleOrder,
  pause,
  type Refusal,
  type Roots,
  resume,
  stageOf,
  type Transition,
  withOrder,
} from "../../../../shared/core/roots/stages.ts";
import { bundleVersions, formatRootVersions } from "../../../../shared/core/roots/state.ts";
import { aCluster } from "../../../support/builders/cluster.ts";
import { aSpec } from "../../../support/builders/spec.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const IDLE: Roots = { versions: { signing: 1 }, notes: { ...NO_NOTES, origin: "generated" } };

function done(result: Transition | Refusal): Transition {
  if (isRefusal(result)) throw new Error(result.message);
  return result;
}

const begun = () => done(claimNext(IDLE, 2, "generated", NOW));

describe("a rotation to its end", () => {
  it("goes through its stages, and disables the old root last", () => {
    const distribute = begun();
    expect([stageOf(distribute), distribute.versions]).toEqual(["distribute", { signing: 1, next: 2 }]);
    const switched = done(advance(distribute, NOW));
    expect([stageOf(switched), switched.versions]).toEqual(["switch", { previous: 1, signing: 2 }]);
    const retired = done(advance(switched, NOW));
    expect([stageOf(retired), retired.versions]).toEqual(["retire", { signing: 2 }]);
    expect(retired).toMatchObject({ notes: { retired: [1], retiring: [1] }, disable: [] });
    const idle = done(advance(retired, NOW));
    expect([stageOf(idle), idle.versions, idle.disable]).toEqual(["idle", { signing: 2 }, [1]]);
    expect(idle.notes).toMatchObject({ retired: [1], retiring: [] });
    expect(advance(idle, NOW)).toMatchObject({ refused: "NoRotation" });
  });

  it("keeps who made the root that signs", () => {
    const imported = done(claimNext(IDLE, 2, "imported", NOW));
    expect(imported.notes).toMatchObject({ origin: "generated", otherOrigin: "imported" });
    const switched = done(advance(imported, NOW));
    expect(switched.notes).toMatchObject({ origin: "imported", otherOrigin: "generated" });
    const back = done(abort(switched, NOW));
    expect(back.notes).toMatchObject({ origin: "generated", otherOrigin: "imported" });
    expect(done(advance(back, NOW)).notes).not.toHaveProperty("otherOrigin");
  });
});

describe("a rotation that is taken back", () => {
  it("before the switch drops the new root at once: nobody has signed with it", () => {
    const back = done(abort(begun(), NOW));
    expect([stageOf(back), back.versions]).toEqual(["retire", { signing: 1 }]);
    expect(back.notes).toMatchObject({ retired: [2], retiring: [2] });
    expect(done(advance(back, NOW)).disable).toEqual([2]);
  });

  it("after the switch lets the old root sign again, and the new one wait for its time", () => {
    const back = done(abort(done(advance(begun(), NOW)), NOW));
    expect([stageOf(back), back.versions]).toEqual(["switch", { previous: 2, signing: 1 }]);
    const retired = done(advance(back, NOW));
    expect([retired.versions, retired.notes.retired]).toEqual([{ signing: 1 }, [2]]);
  });

  it("cannot be when its old root has left", () => {
    const retired = done(advance(done(advance(begun(), NOW)), NOW));
    expect(abort(retired, NOW)).toMatchObject({ refused: "NothingToAbort" });
    expect(abort(IDLE, NOW)).toMatchObject({ refused: "NothingToAbort" });
  });

  it("goes on where it was paused", () => {
    expect(done(abort(done(pause(begun(), NOW)), NOW)).notes).not.toHaveProperty("paused");
  });
});

describe("a rotation does not begin", () => {
  it.each<[string, Roots, number, string]>([
    ["while one is under way", begun(), 3, "RotationInProgress"],
    ["before the old root is disabled", done(abort(begun(), NOW)), 3, "RotationInProgress"],
    ["without a root that signs", { versions: {}, notes: NO_NOTES }, 1, "UnexpectedAliases"],
    ["to the root that signs", IDLE, 1, "RootUsed"],
    [
      "to a root that was retired",
      { versions: { signing: 2 }, notes: { ...NO_NOTES, retired: [1] } },
      1,
      "RootUsed",
    ],
  ])("%s", (_, roots, version, refused) => {
    expect(claimNext(roots, version, "generated", NOW)).toMatchObject({ refused });
  });

  it("with a second first root", () => {
    expect(claimSigning(IDLE, 2, "generated")).toMatchObject({ refused: "RootExists" });
    expect(done(claimSigning({ versions: {}, notes: NO_NOTES }, 1, "imported"))).toMatchObject({
      versions: { signing: 1 },
      notes: { origin: "imported" },
    });
  });
});

describe("aliases that somebody has edited", () => {
  it.each([
    ["three at once", { signing: 2, next: 3, previous: 1 }],
    ["one version twice", { signing: 1, next: 1 }],
    ["none that signs", { previous: 1 }],
  ])("(%s) hold a rotation in both directions", (_, versions) => {
    const roots = { versions, notes: NO_NOTES };
    expect(advance(roots, NOW)).toMatchObject({ refused: "UnexpectedAliases" });
    expect(abort(roots, NOW)).toMatchObject({ refused: "UnexpectedAliases" });
  });
});

describe("an order", () => {
  it("that was acted on is not acted on again, and none that was given before it", () => {
    const { notes } = withOrder(begun(), NOW, NOW);
    expect(isStaleOrder(notes, NOW, NOW)).toBe(true);
    expect(isStaleOrder(notes, new Date(NOW.getTime() - 1), NOW)).toBe(true);
    expect(isStaleOrder(notes, new Date(NOW.getTime() + 1), NOW)).toBe(false);
    expect(isStaleOrder(NO_NOTES, NOW, NOW)).toBe(false);
  });

  it("to pause or to go on may come twice", () => {
    const paused = done(pause(begun(), NOW));
    expect(pause(paused, new Date(NOW.getTime() + 1))).toEqual(paused);
    const resumed = done(resume(paused));
    expect(resumed.notes).not.toHaveProperty("paused");
    expect(resume(resumed)).toEqual(resumed);
    expect(pause(IDLE, NOW)).toMatchObject({ refused: "NoRotation" });
    expect(resume(IDLE)).toMatchObject({ refused: "NoRotation" });
  });
});

type Move = "claim" | "advance" | "abort" | "pause" | "resume";
const moves = fc.array(fc.constantFrom<Move>("claim", "advance", "abort", "pause", "resume"), {
  maxLength: 30,
});

/** Every state that a sequence of orders leads through, the first one included. */
function statesOf(sequence: readonly Move[]): Roots[] {
  const states: Roots[] = [IDLE];
  let fresh = 2;
  for (const move of sequence) {
    const roots = states.at(-1) ?? IDLE;
    const result = {
      claim: () => claimNext(roots, fresh, "generated", NOW),
      advance: () => advance(roots, NOW),
      abort: () => abort(roots, NOW),
      pause: () => pause(roots, NOW),
      resume: () => resume(roots),
    }[move]();
    if (isRefusal(result)) continue;
    if (move === "claim") fresh += 1;
    states.push({ versions: result.versions, notes: result.notes });
  }
  return states;
}

describe("whatever is ordered", () => {
  it("one root signs, two are trusted at most, and each bundle nests with the one before", () => {
    fc.assert(
      fc.property(moves, (sequence) => {
        const states = statesOf(sequence);
        for (const [index, { versions }] of states.entries()) {
          expect(versions.signing).toBeDefined();
          const bundle = new Set(bundleVersions(versions));
          expect(bundle.size).toBeLessThanOrEqual(2);
          const before = new Set(bundleVersions(states[Math.max(0, index - 1)]?.versions ?? {}));
          expect(bundle.isSubsetOf(before) || bundle.isSupersetOf(before)).toBe(true);
        }
      }),
    );
  });

  it("none signs that was not distributed before, and none leaves off the record", () => {
    fc.assert(
      fc.property(moves, (sequence) => {
        const states = statesOf(sequence);
        for (const [index, roots] of states.entries()) {
          const before = states[Math.max(0, index - 1)]?.versions ?? {};
          const member = { rootVersions: formatRootVersions(before) };
          expect(unsafeRoots(member, { roots, spec: aSpec() }, named(aCluster()))).toBeUndefined();
        }
      }),
    );
  });

  it("a root that has left never comes back", () => {
    fc.assert(
      fc.property(moves, (sequence) => {
        const gone = new Set<number>();
        for (const { versions, notes } of statesOf(sequence)) {
          for (const version of notes.retired) gone.add(version);
          expect(bundleVersions(versions).filter((version) => gone.has(version))).toEqual([]);
        }
      }),
    );
  });
});

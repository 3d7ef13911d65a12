import { describe, expect, it } from "@jest/globals";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import type { Absence } from "../../../shared/core/member/absence.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { type DepartureInput, planDepartures } from "../../../shared/plan/departures.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { anUnreachableMember, aPairedFleet, NOW } from "../../support/builders/member.ts";
import { aSpec } from "../../support/builders/spec.ts";

const fleet = (count: number): Cluster[] =>
  Array.from({ length: count }, (_, index) => aCluster({ name: `m${index + 1}` }));

/** Long before the grace began. */
const LONG_AGO = new Date("2026-01-01T00:00:00Z");

/** The first `left` of a paired fleet have left, and their grace is over. */
function aDeparture(
  size: number,
  left: number,
  certainty: Absence["certainty"],
  seed: Partial<DepartureInput> = {},
) {
  const clusters = fleet(size);
  const members = aPairedFleet(clusters);
  return planDepartures({
    members: members.slice(left),
    departures: clusters.slice(0, left).map(({ ref }) => ({
      departed: { clusterId: clusterId(ref), ref, lostSince: LONG_AGO },
      absence: { certainty, runsOn: ["assumed", "notConfigured"].includes(certainty), why: "of the test" },
    })),
    leavers: [],
    unasked: [],
    spec: aSpec(),
    only: undefined,
    confirm: [],
    leaving: [],
    now: NOW,
    ...seed,
  });
}

const reasons = (plan: ReturnType<typeof planDepartures>) => [
  ...new Set(plan.findings.map(({ reason }) => reason)),
];
/** What is deleted; notes are no removals. */
const removalsOf = ({ actions }: ReturnType<typeof planDepartures>) =>
  actions.filter((action) => action.kind === "disconnect" || action.kind === "revoke");
const [M1, M2, M3] = fleet(3).map(({ ref }) => clusterId(ref));

describe("planDepartures", () => {
  it("takes from every member what it holds of the one that left, and what stands for it", () => {
    const plan = aDeparture(3, 1, "proved");
    expect(
      removalsOf(plan).map(({ kind, verb, clusterId: id, secret }) => [kind, verb, id, secret.name]),
    ).toEqual([
      ["disconnect", "delete", M2, `istio-remote-secret-${M1}`],
      ["disconnect", "delete", M3, `istio-remote-secret-${M1}`],
      ["revoke", "delete", M2, `meshjoin-reader-${M1}`],
      ["revoke", "delete", M3, `meshjoin-reader-${M1}`],
    ]);
    expect(plan.findings).toEqual([]);
    expect(plan.actions).toEqual(removalsOf(plan));
  });

  it("takes from a leaver that still runs all that it holds of the members, and says until when it is trusted", () => {
    const [leaver] = aPairedFleet(fleet(3));
    const plan = aDeparture(3, 1, "assumed", { leavers: [leaver!] });
    const { actions, findings } = plan;
    expect(actions[0]).toMatchObject({ kind: "markLeft", clusterId: M1, leftAt: NOW });
    const onLeaver = removalsOf(plan).filter(({ clusterId: id }) => id === M1);
    expect(onLeaver.map(({ kind, secret }) => [kind, secret.name])).toEqual([
      ["disconnect", `istio-remote-secret-${M2}`],
      ["disconnect", `istio-remote-secret-${M3}`],
      ["revoke", `meshjoin-reader-${M2}`],
      ["revoke", `meshjoin-reader-${M3}`],
    ]);
    expect(findings).toMatchObject([
      { reason: "TrustedLeaver", message: expect.stringContaining("2026-05-30 12:00 UTC") },
    ]);
  });

  it("leaves a leaver the tokens of readers that are not seen to have let go, and names them", () => {
    const clusters = fleet(4);
    const [leaver, ...members] = aPairedFleet(clusters);
    const unlisted = members[0]!;
    const { actions, findings } = aDeparture(4, 1, "assumed", {
      leavers: [leaver!],
      members: [members[1]!, anUnreachableMember(clusters[3])],
    });
    const readers = actions.flatMap((action) =>
      action.kind === "revoke" && action.clusterId === M1 ? [action.reader] : [],
    );
    expect(readers).toEqual([M3]);
    expect(findings).toMatchObject([
      { reason: "TrustedLeaver" },
      {
        reason: "RevocationWaits",
        message: expect.stringContaining(`${unlisted.clusterId}, ${members[2]!.clusterId}`),
      },
    ]);
  });

  it("does not wait for what leaves itself", () => {
    const [first, second] = aPairedFleet(fleet(5));
    const { actions } = aDeparture(5, 2, "assumed", {
      leavers: [first!, anUnreachableMember(second!.cluster)],
    });
    const readers = actions.flatMap((action) =>
      action.kind === "revoke" && action.clusterId === M1 ? [action.reader] : [],
    );
    expect(readers).toContain(M2);
  });

  it("says that a leaver may be trusted though it cannot be seen", () => {
    const [leaver] = fleet(1);
    const plan = aDeparture(3, 1, "assumed", { leavers: [anUnreachableMember(leaver)] });
    expect(reasons(plan)).toEqual(["TrustedLeaver"]);
    expect(plan.actions).toHaveLength(4);
  });

  it.each<[string, number, number]>([
    ["one of twenty", 20, 1],
    ["half", 4, 2],
    ["two of three", 3, 2],
  ])(
    "takes nothing away of %s that the configuration leaves out, until that is confirmed",
    (_, size, left) => {
      for (const confirm of [[], ["MassLeave"]]) {
        const plan = aDeparture(size, left, "notConfigured", { confirm });
        expect(plan.actions).toEqual([]);
        expect(reasons(plan)).toEqual(["NotConfigured"]);
      }
      const confirmed = aDeparture(size, left, "notConfigured", { confirm: ["NotConfigured"] });
      expect(confirmed.actions).toHaveLength((size - left) * left * 2);
      expect(reasons(confirmed)).toEqual(["TrustedLeaver"]);
    },
  );

  it.each<[Absence["certainty"], number, string[]]>([
    ["proved", 4, []],
    ["assumed", 0, ["MemberLeft"]],
  ])("in a run about one cluster that has left (%s) does %i things", (certainty, actions, said) => {
    const plan = aDeparture(3, 1, certainty, { only: M1 ?? "" });
    expect(plan.actions).toHaveLength(actions);
    expect(reasons(plan)).toEqual(said);
  });

  it("takes nothing away on no proof at all", () => {
    const plan = aDeparture(3, 1, "open");
    expect(plan.actions).toEqual([]);
    expect(reasons(plan)).toEqual(["AbsenceNotProved"]);
  });

  it.each<[string, number, number, Absence["certainty"], Partial<DepartureInput>, boolean]>([
    ["one of two", 2, 1, "assumed", {}, false],
    ["two of four", 4, 2, "assumed", {}, false],
    ["two of three", 3, 2, "assumed", {}, true],
    ["all of three", 3, 3, "assumed", {}, true],
    ["two of four where a quarter may", 4, 2, "assumed", { spec: aSpec({ massLeaveShare: 0.25 }) }, true],
    ["two of three that are proved deleted", 3, 2, "proved", {}, false],
    ["two of three when it is confirmed", 3, 2, "assumed", { confirm: ["MassLeave"] }, false],
    ["two of three, in a run about one, which raises no alarm", 3, 2, "assumed", { only: M1 ?? "" }, false],
    ["two of three that a person takes out", 3, 2, "assumed", { leaving: [M1 ?? "", M2 ?? ""] }, false],
  ])("is a mass leave of %s: %#", (_, size, left, certainty, seed, held) => {
    const plan = aDeparture(size, left, certainty, seed);
    expect(reasons(plan).includes("MassLeave")).toBe(held);
    expect(removalsOf(plan).length === 0).toBe(held || left === size || seed.only !== undefined);
  });

  it("acts on the one that the run is about alone", () => {
    const plan = aDeparture(4, 2, "proved", { only: M2 ?? "" });
    expect(new Set(removalsOf(plan).map(({ secret }) => secret.name))).toEqual(
      new Set([`istio-remote-secret-${M2}`, `meshjoin-reader-${M2}`]),
    );
  });
});

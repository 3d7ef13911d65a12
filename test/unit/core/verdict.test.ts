import { describe, expect, it } from "@jest/globals";
import { finding } from "../../../shared/core/answers/finding.ts";
import type { MemberStatus, PairStatus, Status } from "../../../shared/core/answers/status.ts";
import { type Health, verdictOf } from "../../../shared/core/answers/verdict.ts";
import { aStatus } from "../../support/builders/status.ts";

const WELL = aStatus({ members: 3 });

const FAILED = { state: "failed", cause: "NoEndpoint" } as const;

function withFirstPair(change: Partial<PairStatus>): Status {
  const [first] = WELL.pairs;
  const is = ({ reader, target }: PairStatus) => reader === first?.reader && target === first.target;
  return { ...WELL, pairs: WELL.pairs.map((pair) => (is(pair) ? { ...pair, ...change } : pair)) };
}

/** A person has drained the first member. */
function withDrain(status: Status, change: Partial<MemberStatus> = {}): Status {
  const [first] = status.members;
  const drain = { state: "present", since: "2026-03-01T12:00:00.000Z", by: "ann", reason: "" } as const;
  const id = first?.clusterId ?? "";
  return {
    ...status,
    members: status.members.map((each) => (each.clusterId === id ? { ...each, drain, ...change } : each)),
    pairs: status.pairs.map((pair) =>
      pair.target === id
        ? { ...pair, status: "missing", isDue: false, probe: { state: "absentOnPurpose" } }
        : pair.reader === id && change.reachable === false
          ? { ...pair, status: "unknown" }
          : pair,
    ),
  };
}

const silent = (id: string) => finding("ApiServerUnreachable", "no answer", "wait", id);

describe("the verdict on a mesh", () => {
  it.each<[string, Status, Health, string]>([
    ["reads its peers", withDrain(WELL), "whole", "3 members, all 4 pairs synced, 1 drained"],
    [
      "is dead",
      withDrain(WELL, { reachable: false, findings: [silent(WELL.members[0]?.clusterId ?? "")] }),
      "whole",
      "3 members, all 2 pairs synced, 1 drained",
    ],
    [
      "does not read a peer",
      withDrain({ ...WELL, pairs: WELL.pairs.map((pair) => ({ ...pair, status: "closed" })) }),
      "broken",
      "4 of 4 pairs not synced, 1 drained",
    ],
  ])("does not hold it against the mesh that a drained member %s, or does", (_, status, health, text) => {
    expect(verdictOf(status)).toMatchObject({ health, text });
  });

  it("is degraded where Meshjoin has drained a member by itself, until somebody looks", () => {
    const id = WELL.members[0]?.clusterId ?? "";
    const told = finding("DrainedAutomatically", "it is dead", "mend it", id);
    const status = withDrain(WELL, { reachable: false, findings: [silent(id), told] });
    expect(verdictOf(status)).toMatchObject({
      health: "degraded",
      text: "1 warning, 1 drained",
      findings: [told],
    });
  });

  it.each<[string, Status, Health, string]>([
    ["all synced", WELL, "whole", "3 members, all 6 pairs synced"],
    ["a pair closed", withFirstPair({ status: "closed" }), "broken", "1 of 6 pairs not synced"],
    ["a pair not known", withFirstPair({ status: "unknown" }), "degraded", "1 pair not known"],
    [
      "a pair whose target is silent",
      withFirstPair({ status: "unknown", isDue: false }),
      "degraded",
      "1 pair not known",
    ],
    ["a pair still syncing", withFirstPair({ status: "syncing" }), "degraded", "1 pair not there yet"],
    [
      "a pair whose target joins",
      withFirstPair({ status: "missing", isDue: false }),
      "degraded",
      "1 pair not there yet",
    ],
    [
      "a request that fails",
      withFirstPair({ probe: FAILED }),
      "broken",
      "requests fail between 1 of 6 pairs",
    ],
    [
      "a request that fails, and an istiod that could not be asked",
      withFirstPair({ probe: FAILED, status: "unknown" }),
      "broken",
      "requests fail between 1 of 6 pairs, 1 pair not known",
    ],
    [
      "a request that fails while the pair is syncing",
      withFirstPair({ probe: FAILED, status: "syncing" }),
      "degraded",
      "1 pair not there yet",
    ],
    [
      "a request that fails while the target joins",
      withFirstPair({ probe: FAILED, status: "missing", isDue: false }),
      "degraded",
      "1 pair not there yet",
    ],
    [
      "a request that fails because the pair is closed",
      withFirstPair({ probe: FAILED, status: "closed" }),
      "broken",
      "1 of 6 pairs not synced",
    ],
    ["no member", aStatus({ members: 0 }), "degraded", "no member yet"],
    ["one member", aStatus({ members: 1 }), "whole", "1 member, no pair yet"],
    [
      "an error of a member",
      {
        ...WELL,
        members: WELL.members.map((member, index) =>
          index === 0
            ? { ...member, findings: [finding("ForeignCacerts", "m", "c", member.clusterId)] }
            : member,
        ),
      },
      "broken",
      "1 error",
    ],
    [
      "a member unreachable",
      { ...WELL, members: WELL.members.map((member, index) => ({ ...member, reachable: index > 0 })) },
      "degraded",
      "1 member unreachable",
    ],
  ])("with %s", (_, status, health, text) => {
    expect(verdictOf(status)).toMatchObject({ health, text });
  });

  it("lists errors before warnings, each once, and no notes", () => {
    const error = finding("ForeignCacerts", "m", "c");
    const warning = finding("AbsenceNotProved", "m", "c");
    const note = finding("MemberLeft", "m", "c");
    const { findings } = verdictOf({ ...WELL, findings: [note, warning, error, error] });
    expect(findings.map(({ reason }) => reason)).toEqual(["ForeignCacerts", "AbsenceNotProved"]);
  });
});

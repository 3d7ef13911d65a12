import { describe, expect, it } from "@jest/globals";
import {
  countFindings,
  groupFindings,
  newFindings,
  openFindings,
  sortFindings,
} from "../../../../functions/sync-mesh/page/facts/findings.ts";
import { type Finding, finding } from "../../../../shared/core/answers/finding.ts";
import type { Reason } from "../../../../shared/core/answers/reasons.ts";
import { aStatus } from "../../../support/builders/status.ts";

function found(reason: Reason, clusterId?: string): Finding {
  return finding(reason, "a message", "a cure", clusterId);
}

const well = aStatus({ members: 2 });

describe("open findings", () => {
  it("are of the mesh and of its members, the loudest first, then by reason and member", () => {
    const [a = well.members[0], b = well.members[1]] = well.members;
    if (a === undefined || b === undefined) throw new TypeError("the builder makes two members");
    const status = {
      ...well,
      members: [
        { ...b, findings: [found("ControlPlaneNotReady", b.clusterId)] },
        { ...a, findings: [found("PeerPending", a.clusterId), found("ControlPlaneNotReady", a.clusterId)] },
      ],
      findings: [found("ListingIncomplete"), found("MassLeave", "cn-gone")],
    };
    expect(openFindings(status).map(({ reason, clusterId }) => [reason, clusterId])).toEqual([
      ["MassLeave", "cn-gone"],
      ["ControlPlaneNotReady", a.clusterId],
      ["ControlPlaneNotReady", b.clusterId],
      ["ListingIncomplete", undefined],
      ["PeerPending", a.clusterId],
    ]);
  });

  it("are told once, and belong to the member that they were found on", () => {
    const members = well.members.slice(0, 1).map((member) => ({ ...member, findings: [found("RunFailed")] }));
    const clusterId = members[0]?.clusterId ?? "";
    const status = { ...well, members, findings: [found("RunFailed", clusterId)] };
    expect(openFindings(status)).toEqual([found("RunFailed", clusterId)]);
  });
});

it("of the errors, members that vanish come first", () => {
  const findings = [found("CertificateNotLoaded", "a"), found("MassLeave"), found("MemberLost", "b")];
  expect(sortFindings(findings).map(({ reason }) => reason)).toEqual([
    "MemberLost",
    "MassLeave",
    "CertificateNotLoaded",
  ]);
});

it("new findings are those that are not open anyway, each once", () => {
  const known = [found("RunFailed", "a"), found("MassLeave")];
  const all = [found("RunFailed", "b"), found("RunFailed", "a"), found("RunFailed", "b")];
  expect(newFindings(all, known)).toEqual([found("RunFailed", "b")]);
});

it("groups are by reason, in the order of the findings", () => {
  const findings = [found("RunFailed", "a"), found("RunFailed", "b"), found("PeerPending")];
  expect(groupFindings(findings)).toEqual([
    { reason: "RunFailed", severity: "error", findings: findings.slice(0, 2) },
    { reason: "PeerPending", severity: "info", findings: findings.slice(2) },
  ]);
});

it.each<[Reason[], string]>([
  [[], ""],
  [["RunFailed"], "1 error"],
  [["PeerPending", "RunFailed", "RunFailed", "RunInterrupted"], "2 errors, 1 warning, 1 note"],
])("%j are counted as %j", (reasons, expected) => {
  expect(countFindings(reasons.map((reason) => found(reason)))).toBe(expected);
});

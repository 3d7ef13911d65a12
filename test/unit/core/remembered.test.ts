import { describe, expect, it } from "@jest/globals";
import { type Finding, finding } from "../../../shared/core/answers/finding.ts";
import type { Member } from "../../../shared/core/member/observation.ts";
import { EMPTY_RECORD, type Trouble } from "../../../shared/core/member/record.ts";
import { rememberedTroubles } from "../../../shared/core/member/remembered.ts";
import { aMember } from "../../support/builders/member.ts";

const SINCE = new Date("2026-03-01T12:00:00Z");
const minutes = (number: number) => new Date(SINCE.getTime() + number * 60_000);

function withTrouble(trouble: Partial<Trouble>): Member {
  const member = aMember();
  const whole: Trouble = {
    reason: "CertificateLoading",
    outcome: "waiting",
    message: "istiod does not serve it yet",
    cure: "nothing",
    since: SINCE.toISOString(),
    ...trouble,
  };
  return { ...member, state: { ...member.state, record: { ...EMPTY_RECORD, troubles: [whole] } } };
}

const reasons = (findings: readonly Finding[]) => findings.map(({ reason, severity }) => [reason, severity]);

describe("what the last run could not do to a member", () => {
  it("is told beside what a look sees", () => {
    const found = rememberedTroubles(
      withTrouble({ reason: "RunFailed", outcome: "failed" }),
      [],
      minutes(60),
    );
    expect(reasons(found)).toEqual([["RunFailed", "error"]]);
    expect(found[0]).toMatchObject({
      message: expect.stringContaining("2026-03-01 12:00 UTC"),
      cure: "nothing",
    });
  });

  it("is not told twice", () => {
    const live = [finding("ControlPlaneNotReady", "istiod is not ready", "describe it", "cn-a")];
    expect(rememberedTroubles(withTrouble({ reason: "ControlPlaneNotReady" }), live, minutes(60))).toEqual(
      [],
    );
  });

  it("becomes a warning when a note is older than usual, with the cure of the run", () => {
    const live = [finding("CertificateLoading", "a moment ago", "nothing", "cn-a")];
    const member = withTrouble({});
    expect(rememberedTroubles(member, live, minutes(14))).toEqual([]);
    expect(reasons(rememberedTroubles(member, live, minutes(15)))).toEqual([["JoinOverdue", "warning"]]);
  });
});

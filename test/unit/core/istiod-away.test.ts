import { describe, expect, it } from "@jest/globals";
import { certificatesEnd, type IstiodAway } from "../../../shared/core/member/istiod-away.ts";
import type { MemberRecord } from "../../../shared/core/member/record.ts";
import { EMPTY_RECORD } from "../../../shared/core/member/record.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMember, EMPTY, NOW, ownCacerts, ownControlPlane } from "../../support/builders/member.ts";

const NONE = /^none$/;
const minutesAgo = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);
const at = (minutes: number) => ({
  earliest: minutesAgo(minutes),
  latest: minutesAgo(minutes),
  changedAt: minutesAgo(minutes),
});
const noted = (since: string): MemberRecord => ({
  ...EMPTY_RECORD,
  troubles: [{ reason: "CertificatesEnd", outcome: "waiting", message: "", cure: "", since }],
});

function away(is: IstiodAway | undefined, seed: Parameters<typeof ownControlPlane>[0] = {}) {
  const controlPlane = ownControlPlane({ ...(is === undefined ? {} : { away: is }), ...seed });
  return aMember(aCluster({ name: "m1" }), { controlPlane, pods: is === undefined ? ["istiod-1"] : [] });
}

describe("the end of certificates", () => {
  it.each<readonly [string, ReturnType<typeof away>, RegExp]>([
    ["istiod answers", away(undefined), NONE],
    ["it is away for as long as a restart takes", away(at(4)), NONE],
    [
      "one pod, and its Deployment says since when",
      away(at(6)),
      /answers since 2026-03-01 11:54 UTC, so .*: the first ends at 2026-03-01 23:38 UTC at the earliest, and all have ended by 2026-03-02 11:55 UTC;/,
    ],
    [
      "of several pods the last may have gone later",
      away({ earliest: minutesAgo(60), changedAt: minutesAgo(60) }),
      /answers, since 2026-03-01 11:00 UTC at the earliest, so .*: the first ends at 2026-03-01 22:44 UTC at the earliest;/,
    ],
    [
      "it was scaled up from 0, and no pod came",
      away({ latest: minutesAgo(60), changedAt: minutesAgo(60) }),
      /answers, since 2026-03-01 11:00 UTC at the latest, so .*: the first may end at any time, and all have ended by 2026-03-02 11:01 UTC;/,
    ],
    ["the scaling is news", away({ latest: minutesAgo(1), changedAt: minutesAgo(1) }), NONE],
    [
      "nothing tells since when",
      away({}),
      /answers, and nothing tells since when, so .*: the first may end at any time;/,
    ],
    [
      "certificates that live a minute leave no time",
      away({ earliest: minutesAgo(0.11), changedAt: minutesAgo(0.11) }, { workloadTtl: 60 }),
      /the first ends at 2026-03-01 11:59 UTC at the earliest/,
    ],
    [
      "a foreign istiod grants more than its sidecars ask for",
      away(at(60), { owner: "foreign", workloadTtl: 90 * 86_400 }),
      /the first ends at 2026-03-01 22:44 UTC at the earliest, and all have ended by 2026-03-02 11:01 UTC/,
    ],
  ])("%s", (_, member, message) => {
    expect(certificatesEnd(member, NOW)?.message ?? "none").toMatch(message);
  });

  it("takes the word of an earlier run where Kubernetes says nothing", () => {
    const member = away({});
    const state = { ...member.state, record: noted("2026-03-01T09:00:00.000Z") };
    expect(certificatesEnd({ ...member, state }, NOW)?.message).toContain(
      "since 2026-03-01 09:00 UTC at the latest",
    );
  });

  it("says the same in the next run, so that a record of it is written once", () => {
    const later = new Date(NOW.getTime() + 3_600_000);
    for (const is of [at(60), {}, { latest: minutesAgo(60) }, { earliest: minutesAgo(60) }])
      expect(certificatesEnd(away(is), later)).toEqual(certificatesEnd(away(is), NOW));
  });

  it("is none before istiod has ever answered: no workload has a certificate", () => {
    const cacerts = ownCacerts({ loadedAt: undefined, versionsLoadedAt: undefined });
    const joining = (is: IstiodAway) => {
      const member = away(is);
      return { ...member, state: { ...member.state, cacerts } };
    };
    expect(
      certificatesEnd(joining({ latest: minutesAgo(60), changedAt: minutesAgo(60) }), NOW),
    ).toBeUndefined();
    expect(certificatesEnd(joining({}), NOW)).toBeUndefined();
    expect(certificatesEnd(joining({ earliest: minutesAgo(60) }), NOW)).toBeDefined();
  });

  it("comes also where istiod has been uninstalled, and never where there was none", () => {
    const gone = aMember(aCluster({ name: "m1" }), { controlPlane: undefined, pods: [] });
    expect(certificatesEnd(gone, NOW)).toMatchObject({
      message: expect.stringContaining("nothing tells since when"),
      cure: expect.stringMatching(/meshjoin sync --cluster \S+-m1$/),
    });
    const cacerts = ownCacerts({ loadedAt: undefined, versionsLoadedAt: undefined });
    const fresh = aMember(aCluster({ name: "m1" }), { controlPlane: undefined, pods: [], cacerts });
    expect(certificatesEnd(fresh, NOW)).toBeUndefined();
    const bare = aMember(aCluster({ name: "m1" }), EMPTY);
    expect(certificatesEnd(bare, NOW)).toBeUndefined();
  });

  it("has a cure for each cause", () => {
    expect(certificatesEnd(away(at(60), { isScaledToZero: true }), NOW)?.cure).toMatch(
      /^kubectl --context \S+ -n istio-system scale deployment istiod --replicas=1$/,
    );
    expect(certificatesEnd(away(at(60)), NOW)?.cure).toMatch(
      /describe pods .* rollout restart deployment\/istiod$/,
    );
  });
});

describe("times that no clock of the present gives", () => {
  const END = new Date(8_640_000_000_000_000);

  it("are no time: one after the last of all dates", () => {
    const message = certificatesEnd(away({ earliest: END, latest: END }), NOW)?.message;
    expect(message).toMatch(/answers, and nothing tells since when, so /);
  });

  it("are no time: one in the future would promise certificates that end earlier", () => {
    const future = new Date("2027-01-01T00:00:00Z");
    const message = certificatesEnd(away({ earliest: future, latest: future }), NOW)?.message;
    expect(message).toMatch(/answers, and nothing tells since when, so /);
  });

  it("do not hold the alarm back", () => {
    expect(certificatesEnd(away({ changedAt: new Date("2027-01-01T00:00:00Z") }), NOW)).toBeDefined();
  });

  it("are no time in a record", () => {
    const member = away({});
    const state = { ...member.state, record: noted("9999-12-31T23:59:59Z") };
    expect(certificatesEnd({ ...member, state }, NOW)?.message).toContain("nothing tells since when");
  });

  it("may be some seconds ahead: no two clocks are the same", () => {
    const ahead = new Date(NOW.getTime() + 20_000);
    expect(certificatesEnd(away({ earliest: ahead, latest: ahead, changedAt: ahead }), NOW)).toBeUndefined();
  });
});

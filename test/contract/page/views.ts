import type { PageView } from "../../../functions/sync-mesh/page/view.ts";
import { finding } from "../../../shared/core/answers/finding.ts";
import { aView, everything } from "../../support/builders/page-view.ts";
import { aStatus } from "../../support/builders/status.ts";

const LONG = "a-name-that-is-as-long-as-a-name-can-be-which-is-sixty-three-ch";

function withLongNames(): PageView {
  const status = aStatus({ members: 5, networks: 2, troubled: true });
  const members = status.members.map((member, index) => ({
    ...member,
    name: `${index}${LONG.slice(1)}`,
    location: LONG,
    network: `${member.network}-${LONG}`.slice(0, 63),
    findings: [finding("RunFailed", "x".repeat(400), "y".repeat(400), member.clusterId)],
  }));
  return aView({ status: { ...status, meshId: LONG, members } });
}

/** What has to be looked at, by what it is a page of. */
export const VIEWS: readonly [string, PageView][] = [
  ["no member", aView({ status: aStatus({ members: 0 }) })],
  ["one member", aView({ status: aStatus({ members: 1 }) })],
  ["three members", aView({ status: aStatus({ troubled: true }) })],
  ["sixty members", aView({ status: aStatus({ members: 60, troubled: true }) })],
  ["everything at once", aView(everything())],
  ["the longest names", withLongNames()],
];

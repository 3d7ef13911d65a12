import type { PageView } from "../../../functions/sync-mesh/page/view.ts";
import { finding } from "../../../shared/core/answers/finding.ts";
import type { Plan } from "../../../shared/core/answers/plan.ts";
import type { Status } from "../../../shared/core/answers/status.ts";
import type { Summary } from "../../../shared/core/answers/summary.ts";
import { NOW } from "./member.ts";
import { aStatus } from "./status.ts";

/** Three members, all well, seen at `NOW`. */
export function aView(seed: Partial<PageView> = {}): PageView {
  return { status: aStatus(), csrfToken: "a token", now: NOW, refreshSeconds: 30, ...seed };
}

const LEFT = [
  finding(
    "MassLeave",
    "2 of 6 members have lost their label within the grace, more than MESHJOIN_MASS_LEAVE_SHARE allows",
    "take them back with the command of each; if they should leave, confirm it: meshjoin sync --confirm MassLeave",
  ),
  ...["one", "two"].map((name) =>
    finding(
      "MemberLost",
      `it was a member until 2026-03-01T11:40:00.000Z, and its mesh label was taken off; its peers keep it`,
      `take it back: meshjoin label projects/shop-prod/locations/europe-west1/clusters/${name}`,
      `cn-shop-prod-europe-west1-${name}`,
    ),
  ),
];

/** Every part that a page may have: trouble, a rotation, a mass leave, a plan, a last sync, logs. */
export function everything(): Partial<PageView> {
  const status = aStatus({
    members: 4,
    troubled: true,
    findings: LEFT,
    ...past(),
    rotation: {
      stage: "distribute",
      since: "2026-03-01T10:30:00.000Z",
      paused: "2026-03-01T11:00:00.000Z",
      loaded: 3,
      waitingFor: ["cn-shop-europe-west1-web cannot be reached"],
      until: "2026-03-02T12:00:00Z",
    },
  });
  return {
    status,
    plan: planOf(status),
    lastSync: { summary: summaryOf(status), at: "2026-03-01T11:57:00Z" },
    logsUrl: "https://console.cloud.google.com/logs/query?project=shop&query=a%20b",
  };
}

/** What a status tells of the past: a cluster that left, and what runs did. */
export function past(): Pick<Status, "left" | "lately"> {
  const left = "cn-shop-prod-europe-west4-warehouse";
  return {
    left: [{ clusterId: left, since: "2026-02-27T09:12:00.000Z", trustedUntil: "2026-05-19T08:30:00.000Z" }],
    lately: [
      { at: "2026-03-01T11:42:00.000Z", what: "a person paused the root rotation" },
      {
        at: "2026-02-28T16:05:00.000Z",
        clusterId: "cn-shop-prod-data-us-central1-checkout",
        what: "its intermediate CA was renewed",
      },
      { at: "2026-02-27T09:12:00.000Z", clusterId: left, what: "it left: it was deleted" },
    ],
  };
}

function planOf({ members }: Status): Plan {
  const [first, second, third] = members.map(({ clusterId }) => clusterId);
  if (first === undefined || second === undefined || third === undefined)
    throw new TypeError("too few members");
  const namespace = "istio-system";
  return {
    actions: [
      {
        verb: "create",
        clusterId: first,
        object: { kind: "Secret", namespace, name: `istio-remote-secret-${second}` },
        findings: [
          finding("RemoteSecretMissing", `it holds no credential of ${second}`, "Meshjoin makes one", first),
        ],
      },
      {
        verb: "update",
        clusterId: second,
        object: { kind: "Namespace", name: namespace },
        findings: [],
      },
      {
        verb: "delete",
        clusterId: third,
        object: { kind: "Secret", namespace, name: "istio-remote-secret-cn-gone" },
        findings: [
          finding(
            "MemberLeft",
            "cn-gone is no member any more",
            "nothing: Meshjoin removes the members' credentials of it",
            "cn-gone",
          ),
        ],
      },
    ],
    findings: LEFT,
  };
}

function summaryOf({ members, pairs }: Status): Summary {
  return {
    outcome: "waiting",
    members: members.map(({ clusterId, reachable, findings }) => ({
      clusterId,
      outcome: reachable ? "unchanged" : "waiting",
      findings,
    })),
    pairs: pairs.map(({ reader, target }) => ({ reader, target, outcome: "unchanged" })),
    findings: LEFT,
  };
}

import type { PageView } from "../../../functions/sync-mesh/page/view.ts";
import { finding } from "../../../shared/core/answers/finding.ts";
import type { MemberStatus, PairStatus } from "../../../shared/core/answers/status.ts";
import { aView, everything, past } from "../../support/builders/page-view.ts";
import { aStatus } from "../../support/builders/status.ts";

const LONG = "a-name-that-is-as-long-as-a-name-can-be-which-is-sixty-three-ch";

function withLongNames(): PageView {
  const status = aStatus({ members: 5, networks: 2, troubled: true });
  const members = status.members.map((member, index) => ({
    ...member,
    name: `${index}${LONG.slice(1)}`,
    location: LONG,
    network: { name: `${member.network.name}-${LONG}`.slice(0, 63), declared: true },
    findings: [finding("RunFailed", "x".repeat(400), "y".repeat(400), member.clusterId)],
  }));
  return aView({ status: { ...status, meshId: LONG, members } });
}

const T = "2026-03-01T11:00:00.000Z";

/** A third member that joins: nothing of it is due yet. */
function joining(): PageView {
  const status = aStatus();
  const [, , joiner = ""] = status.members.map(({ clusterId }) => clusterId);
  const isNew = ({ reader, target }: PairStatus): boolean => reader === joiner || target === joiner;
  const pairs = status.pairs.map((pair) =>
    isNew(pair) ? { ...pair, status: "missing" as const, isDue: false, tokenExpiry: null } : pair,
  );
  const found = ["CacertsMissing", "ControlPlaneMissing"] as const;
  const members = status.members.map((member) =>
    member.clusterId === joiner
      ? {
          ...member,
          istioVersion: null,
          root: [],
          intermediate: { written: null, loaded: [] },
          findings: found.map((reason) =>
            finding(reason, "it has none yet", "nothing: Meshjoin makes it", joiner),
          ),
        }
      : member,
  );
  return aView({ status: { ...status, members, pairs } });
}

/** The last member cannot be reached. Its peers call it synced, which tells nothing. */
function unreachable(): PageView {
  const status = aStatus({ troubled: true });
  const away = status.members.find(({ reachable }) => !reachable);
  const pairs = status.pairs.map((pair): PairStatus => {
    if (![pair.reader, pair.target].includes(away?.clusterId ?? "")) return { ...pair, status: "synced" };
    return { ...pair, status: "unknown", isDue: false };
  });
  const members = status.members.map((member) => (member === away ? member : { ...member, findings: [] }));
  return aView({ status: { ...status, members, pairs, findings: [] } });
}

/** No istiod of the second member answers. Its peers read its API server as before. */
function withoutIstiod(): PageView {
  const status = aStatus();
  const [, { clusterId } = { clusterId: "" }] = status.members;
  const ends = finding(
    "CertificatesEnd",
    `no istiod of ${clusterId} answers since 2026-03-01 09:12 UTC, so none of its workloads gets another certificate: the first ends at 2026-03-01 20:57 UTC at the earliest, and all have ended by 2026-03-02 09:12 UTC; requests to and from a workload fail when its own has ended`,
    "kubectl --context gke_shop-prod_europe-west1_catalog -n istio-system scale deployment istiod --replicas=1",
    clusterId,
  );
  const members = status.members.map((member) =>
    member.clusterId === clusterId
      ? { ...member, intermediate: { ...member.intermediate, loaded: [] }, findings: [ends] }
      : member,
  );
  const pairs = status.pairs.map(
    (pair): PairStatus =>
      pair.reader === clusterId ? { ...pair, pod: "", status: "missing", isDue: false } : pair,
  );
  return aView({ status: { ...status, members, pairs } });
}

/** One remote secret is gone, and nothing else is wrong. */
function broken(): PageView {
  const status = aStatus();
  const pairs = status.pairs.map((pair, index) =>
    index === 2 ? { ...pair, status: "missing" as const, tokenExpiry: null } : pair,
  );
  const reader = pairs.find(({ status: state }) => state === "missing")?.reader ?? "";
  const gone = finding(
    "RemoteSecretMissing",
    "it holds no credential of payments",
    "nothing: Meshjoin makes one",
    reader,
  );
  return aView({ status: { ...status, pairs, findings: [gone] } });
}

/** The one member of its network waits for an address of its load balancer, so nobody reads it. */
function withoutAddress(): PageView {
  const status = aStatus({ members: 3, networks: 2, gateways: true });
  const late = status.members.find(({ network }) => network.name === "shop-net.prod-data");
  const clusterId = late?.clusterId ?? "";
  const why = finding(
    "GatewayPending",
    `the gateway of ${clusterId} is not up: its load balancer has no address`,
    "nothing, if it is new; otherwise see why: kubectl -n istio-system describe service meshjoin-eastwest-istio",
    clusterId,
  );
  const members = status.members.map(
    (member): MemberStatus =>
      member === late
        ? { ...member, gateway: { state: "present", up: false, exposure: "internal" }, findings: [why] }
        : member,
  );
  const pairs = status.pairs.map((pair) =>
    pair.target === clusterId
      ? { ...pair, status: "missing" as const, isDue: false, tokenExpiry: null }
      : pair,
  );
  return aView({ status: { ...status, members, pairs } });
}

function massLeave(): PageView {
  return aView({ status: { ...aStatus({ members: 2 }), findings: everything().status?.findings ?? [] } });
}

function rotating(): PageView {
  const rotation = {
    stage: "switch",
    since: T,
    paused: null,
    loaded: 3,
    waitingFor: [],
    until: "2026-03-02T12:00:00.000Z",
  } as const;
  return aView({ status: aStatus({ rotation, ...past() }) });
}

function paused(): PageView {
  const unknown = { full: "unknown", tick: "unknown" } as const;
  const pause = finding("WritesPaused", `a person paused all writes at ${T}`, "go on: meshjoin resume");
  return aView({ status: aStatus({ writesPaused: T, runs: unknown, findings: [pause] }) });
}

function planned(): PageView {
  const { plan = { actions: [], findings: [] } } = everything();
  return aView({ plan: { ...plan, findings: [] } });
}

/** What has to be looked at, by what it is a page of. */
export const VIEWS: readonly [string, PageView][] = [
  ["no member", aView({ status: aStatus({ members: 0 }) })],
  ["one member", aView({ status: aStatus({ members: 1 }) })],
  ["three members that are well", aView()],
  ["three members", aView({ status: aStatus({ troubled: true }) })],
  ["a broken pair", broken()],
  ["a member that joins", joining()],
  ["a member out of reach", unreachable()],
  ["a member without istiod", withoutIstiod()],
  ["a mass leave", massLeave()],
  ["a root rotation", rotating()],
  ["paused writes", paused()],
  ["a plan", planned()],
  ["a plan of nothing", aView({ plan: { actions: [], findings: [] } })],
  ["two networks", aView({ status: aStatus({ members: 5, networks: 2, gateways: true }) })],
  [
    "probes, and requests that fail",
    aView({ status: aStatus({ networks: 2, gateways: true, probed: true, failing: true }) }),
  ],
  ["a gateway without an address", withoutAddress()],
  ["eight members", aView({ status: aStatus({ members: 8, networks: 2, troubled: true }) })],
  ["sixty members that are well", aView({ status: aStatus({ members: 60 }) })],
  [
    "sixty members of four networks",
    aView({ status: aStatus({ members: 60, networks: 4, gateways: true }) }),
  ],
  ["sixty members", aView({ status: aStatus({ members: 60, troubled: true, probed: true }) })],
  ["everything at once", aView(everything())],
  ["the longest names", withLongNames()],
];

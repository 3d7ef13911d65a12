import { finding } from "../../../shared/core/answers/finding.ts";
import type {
  DrainStatus,
  IngressStatus,
  MemberStatus,
  PairStatus,
  Status,
} from "../../../shared/core/answers/status.ts";
import { fnv1a } from "../../../shared/core/hash.ts";
import { BY_MESHJOIN } from "../../../shared/core/member/drain.ts";
import { clusterId } from "../../../shared/core/names.ts";

const READ_LOG = "see why: kubectl --context gke_shop_europe-west1_m01 -n istio-system logs deploy/istiod";
const ROOT = { fingerprint: "ab".repeat(32), notAfter: "2036-03-01T12:00:00.000Z" };
const NEXT_ROOT = { fingerprint: "cd".repeat(32), notAfter: "2046-03-01T12:00:00.000Z" };
const SEEN_AT = "2026-03-01T12:00:00.000Z";

function aMemberStatus(index: number): MemberStatus {
  const ref = { project: "shop", location: "europe-west1", name: `m${String(index).padStart(2, "0")}` };
  const fingerprint = fnv1a(ref.name).padEnd(64, "0");
  return {
    clusterId: clusterId(ref),
    ...ref,
    reachable: true,
    network: { name: "shop.default", declared: false },
    gateway: { state: "unknown" },
    drain: { state: "none" },
    ingress: { state: "unknown" },
    kubernetesVersion: "1.36.3-gke.1",
    istioVersion: "1.31.4",
    endpoint: "dns",
    root: [ROOT],
    intermediate: {
      written: { fingerprint, notAfter: "2026-05-30T12:00:00.000Z" },
      loaded: [{ pod: "istiod-a", fingerprint }],
    },
    findings: [],
  };
}

function aPairStatus(reader: string, target: string): PairStatus {
  const tokenExpiry = "2026-03-08T12:00:00.000Z";
  return {
    reader,
    target,
    pod: "istiod-a",
    status: "synced",
    isDue: true,
    route: "direct",
    probe: { state: "none" },
    tokenExpiry,
    seenAt: SEEN_AT,
  };
}

/** All is well with so many members. */
export function aStatus(size: number): Status {
  const members = Array.from({ length: size }, (_, index) => aMemberStatus(index + 1));
  const ids = members.map((member) => member.clusterId);
  return {
    meshId: "prod",
    version: "1.2.3",
    istio: "1.31.4",
    time: SEEN_AT,
    runs: {
      full: { at: SEEN_AT, outcome: "unchanged", version: "1.2.3" },
      tick: { at: SEEN_AT, outcome: "unchanged", version: "1.2.3" },
    },
    writesPaused: null,
    nextRenewal: null,
    members,
    pairs: ids.flatMap((reader) =>
      ids.filter((id) => id !== reader).map((target) => aPairStatus(reader, target)),
    ),
    rotation: { stage: "idle", since: null, paused: null, loaded: 0, waitingFor: [], until: null },
    left: [],
    lately: [],
    findings: [],
  };
}

/** The last member cannot be reached, the first serves an old CA, and the second is in a VPC of its own. */
export function aTroubledStatus(size: number): Status {
  const well = aStatus(size);
  const [behind, apart] = well.members;
  const away = well.members.at(-1)?.clusterId ?? "";
  return {
    ...well,
    members: well.members.map((seen): MemberStatus => {
      const member: MemberStatus = {
        ...seen,
        gateway: { state: seen.clusterId === away ? "unknown" : "none" },
      };
      const { clusterId: id, intermediate } = member;
      if (id === away) {
        const cure = "check the cluster's health";
        return {
          ...member,
          reachable: false,
          istioVersion: null,
          root: [],
          intermediate: { written: null, loaded: [] },
          findings: [finding("ApiServerUnreachable", `the API server of ${id} did not answer`, cure, id)],
        };
      }
      if (id === apart?.clusterId) return { ...member, network: { name: "shop.other", declared: false } };
      if (id !== behind?.clusterId) return member;
      return {
        ...member,
        root: [ROOT, NEXT_ROOT],
        intermediate: { ...intermediate, loaded: [{ pod: "istiod-a", fingerprint: "0".repeat(64) }] },
        findings: [finding("CertificateNotLoaded", "istiod serves another intermediate", READ_LOG, id)],
      };
    }),
    pairs: well.pairs
      .filter(({ reader, target }) => ![reader, target].includes(apart?.clusterId ?? ""))
      .map((pair): PairStatus => {
        if (pair.reader === away) return { ...pair, pod: "", status: "unknown", tokenExpiry: null };
        return pair.target === away ? { ...pair, status: "timeout" } : pair;
      }),
    rotation: {
      stage: "distribute",
      since: "2026-03-01T11:30:00.000Z",
      paused: null,
      loaded: size - 1,
      waitingFor: [`${away} cannot be reached`],
      until: "2026-03-02T12:05:00.000Z",
    },
    findings: well.members
      .filter((member) => member !== apart)
      .map((member) =>
        finding(
          "NetworkNotShared",
          `${member.clusterId} is in network shop.default and ${apart?.clusterId} in shop.other`,
          "put them into one VPC",
          member.clusterId,
        ),
      ),
  };
}

const GATEWAYS: readonly MemberStatus["gateway"][] = [
  { state: "present", address: "10.128.0.15", up: true, exposure: "internal" },
  { state: "present", address: "34.77.1.2", up: false, exposure: "external" },
  { state: "present", up: false, exposure: "internal" },
  { state: "none" },
  { state: "unknown" },
];

/** Each member in a network of its own, with each state that a gateway may be in. */
export function aStatusOfNetworks(): Status {
  const well = aStatus(GATEWAYS.length);
  return {
    ...well,
    members: well.members.map((member, index) => ({
      ...member,
      network: { name: `shop.vpc-${index + 1}`, declared: false },
      gateway: GATEWAYS[index] ?? member.gateway,
    })),
    pairs: well.pairs.map((pair) => ({ ...pair, route: "gateway" })),
  };
}

const INGRESSES: readonly IngressStatus[] = [
  { state: "present", address: "203.0.113.10", up: true, tls: "served" },
  { state: "present", address: "203.0.113.11", up: true, tls: "refused" },
  { state: "present", up: false, tls: "none" },
];

/** A person has drained one member, Meshjoin another, which is dead; each has an ingress of another state. */
export function aDrainedStatus(): Status {
  const { members, pairs, ...well } = aStatus(INGRESSES.length);
  const [first = "", second = ""] = members.map((member) => member.clusterId);
  const since = well.time;
  const drains: readonly DrainStatus[] = [
    { state: "present", since, by: "ada@example.com", reason: "node upgrade" },
    { state: "present", since, by: BY_MESHJOIN, reason: "silent since 2026-03-01 11:20 UTC" },
  ];
  return {
    ...well,
    members: members.map((member, index) => ({
      ...member,
      reachable: member.clusterId !== second,
      network: { name: `shop.vpc-${index + 1}`, declared: false },
      drain: drains[index] ?? member.drain,
      ingress: INGRESSES[index] ?? member.ingress,
    })),
    pairs: pairs.filter(({ target }) => target !== first && target !== second),
    findings: [
      finding(
        "DrainedAutomatically",
        `Meshjoin has drained ${second}; its peers send it no new requests`,
        `mend the cluster; at once: meshjoin undrain ${second}; to keep it drained: meshjoin drain ${second}`,
        second,
      ),
    ],
  };
}

/** Probes are kept: one request fails, and the third member's probe is not ready. */
export function aProbedStatus(): Status {
  const well = aStatus(3);
  const [first = "", second = "", third = ""] = well.members.map((member) => member.clusterId);
  const at = well.time;
  const probeOf = ({ reader, target }: PairStatus): PairStatus["probe"] => {
    if (reader === third) return { state: "unknown", at, cause: "NotAsked" };
    if (target === third) return { state: "unknown", at, cause: "NoProbe" };
    if (reader === first) return { state: "failed", at, cause: "GatewaySilent" };
    return { state: "passed", latencyMs: 2.42, at };
  };
  const silent = finding(
    "RequestsFail",
    `no request from ${first} to ${second} passes: the gateway of ${second} does not answer: a firewall drops the packets, or there is no route`,
    "gcloud compute firewall-rules create meshjoin-eastwest --network=dmz --allow=tcp:15443",
    first,
  );
  return {
    ...well,
    pairs: well.pairs.map((pair) => ({ ...pair, probe: probeOf(pair) })),
    findings: [silent],
  };
}

/** In the middle of a root rotation that a person has paused with everything else; one cluster has left. */
export function aRotatingStatus(): Status {
  const well = aStatus(3);
  const [first] = well.members;
  const left = "cn-shop-europe-west1-m04";
  return {
    ...well,
    members: well.members.map((member) => ({ ...member, root: [ROOT, NEXT_ROOT] })),
    runs: { ...well.runs, tick: "unknown" },
    writesPaused: "2026-03-01T11:45:00.000Z",
    rotation: {
      stage: "switch",
      since: "2026-03-01T11:30:00.000Z",
      paused: "2026-03-01T11:40:00.000Z",
      loaded: 3,
      waitingFor: [],
      until: "2026-03-02T12:05:00.000Z",
    },
    left: [
      { clusterId: left, since: "2026-02-28T09:00:00.000Z", trustedUntil: "2026-05-30T12:00:00.000Z" },
      { clusterId: "cn-shop-europe-west1-m05", since: "2026-02-27T09:00:00.000Z", trustedUntil: null },
    ],
    lately: [
      {
        at: "2026-03-01T11:31:00.000Z",
        ...(first === undefined ? {} : { clusterId: first.clusterId }),
        what: "got another intermediate CA",
      },
      { at: "2026-03-01T11:30:00.000Z", what: "a person began a root rotation" },
    ],
  };
}

import { type Finding, finding } from "../../../shared/core/answers/finding.ts";
import type {
  CertificateStatus,
  GatewayStatus,
  IngressStatus,
  MemberStatus,
  PairStatus,
  Status,
} from "../../../shared/core/answers/status.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { fnv1a } from "../../../shared/core/hash.ts";
import { clusterId, networkName } from "../../../shared/core/names.ts";
import { aCluster } from "./cluster.ts";
import { MANIFEST, NOW } from "./member.ts";

export interface StatusSeed extends Partial<Omit<Status, "members" | "pairs">> {
  /** How many; 3 unless it says otherwise. */
  readonly members?: number;
  /** How many VPCs they are spread over; only members of one are paired, unless there are gateways. */
  readonly networks?: number;
  /** Of every member, and all are up. */
  readonly gateways?: boolean;
  /** Every member has an ingress; that of the second has no certificate. */
  readonly ingress?: boolean;
  /** Probes are kept, and requests pass. */
  readonly probed?: boolean;
  /** Those of the first member to the second do not. */
  readonly failing?: boolean;
  /** The last member is unreachable, and pairs are in every state that there is. */
  readonly troubled?: boolean;
}

const NAMES = [
  "catalog",
  "checkout",
  "search",
  "payments",
  "media",
  "orders",
  "ledger",
  "maps",
  "mail",
  "edge",
];
const LOCATIONS = ["europe-west1", "us-central1", "asia-northeast1-a", "europe-north1", "southamerica-east1"];
const PROJECTS = ["shop-prod", "shop-prod-data"];
const VPCS = ["prod", "prod-data", "partners", "legacy"];
const DAY_MS = 86_400_000;
/** Readers with two istiod pods: every third. */
const TWO_PODS = 3;

/**
 * Mesh `shop-prod` as it was seen at `NOW`, all well unless it says otherwise; equal seeds make equal
 * statuses.
 */
export function aStatus(seed: StatusSeed = {}): Status {
  const {
    members: size = 3,
    networks = 1,
    gateways = false,
    ingress = false,
    probed = false,
    failing = false,
    troubled = false,
    ...rest
  } = seed;
  const clusters = Array.from({ length: size }, (_, index) => clusterOf(index, networks));
  const away = troubled && size > 2 ? size - 1 : undefined;
  const members = clusters.map((cluster, index) => ({
    ...memberOf(cluster, index, { troubled, away }),
    ...(gateways ? { gateway: gatewayAt(index) } : {}),
    ...(ingress ? { ingress: ingressAt(index) } : {}),
  }));
  const ids = clusters.map(({ ref }) => clusterId(ref));
  const pairs = clusters.flatMap((reader, r) => {
    const pods = podsOf(ids[r] ?? "", r);
    return clusters.flatMap((target, t) =>
      r !== t && (gateways || reader.network.name === target.network.name)
        ? pairOf({
            reader: ids[r] ?? "",
            target: ids[t] ?? "",
            route: reader.network.name === target.network.name ? "direct" : "gateway",
            probed,
            failing,
            pods,
            r,
            t,
            away,
            troubled,
            many: size > 3,
          })
        : [],
    );
  });
  return {
    meshId: "shop-prod",
    version: "1.2.3",
    istio: MANIFEST.istioVersion,
    time: after(-4000),
    runs: {
      full: { at: after(-240_000), outcome: "unchanged", version: "1.2.3" },
      tick: { at: after(-120_000), outcome: "unchanged", version: "1.2.3" },
    },
    writesPaused: null,
    nextRenewal: size === 0 ? null : after(1.5 * DAY_MS),
    members: members.toSorted((a, b) => (a.clusterId < b.clusterId ? -1 : 1)),
    pairs,
    rotation: { stage: "idle", since: null, paused: null, loaded: 0, waitingFor: [], until: null },
    left: [],
    lately: [],
    findings: troubled ? meshFindings() : [],
    ...rest,
  };
}

/** The first member of a mesh that is all well, but for the seed. */
export function aMemberStatus(seed: Partial<MemberStatus> = {}): MemberStatus {
  return { ...memberOf(clusterOf(0, 1), 0, { troubled: false, away: undefined }), ...seed };
}

function after(milliseconds: number): string {
  return new Date(NOW.getTime() + milliseconds).toISOString();
}

/** Some days, derived from a name, so that no test has to choose them. */
function spread(name: string, from: number, to: number): number {
  const share = Number(BigInt(`0x${fnv1a(name)}`) % 1000n) / 1000;
  return (from + (to - from) * share) * DAY_MS;
}

function sha256Like(name: string): string {
  return [1, 2, 3, 4].map((part) => fnv1a(`${name} ${part}`)).join("");
}

function clusterOf(index: number, networks: number): Cluster {
  const round = Math.floor(index / NAMES.length);
  const name = `${NAMES[index % NAMES.length]}${round === 0 ? "" : `-${round + 1}`}`;
  return aCluster({
    project: PROJECTS[index % PROJECTS.length] ?? "",
    location: LOCATIONS[index % LOCATIONS.length] ?? "",
    name,
    network: { project: "shop-net", name: VPCS[index % networks] ?? "default" },
  });
}

function gatewayAt(index: number): GatewayStatus {
  return { state: "present", address: `10.128.${index}.15`, up: true, exposure: "internal" };
}

function ingressAt(index: number): IngressStatus {
  const tls = index === 1 ? "refused" : "served";
  return { state: "present", address: `203.0.113.${10 + index}`, up: true, tls };
}

interface Trouble {
  readonly troubled: boolean;
  /** Which member is unreachable. */
  readonly away: number | undefined;
}

function podOf(id: string, index: number): string {
  return `istiod-${fnv1a(id).slice(0, 9)}-${fnv1a(`${id} ${index}`).slice(0, 5)}`;
}

function podsOf(id: string, index: number): string[] {
  return (index % TWO_PODS === 0 ? [0, 1] : [0]).map((pod) => podOf(id, pod));
}

function memberOf(cluster: Cluster, index: number, { troubled, away }: Trouble): MemberStatus {
  const id = clusterId(cluster.ref);
  const base = {
    clusterId: id,
    ...cluster.ref,
    network: { name: networkName(cluster.network), declared: false },
    gateway: { state: "unknown" },
    drain: { state: "none" },
    ingress: { state: "unknown" },
    kubernetesVersion: cluster.kubernetesVersion,
    endpoint: "dns",
  } as const;
  if (index === away) {
    return {
      ...base,
      reachable: false,
      istioVersion: null,
      root: [],
      intermediate: { written: null, loaded: [] },
      findings: [unreachable(id)],
    };
  }
  const root: CertificateStatus = { fingerprint: sha256Like("root 1"), notAfter: after(2900 * DAY_MS) };
  const written = { fingerprint: sha256Like(id), notAfter: after(spread(`${id} CA`, 31, 89)) };
  const isBehind = troubled && index === 0;
  return {
    ...base,
    reachable: true,
    istioVersion: troubled && index === 1 ? "1.30.2" : MANIFEST.istioVersion,
    root: [root],
    intermediate: {
      written,
      loaded: podsOf(id, index).map((pod, which) => ({
        pod,
        fingerprint: isBehind && which === 1 ? sha256Like(`${id} before`) : written.fingerprint,
      })),
    },
    findings: troubled ? memberFindings(id, index) : [],
  };
}

interface PairSeed extends Trouble {
  readonly probed: boolean;
  readonly failing: boolean;
  readonly reader: string;
  readonly target: string;
  readonly route: PairStatus["route"];
  readonly pods: readonly string[];
  readonly r: number;
  readonly t: number;
  readonly many: boolean;
}

function pairOf(seed: PairSeed): PairStatus[] {
  const { reader, target, route, pods, r, t, away, troubled } = seed;
  const seenAt = after(-4000);
  const probe = seed.probed ? probeOf(seed, seenAt) : ({ state: "none" } as const);
  if (r === away)
    return [
      { reader, target, route, pod: "", status: "unknown", isDue: true, probe, tokenExpiry: null, seenAt },
    ];
  const trouble = troubled ? troubleOf(seed) : undefined;
  const days = 2.1 + ((r * 7919 + t * 104_729) % 4800) / 1000;
  const tokenExpiry = trouble === "missing" ? null : after(days * DAY_MS);
  return pods.map((pod, index) => ({
    reader,
    target,
    route,
    pod,
    status: index === 0 ? (trouble ?? "synced") : "synced",
    isDue: true,
    probe,
    tokenExpiry,
    seenAt,
  }));
}

function probeOf({ r, t, away, failing }: PairSeed, at: string): PairStatus["probe"] {
  if (r === away) return { state: "unknown", at, cause: "NotAsked" };
  if (t === away) return { state: "unknown", at, cause: "NoProbe" };
  if (failing && r === 0 && t === 1) return { state: "failed", at, cause: "TargetSilent" };
  return { state: "passed", latencyMs: 1.4 + ((r * 31 + t * 17) % 40), at };
}

const SCATTERED = ["syncing", "timeout", "closed", "missing"] as const;

/** Of few pairs most are in trouble, of many only some. */
function troubleOf({ r, t, away, many }: PairSeed): PairStatus["status"] | undefined {
  if (t === away) return r % 2 === 0 ? "closed" : "timeout";
  if (r === 0 && t === 1) return "missing";
  if (many && r === 1 && t === 0) return "syncing";
  const lot = r * 31 + t * 17;
  return many && lot % 389 === 0 ? SCATTERED[lot % SCATTERED.length] : undefined;
}

function unreachable(id: string): Finding {
  return finding(
    "ApiServerUnreachable",
    `the API server of ${id} did not answer: connect ETIMEDOUT 10.4.0.2:443`,
    "check the cluster's health, its authorized networks and MESHJOIN_ACCESS_FUNCTION if it lasts; each full run looks again",
    id,
  );
}

function memberFindings(id: string, index: number): Finding[] {
  if (index === 0) {
    return [
      finding(
        "CertificateNotLoaded",
        `pod ${podOf(id, 1)} of istiod still serves another intermediate than the one that was written`,
        "kubectl -n istio-system rollout restart deployment istiod",
        id,
      ),
    ];
  }
  if (index === 1) {
    return [
      finding(
        "IstioVersionDiffers",
        "istiod is 1.30.2, and Meshjoin installs 1.31.4",
        "when it suits, confirm it, and Meshjoin upgrades the members one by one: meshjoin upgrade",
        id,
      ),
    ];
  }
  return index % 7 === 5
    ? [finding("TokenDue", `the token of ${id} is due`, "nothing: Meshjoin renews it", id)]
    : [];
}

function meshFindings(): Finding[] {
  const left = clusterId({ project: "shop-prod", location: "europe-west4", name: "warehouse" });
  return [
    finding(
      "TrustedLeaver",
      `${left} has left and may still hold a CA that the members trust until 2026-05-19T08:30:00.000Z`,
      "if the mesh must not trust it, rotate the root: meshjoin root rotate",
      left,
    ),
  ];
}

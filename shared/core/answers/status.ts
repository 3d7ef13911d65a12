import type { EndpointKind } from "../cluster/cluster.ts";
import type { Place } from "../cluster/sources.ts";
import type { Exposure } from "../network/gateway.ts";
import type { IngressTls } from "../network/ingress.ts";
import type { ProbeVerdict } from "../probe/judge.ts";
import type { Stage } from "../roots/stages.ts";
import type { Finding } from "./finding.ts";
import type { Outcome } from "./outcome.ts";

/** The whole mesh now, for people and programs; every time is RFC 3339. Names fingerprints, never a key. */
export interface Status {
  readonly meshId: string;
  /** Of the Meshjoin that looked. */
  readonly version: string;
  /** The release of Istio that this Meshjoin installs. */
  readonly istio: string;
  readonly time: string;
  readonly runs: RunsStatus;
  /** When a person paused the functions' writes; null while they write. */
  readonly writesPaused: string | null;
  /** When the next token or intermediate CA is due for renewal; null where no life of one is known. */
  readonly nextRenewal: string | null;
  /** By cluster ID. */
  readonly members: readonly MemberStatus[];
  /**
   * Of every ordered pair and istiod pod of the reader, by reader, target and pod. Members without a route
   * are no pair.
   */
  readonly pairs: readonly PairStatus[];
  readonly rotation: RotationStatus;
  /** Clusters that have left and that members still trust, by cluster ID. */
  readonly left: readonly LeftStatus[];
  /** What runs of the functions and of people did lately, the newest first; bounded. */
  readonly lately: readonly PastEvent[];
  /** Findings about no single member. */
  readonly findings: readonly Finding[];
}

/** The last runs of the functions. They note one on change and once an hour, so `at` may be an hour old. */
export interface RunsStatus {
  readonly full: RunStatus | "unknown";
  readonly tick: RunStatus | "unknown";
}

export interface RunStatus {
  readonly at: string;
  readonly outcome: Outcome;
  /** Of the Meshjoin that ran. */
  readonly version: string;
}

export interface LeftStatus {
  readonly clusterId: string;
  readonly since: string;
  /** When its intermediate CA ends; null where Meshjoin could not read it. */
  readonly trustedUntil: string | null;
}

/** `what` is a sentence without its period. */
export interface PastEvent {
  readonly at: string;
  readonly clusterId?: string;
  readonly what: string;
}

export interface CertificateStatus {
  /** SHA-256, lower-case hex. */
  readonly fingerprint: string;
  readonly notAfter: string;
}

export interface NetworkStatus {
  /** Istio's name of the network that its pods are in. */
  readonly name: string;
  /** By the label of the cluster; else it is the name of its VPC. */
  readonly declared: boolean;
}

/**
 * The east-west gateway of a member. `unknown`: Meshjoin could not ask, or did not, because all members are
 * of one network.
 */
export type GatewayStatus =
  | { readonly state: "none" | "unknown" }
  | {
      readonly state: "present";
      /** That its load balancer gave it; absent while it has none. */
      readonly address?: string;
      /** It has an address, and a pod behind it is ready. */
      readonly up: boolean;
      readonly exposure: Exposure;
    };

/** `unknown`: the note of it says nothing that Meshjoin understands. */
export type DrainStatus =
  | { readonly state: "none" | "unknown" }
  | {
      readonly state: "present";
      readonly since: string;
      /** The account of a person, or `label`. */
      readonly by: string;
      /** Empty where nobody gave one. */
      readonly reason: string;
    };

/** `unknown`: Meshjoin could not ask, or did not, because the configuration wants no ingress. */
export type IngressStatus =
  | { readonly state: "none" | "unknown" }
  | {
      readonly state: "present";
      /** That its load balancer gave it; absent while it has none. */
      readonly address?: string;
      /** It has an address, and a pod behind it is ready. */
      readonly up: boolean;
      /** Port 443. `refused`: istiod does not serve it, for lack of the Secret. */
      readonly tls: IngressTls["state"];
    };

export interface MemberStatus extends Place {
  readonly clusterId: string;
  readonly reachable: boolean;
  readonly network: NetworkStatus;
  readonly gateway: GatewayStatus;
  readonly drain: DrainStatus;
  readonly ingress: IngressStatus;
  readonly kubernetesVersion: string;
  /** The tag of istiod's image; null without an istiod, or where Meshjoin cannot read it. */
  readonly istioVersion: string | null;
  /** The endpoint in the peers' remote secrets; null where none fits. */
  readonly endpoint: EndpointKind | null;
  /** The roots that istiod publishes to its workloads. */
  readonly root: readonly CertificateStatus[];
  readonly intermediate: {
    /** Null where the certificate is not Meshjoin's, or not there. */
    readonly written: CertificateStatus | null;
    /** Of each Ready istiod pod: the intermediate that it serves. */
    readonly loaded: readonly { readonly pod: string; readonly fingerprint: string }[];
  };
  readonly findings: readonly Finding[];
}

/**
 * `missing`: the pod does not list the target. `unknown`: Meshjoin could not ask the pod; or the target's API
 * server does not answer Meshjoin, and the pod calls the target synced, as it does of one that is away, too.
 */
export const PAIR_STATUSES = ["synced", "syncing", "timeout", "closed", "missing", "unknown"] as const;

/**
 * The way of requests from the reader's pods: in the one network, or through a gateway of the target's
 * network, also while it is not up. `none`: there is none, and the reader's istiod lists the target all the
 * same.
 */
export const PAIR_ROUTES = ["direct", "gateway", "none"] as const;

/** Asked while the status was collected. The causes are named in docs/probe.md. */
export type ProbeStatus = Pick<ProbeVerdict, "state" | "latencyMs" | "at" | "cause">;

export interface PairStatus {
  readonly reader: string;
  readonly target: string;
  /** An istiod pod of the reader; empty where none is Ready. */
  readonly pod: string;
  readonly status: (typeof PAIR_STATUSES)[number];
  /**
   * False while a side is not ready for it, a person must act first, or the reader waits for its turn to take
   * the target back after a drain.
   */
  readonly isDue: boolean;
  readonly route: (typeof PAIR_ROUTES)[number];
  /** Whether requests pass, where the configuration keeps probes; the same for every pod of the reader. */
  readonly probe: ProbeStatus;
  /** Null where there is no remote secret of Meshjoin's. */
  readonly tokenExpiry: string | null;
  readonly seenAt: string;
}

export interface RotationStatus {
  readonly stage: Stage;
  /** When the stage began; null where none is under way. */
  readonly since: string | null;
  /** When a person paused the stages; null while they follow each other. */
  readonly paused: string | null;
  /** Of how many members Meshjoin has seen that they loaded what the stage gives them. */
  readonly loaded: number;
  /** What Meshjoin must see, or a person must do, before the stage is over: a sentence each. */
  readonly waitingFor: readonly string[];
  /** When the last certificate of the stage before ends; null while Meshjoin cannot tell. */
  readonly until: string | null;
}

import type { EndpointKind } from "../cluster/cluster.ts";
import type { Place } from "../cluster/sources.ts";
import type { Stage } from "../roots/stages.ts";
import type { Finding } from "./finding.ts";

/** The whole mesh now, for people and programs; every time is RFC 3339. Names fingerprints, never a key. */
export interface Status {
  readonly meshId: string;
  /** Of the Meshjoin that looked. */
  readonly version: string;
  readonly time: string;
  /** By cluster ID. */
  readonly members: readonly MemberStatus[];
  /** Of every ordered pair and istiod pod of the reader, by reader, target and pod. */
  readonly pairs: readonly PairStatus[];
  readonly rotation: RotationStatus;
  /** Findings about no single member. */
  readonly findings: readonly Finding[];
}

export interface CertificateStatus {
  /** SHA-256, lower-case hex. */
  readonly fingerprint: string;
  readonly notAfter: string;
}

export interface MemberStatus extends Place {
  readonly clusterId: string;
  readonly reachable: boolean;
  /** Istio's name of the VPC. */
  readonly network: string;
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

/** `missing`: the pod does not list the target. `unknown`: Meshjoin could not ask the pod. */
export const PAIR_STATUSES = ["synced", "syncing", "timeout", "closed", "missing", "unknown"] as const;

export interface PairStatus {
  readonly reader: string;
  readonly target: string;
  /** An istiod pod of the reader; empty where none is Ready. */
  readonly pod: string;
  readonly status: (typeof PAIR_STATUSES)[number];
  /** Null where there is no remote secret of Meshjoin's. */
  readonly tokenExpiry: string | null;
  readonly seenAt: string;
}

export interface RotationStatus {
  readonly stage: Stage;
  /** What Meshjoin must see, or a person must do, before the stage is over: a sentence each. */
  readonly waitingFor: readonly string[];
  /** When the last certificate of the stage before ends; null while Meshjoin cannot tell. */
  readonly until: string | null;
}

import type { Finding } from "../core/answers/finding.ts";
import type { ObjectName } from "../core/answers/plan.ts";
import type { DefinitionState, Member } from "../core/member/observation.ts";
import type { Exposure } from "../core/network/gateway.ts";
import type { Roots } from "../core/roots/stages.ts";
import type { MeshSpec } from "../core/spec.ts";
import type { Drains } from "./drains.ts";
import type { PeerStanding } from "./member.ts";
import type { Networks } from "./networks.ts";

/** The wanted control plane of a member. The caller computes it, because that needs the rendered manifest. */
export interface DesiredControlPlane {
  readonly manifestHash: string;
  readonly istioVersion: string;
  /** The objects that an apply writes beside these definitions; all of them where those are unknown. */
  readonly objects: (definitions: readonly DefinitionState[] | undefined) => readonly ObjectName[];
}

/** The members by the word of their sources. */
export interface SeenListing {
  /** IDs that more than one member would have. */
  readonly collisions: ReadonlySet<string>;
  /** What the sources did not tell. */
  readonly findings: readonly Finding[];
}

/** The facts that every check may use. */
export interface MeshContext {
  readonly spec: MeshSpec;
  readonly roots: Roots;
  readonly listing: SeenListing;
  /** Reasons of findings that this run may act on. */
  readonly confirm: readonly string[];
  /** What the traffic rule of a member notes where it is as it should be; undefined: none is wanted. */
  readonly failoverSettings?: string | undefined;
  /** The run replaces intermediates that were issued before this, even young ones. */
  readonly rotateBefore?: Date | undefined;
  readonly now: Date;
}

/** What a member's east-west gateway should be. */
export interface WantedGateway {
  readonly network: string;
  readonly exposure: Exposure;
}

/** For a check of one member. */
export interface MemberContext extends MeshContext {
  /** All that the look saw, with the unreachable ones. */
  readonly members: readonly Member[];
  /** The ID of the one cluster that the run is about; undefined: all. */
  readonly only?: string | undefined;
  readonly desired: DesiredControlPlane;
}

/** For a check of one pair, or of one member's gateway. */
export interface PairContext extends MeshContext {
  /** All, with the unreachable ones. */
  readonly members: readonly Member[];
  /** Which members are drained, by the newest note, label or order. */
  readonly drains: Drains;
  /** Of these members, and of lost ones that keep their pairs for now. */
  readonly networks: Networks<Member>;
  /** What the Service of a gateway that is as it should be has for its settings. */
  readonly settingsOf: (gateway: WantedGateway) => string;
  /** Every source told of all its clusters, and no cluster that left is still on record. */
  readonly isWholeView: boolean;
  /** Whether the cluster of the ID was looked at, or is about to go: any other may have a gateway. */
  readonly isKnown: (clusterId: string) => boolean;
  /** By cluster ID: how each member's own half stands now. */
  readonly standings: ReadonlyMap<string, PeerStanding>;
  /** Pairs as they stand `now`, or `afterwards`, when the run has applied the members' own halves. */
  readonly view: "now" | "afterwards";
}

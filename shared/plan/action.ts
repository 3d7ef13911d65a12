import type { Finding } from "../core/answers/finding.ts";
import type { ObjectName, Write } from "../core/answers/plan.ts";
import { ISTIO_NAMESPACE } from "../core/names.ts";

interface Step {
  readonly verb: Write["verb"];
  /** The member that is written to. */
  readonly clusterId: string;
  /** Every object that carrying it out writes, as far as the look could tell. */
  readonly writes: readonly Write[];
  /** What made it necessary. */
  readonly findings: readonly Finding[];
}

/** The namespace with its labels, before anything else is in it, and with what is noted on it. */
export interface LabelNamespace extends Step {
  readonly kind: "labelNamespace";
  /** Undefined where the namespace is somebody else's, and gets no label. */
  readonly network: string | undefined;
  /** The annotation `accepted-cacerts`. */
  readonly acceptance: string | undefined;
}

export interface IssueHistory {
  /** This is the first one, and no istiod was there that might have issued certificates. */
  readonly isFirst: boolean;
  readonly joinedAt: Date | undefined;
  /** Holds as long as another one stands for the same root versions (as `formatRootVersions` writes them). */
  readonly versionsLoaded: { readonly rootVersions: string; readonly at: Date } | undefined;
}

/** A new key, its certificate, and the trust bundle, as one Secret. */
export interface IssueIntermediate extends Step {
  readonly kind: "issueIntermediate";
  /** What is known of the cluster's certificates so far, and stays on record. */
  readonly history: IssueHistory;
  /** The one that is there is past the time at which anything may hold its renewal back. */
  readonly isUrgent: boolean;
  /** Of the Secret to replace; undefined when it is created. */
  readonly resourceVersion: string | undefined;
}

/** All of Istio's objects; istiod's Deployment last. */
export interface ApplyControlPlane extends Step {
  readonly kind: "applyControlPlane";
  readonly manifestHash: string;
}

/**
 * `needed`: the pair is not as it should be. `ending`: the token is good and near its end. `due`: it is good and has time; each
 * renewal makes an istiod list a cluster again, so a reader gets few in a run, those that end first. `reserve`: due as
 * well, and next in turn if one before it cannot be written.
 */
export type Urgency = "needed" | "ending" | "due" | "reserve";

/** A credential of `target` handed to `reader` (`clusterId`) as a remote secret. */
export interface Connect extends Step {
  readonly kind: "connect";
  readonly target: string;
  readonly urgency: Urgency;
  readonly endpointDigest: string;
  /** Of the remote secret to replace; undefined when it is created. */
  readonly resourceVersion: string | undefined;
  /**
   * UID of the reader Secret that was not seen, if that alone is the cause. Two clusters are not seen at one instant: if it is
   * there after all, another run was at it, and nothing is to be done.
   */
  readonly unseen?: string;
}

/** An object as it was seen: only this very one is deleted. */
export interface SeenObject {
  readonly name: string;
  readonly uid: string;
}

/** The remote secret for `target`, which has left, taken from the reader (`clusterId`). */
export interface Disconnect extends Step {
  readonly kind: "disconnect";
  readonly target: string;
  readonly secret: SeenObject;
}

/** The reader Secret of `reader`, which has left, deleted in the target (`clusterId`): its tokens die with it. */
export interface Revoke extends Step {
  readonly kind: "revoke";
  readonly reader: string;
  readonly secret: SeenObject;
}

export type MemberAction = LabelNamespace | IssueIntermediate | ApplyControlPlane;
export type DepartureAction = Disconnect | Revoke;
export type Action = MemberAction | Connect | DepartureAction;

export function secretName(name: string): ObjectName {
  return { kind: "Secret", namespace: ISTIO_NAMESPACE, name };
}

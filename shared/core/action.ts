import type { Finding } from "./finding.ts";

interface Step {
  readonly verb: "create" | "update";
  /** The member that is written to. */
  readonly clusterId: string;
  /** What made it necessary. */
  readonly findings: readonly Finding[];
}

/** The namespace with its network label, before anything else is in it. */
export interface LabelNamespace extends Step {
  readonly kind: "labelNamespace";
  readonly network: string;
}

/** A new key, its certificate, and the trust bundle, as one Secret. */
export interface IssueIntermediate extends Step {
  readonly kind: "issueIntermediate";
  /** Of the Secret to replace; undefined when it is created. */
  readonly resourceVersion: string | undefined;
}

/** All of Istio's objects; istiod's Deployment last. */
export interface ApplyControlPlane extends Step {
  readonly kind: "applyControlPlane";
  readonly manifestHash: string;
}

/** A credential of `target` handed to `reader` (`clusterId`) as a remote secret. */
export interface Connect extends Step {
  readonly kind: "connect";
  readonly target: string;
  readonly endpointDigest: string;
  /** Of the remote secret to replace; undefined when it is created. */
  readonly resourceVersion: string | undefined;
}

export type MemberAction = LabelNamespace | IssueIntermediate | ApplyControlPlane;
export type Action = MemberAction | Connect;

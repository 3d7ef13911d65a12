import type { Finding } from "../core/answers/finding.ts";
import type { ObjectName, Write } from "../core/answers/plan.ts";
import type { DrainNote } from "../core/member/drain.ts";
import { ISTIO_NAMESPACE } from "../core/names.ts";
import type { Exposure } from "../core/network/gateway.ts";
import type { LastGateway } from "../core/network/last-gateway.ts";

interface Step {
  readonly verb: Write["verb"];
  /** The member that the action changes. */
  readonly clusterId: string;
  /** Every object that the action writes, as far as the look could tell. */
  readonly writes: readonly Write[];
  /** Why the action is necessary. */
  readonly findings: readonly Finding[];
}

/** Istio's namespace with its labels and its notes, before it holds anything else. */
export interface LabelNamespace extends Step {
  readonly kind: "labelNamespace";
  /** Undefined for a foreign namespace, which gets no label. */
  readonly network: string | undefined;
  /** The annotation `accepted-cacerts`. */
  readonly acceptance: string | undefined;
  /** On record until no pod of the cluster is in it. */
  readonly formerNetwork?: string | undefined;
  /** The network that it is about to change to. */
  readonly nextNetwork?: string | undefined;
}

export interface IssueHistory {
  /** It is the first intermediate, and no istiod ran that may have issued certificates. */
  readonly isFirst: boolean;
  readonly joinedAt: Date | undefined;
  /** Valid for a new intermediate of the same root versions (as `formatRootVersions` writes them). */
  readonly versionsLoaded: { readonly rootVersions: string; readonly at: Date } | undefined;
}

/** A new key, its certificate, and the trust bundle, as one Secret. */
export interface IssueIntermediate extends Step {
  readonly kind: "issueIntermediate";
  /** Facts about the cluster's earlier certificates that stay on record. */
  readonly history: IssueHistory;
  /** The present intermediate is so near its end that nothing may hold the renewal back. */
  readonly isUrgent: boolean;
  /** Of the Secret to replace; undefined when it is created. */
  readonly resourceVersion: string | undefined;
}

/** All of Istio's objects; istiod's Deployment last. */
export interface ApplyControlPlane extends Step {
  readonly kind: "applyControlPlane";
  /** No istiod has run in the cluster yet, so it gets the traffic defaults before the first one. */
  readonly isFirst: boolean;
  readonly manifestHash: string;
}

/**
 * `needed`: the pair is not as it should be. `ending`: the token is good and near its end. `due`: the token
 * is good and has time. Each renewal makes an istiod list a cluster again, so a run renews few of a reader's
 * tokens, those that end first. `reserve`: also due, and next in turn if an earlier one cannot be written.
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
   * UID of the reader Secret that the look did not find, if that alone is the cause. A look reads two
   * clusters at two moments: if the Secret exists after all, another run has made it, and there is nothing to
   * do.
   */
  readonly unseen?: string;
}

/** An east-west gateway: istiod makes it of one Gateway and its options. */
export interface ApplyGateway extends Step {
  readonly kind: "applyGateway";
  /** The name of the Gateway. */
  readonly gateway: string;
  readonly network: string;
  readonly exposure: Exposure;
  /** It is made so that no istiod takes it for one, until it has been up for a while. */
  readonly isHidden: boolean;
  /** When a run found it up; undefined for one that is not up, or not hidden. */
  readonly settlingSince?: Date | undefined;
}

/** Lets no istiod take the gateway for one any more, while it still serves requests that are on their way. */
export interface HideGateway extends Step {
  readonly kind: "hideGateway";
  readonly gateway: string;
  readonly exposure: Exposure;
  /** The Gateway that takes its place. */
  readonly instead: string;
}

/** Takes away the gateway of a cluster that has left, or one that no member of another network uses. */
export interface RemoveGateway extends Step {
  readonly kind: "removeGateway";
  readonly gateway: string;
}

/** The rule that says where requests go, in a member whose istiod runs. */
export interface WriteTrafficDefaults extends Step {
  readonly kind: "writeTrafficDefaults";
}

/** Takes it away: the configuration wants none, or a rule of somebody else holds. */
export interface RemoveTrafficDefaults extends Step {
  readonly kind: "removeTrafficDefaults";
}

/** The ingress, which takes requests from outside: istiod makes it of one Gateway and its options. */
export interface ApplyIngress extends Step {
  readonly kind: "applyIngress";
}

/** Takes away an ingress that the configuration wants no more. */
export interface RemoveIngress extends Step {
  readonly kind: "removeIngress";
}

/** Writes the probe that the configuration keeps in a member. */
export interface PutProbe extends Step {
  readonly kind: "putProbe";
}

/** Takes away a probe that nobody wants any more. */
export interface RemoveProbe extends Step {
  readonly kind: "removeProbe";
  /** The configuration wanted it, and does so no more; else a check that has not taken it away. */
  readonly isOfConfiguration: boolean;
}

/**
 * Gives the reader (`clusterId`) a Gateway that names the addresses of the target's one gateway. istiod uses
 * them while it knows no other gateway of that network: requests fail then, and no proxy gets a raw address.
 */
export interface KeepLastGateway extends Step {
  readonly kind: "keepLastGateway";
  readonly target: string;
  readonly last: LastGateway;
}

/** Takes it away, while the remote secret stays. */
export interface DropLastGateway extends Step {
  readonly kind: "dropLastGateway";
  readonly target: string;
}

/** An object as the look found it. The run deletes only an object of this UID. */
export interface SeenObject {
  readonly name: string;
  readonly uid: string;
}

/** Deletes the remote secret for `target`, which has left, from the reader (`clusterId`). */
export interface Disconnect extends Step {
  readonly kind: "disconnect";
  readonly target: string;
  readonly secret: SeenObject;
}

/**
 * Deletes the remote secret of `target` from the reader (`clusterId`) while no gateway leads there: with it,
 * istiod hands out pod addresses that the reader's network cannot reach. The token in it stays valid, and the
 * next run that sees a gateway makes the pair again.
 */
export interface Withdraw extends Step {
  readonly kind: "withdraw";
  readonly target: string;
  /** The target has a gateway with an address, which istiod also takes for others of its network. */
  readonly isCarrier: boolean;
  readonly secret: SeenObject;
}

/** Writes a copy of the note about a member, or of the note that its drain is over, into a member. */
export interface NoteDrain extends Step {
  readonly kind: "noteDrain";
  /** The member that the note is about. */
  readonly of: string;
  readonly note: DrainNote;
}

/** Takes a copy away that nobody needs any more. */
export interface DropDrainNote extends Step {
  readonly kind: "dropDrainNote";
  readonly of: string;
  readonly secret: SeenObject & { readonly resourceVersion: string };
}

/** Deletes the reader Secret of `reader`, which has left, and so its tokens, in the target (`clusterId`). */
export interface Revoke extends Step {
  readonly kind: "revoke";
  readonly reader: string;
  readonly secret: SeenObject;
}

/** The notes of a Secret of a pair; what is undefined, it is not to have. */
export interface SecretNotes {
  readonly lostSince: Date | undefined;
  /** Of a remote secret alone. */
  readonly silentSince: Date | undefined;
  readonly lastGateway: string | undefined;
}

/**
 * Notes on a Secret of a pair since when the cluster that it is about is lost, or does not answer; or takes
 * such a note off.
 */
export interface NoteSecret extends Step {
  readonly kind: "noteSecret";
  /** The cluster that the Secret is about. */
  readonly of: string;
  /** Of the two Secrets of a pair: the reader Secret. */
  readonly isReader: boolean;
  readonly secret: SeenObject & { readonly resourceVersion: string };
  /** All that it is to have. */
  readonly notes: SecretNotes;
}

/** Notes on a copy of the note of a drain since when the member answers again, or takes that off. */
export interface NoteAnswers extends Step {
  readonly kind: "noteAnswers";
  readonly of: string;
  readonly secret: SeenObject & { readonly resourceVersion: string };
  readonly answersSince: Date | undefined;
}

/** Notes on the namespace of a cluster that leaves that this was decided, so that a later run finishes it. */
export interface MarkLeft extends Step, Pick<LabelNamespace, "network" | "acceptance"> {
  readonly kind: "markLeft";
  readonly leftAt: Date;
}

export type MemberAction = LabelNamespace | IssueIntermediate | ApplyControlPlane;
export type GatewayAction = ApplyGateway | RemoveGateway;
export type IngressAction = ApplyIngress | RemoveIngress;
export type LastGatewayAction = KeepLastGateway | DropLastGateway;
export type TrafficDefaultsAction = WriteTrafficDefaults | RemoveTrafficDefaults;
export type ReplacedAction = HideGateway | RemoveGateway;
export type Removal = Disconnect | Revoke;
export type DepartureAction = Removal | MarkLeft | NoteSecret | RemoveGateway | RemoveProbe | DropDrainNote;
export type SilenceAction = NoteSecret | NoteAnswers;
export type DrainAction = NoteDrain | DropDrainNote;
export type Action =
  | MemberAction
  | GatewayAction
  | HideGateway
  | Connect
  | Withdraw
  | IngressAction
  | PutProbe
  | TrafficDefaultsAction
  | DrainAction
  | SilenceAction
  | LastGatewayAction
  | DepartureAction;

export function secretName(name: string): ObjectName {
  return { kind: "Secret", namespace: ISTIO_NAMESPACE, name };
}

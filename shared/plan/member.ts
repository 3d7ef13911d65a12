import type { Finding } from "../core/answers/finding.ts";
import { certificatesEnd } from "../core/member/istiod-away.ts";
import { isReachable, type Member, type Reachable } from "../core/member/observation.ts";
import type { ApplyControlPlane, IssueIntermediate, MemberAction } from "./action.ts";
import { type Block, whyBlocked } from "./blockers.ts";
import type { MemberContext } from "./context.ts";
import { notesOf } from "./member-notes.ts";
import { isGuest, isInstalled } from "./standing.ts";
import { renewIntermediate, stepsOf } from "./steps.ts";

/**
 * How a member's own half stands: `complete`, `pending` (actions or readiness are missing), or `blocked`
 * (Meshjoin writes nothing to it).
 */
export type Standing = "complete" | "pending" | "blocked";

export interface MemberPlan {
  readonly clusterId: string;
  readonly standing: Standing;
  /** For a blocked member. */
  readonly waitsFor?: Block["waitsFor"];
  readonly actions: readonly MemberAction[];
  /** Another intermediate for an istiod that serves its present one; a share of the members at a time. */
  readonly renewal?: IssueIntermediate;
  /** A changed manifest for a complete istiod. It has time, and goes to one member after the other. */
  readonly rollOut?: ApplyControlPlane;
  readonly findings: readonly Finding[];
}

/** Round one of design rule 2, for one member: its own half. */
export function planMember(member: Member, context: MemberContext): MemberPlan {
  const { clusterId } = member;
  const block = whyBlocked(member, context);
  if (block !== undefined || !isReachable(member)) {
    const { findings = [], waitsFor = "time" } = block ?? {};
    const ending = isReachable(member) && isOurs(member.state) ? certificatesEnd(member, context.now) : [];
    const all = [...findings, ...[ending ?? []].flat()];
    return { clusterId, standing: "blocked", waitsFor, actions: [], findings: all };
  }
  const due = stepsOf(member, context);
  const rollOut = due.find((action) => action.kind === "applyControlPlane" && isInstalled(member.state));
  const actions = due.filter((action) => action !== rollOut);
  const mayRenew = isInstalled(member.state) && !isGuest(member.state);
  const renewal = mayRenew ? renewIntermediate(member, context) : undefined;
  const isIssued = actions.some(({ kind }) => kind === "issueIntermediate");
  return {
    clusterId,
    standing: actions.length === 0 ? readiness(member.state, "rolledOut") : "pending",
    actions,
    ...(renewal === undefined || isIssued ? {} : { renewal }),
    ...(rollOut?.kind === "applyControlPlane" ? { rollOut } : {}),
    findings: [...notesOf(member, context), ...(renewal?.findings ?? []), ...(rollOut?.findings ?? [])],
  };
}

function isOurs({ controlPlane, cacerts }: Reachable): boolean {
  return (controlPlane ?? cacerts)?.owner === "ours";
}

/** How a member stands as a peer. `down`: Meshjoin applied everything once, and istiod does not serve now. */
export type PeerStanding = Standing | "down";

/**
 * Whether a peer's own half suffices for a remote secret. The peer may be due for a new certificate or
 * manifest, or in the middle of a roll-out: a run about the peer handles that, and its pairs need not wait.
 */
export function peerStanding(member: Member, context: MemberContext): PeerStanding {
  const isBlocked = whyBlocked(member, context) !== undefined;
  if (isBlocked || !isReachable(member)) return "blocked";
  if (readiness(member.state, "serves") === "complete") return "complete";
  return isApplied(member.state) ? "down" : "pending";
}

function readiness(state: Reachable, condition: "serves" | "rolledOut"): Standing {
  const { controlPlane, pods } = state;
  const isUp = controlPlane?.[condition] === true && pods.length > 0;
  return isApplied(state) && isUp ? "complete" : "pending";
}

function isApplied({ cacerts, controlPlane }: Reachable): boolean {
  const hasManifest = controlPlane?.owner === "foreign" || controlPlane?.manifestHash !== undefined;
  return cacerts !== undefined && hasManifest;
}

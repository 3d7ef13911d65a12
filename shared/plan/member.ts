import type { Finding } from "../core/finding.ts";
import { isReachable, type Member, type Reachable } from "../core/observation.ts";
import type { ApplyControlPlane, IssueIntermediate, MemberAction } from "./action.ts";
import { type Block, whyBlocked } from "./blockers.ts";
import type { MemberContext } from "./context.ts";
import { notesOf } from "./member-notes.ts";
import { isGuest, isWhole, renewIntermediate, stepsOf } from "./steps.ts";

/**
 * How a member stands after its own half: `complete`, `pending` (actions or readiness are missing), or
 * `blocked` (somebody must act; nothing is written to it).
 */
export type Standing = "complete" | "pending" | "blocked";

export interface MemberPlan {
  readonly clusterId: string;
  readonly standing: Standing;
  /** Of one that is blocked. */
  readonly waitsFor?: Block["waitsFor"];
  readonly actions: readonly MemberAction[];
  /** Another intermediate for an istiod that serves with the one it has; a share of the members has its turn at a time. */
  readonly renewal?: IssueIntermediate;
  /** A changed manifest for an istiod that is whole: it has time, and goes to one member after the other. */
  readonly rollOut?: ApplyControlPlane;
  readonly findings: readonly Finding[];
}

/** Round one of design rule 2, for one member: its own half. */
export function planMember(member: Member, context: MemberContext): MemberPlan {
  const { clusterId } = member;
  const block = whyBlocked(member, context);
  if (block !== undefined || !isReachable(member)) {
    const { findings = [], waitsFor = "time" } = block ?? {};
    return { clusterId, standing: "blocked", waitsFor, actions: [], findings };
  }
  const due = stepsOf(member, context);
  const rollOut = due.find((action) => action.kind === "applyControlPlane" && isWhole(member.state));
  const actions = due.filter((action) => action !== rollOut);
  const mayRenew = isWhole(member.state) && !isGuest(member.state);
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

/** How a member stands as a peer. `down`: everything of it was applied once, and its istiod does not serve now. */
export type PeerStanding = Standing | "down";

/**
 * What a peer's own half allows: enough that a remote secret makes sense. It may be due for a new certificate or
 * manifest, or in the middle of a roll-out, all the same; that is its own reconcile's business, and no reason to keep pairs
 * waiting.
 */
export function peerStanding(member: Member, context: MemberContext): PeerStanding {
  const isBlocked = whyBlocked(member, context) !== undefined;
  if (isBlocked || !isReachable(member)) return "blocked";
  if (readiness(member.state, "serves") === "complete") return "complete";
  return isApplied(member.state) ? "down" : "pending";
}

function readiness(state: Reachable, asked: "serves" | "rolledOut"): Standing {
  const { controlPlane, pods } = state;
  return isApplied(state) && controlPlane?.[asked] === true && pods.length > 0 ? "complete" : "pending";
}

function isApplied({ cacerts, controlPlane }: Reachable): boolean {
  const applied = controlPlane?.owner === "foreign" || controlPlane?.manifestHash !== undefined;
  return cacerts !== undefined && applied;
}

import { type Finding, finding } from "../core/answers/finding.ts";
import { count } from "../core/count.ts";
import { BY_MESHJOIN } from "../core/member/drain.ts";
import { isReachable, type Member } from "../core/member/observation.ts";
import type { SilentPart } from "../core/member/silence.ts";
import type { ProbeCause } from "../core/probe/causes.ts";
import type { ProbeVerdict } from "../core/probe/judge.ts";
import type { DrainOrder } from "../core/request.ts";
import type { MeshSpec } from "../core/spec.ts";
import { sentenceTime } from "../core/time.ts";
import { type Drains, indexDrains } from "./drains.ts";
import type { LongSilence, RefusedNote, UnprovedSilence } from "./silences.ts";

/** What a probe of a peer says of requests to the member. */
export interface PeerProbe {
  readonly reader: string;
  readonly target: string;
  readonly probe: Pick<ProbeVerdict, "state" | "cause">;
}

export interface DecisionContext {
  readonly spec: MeshSpec;
  readonly members: readonly Member[];
  readonly drains: Drains;
  readonly probed: readonly PeerProbe[];
  readonly refusedNotes: readonly RefusedNote[];
  /** Lists of clusters that left something out. */
  readonly unlisted: readonly Finding[];
  readonly now: Date;
}

/**
 * A proxy tried, and the other side is away, or its certificates have ended. Any other failure is of a policy
 * or of configuration; and where an istiod hands out no endpoint, there is nothing to drain.
 */
const DEAD: ReadonlySet<ProbeCause> = new Set([
  "ConnectionEnded",
  "GatewayEndedConnection",
  "GatewayRefuses",
  "GatewaySilent",
  "NoAnswerInTime",
  "ReaderNotTrusted",
  "TargetDeadBehindGateway",
  "TargetNotTrusted",
  "TargetRefuses",
  "TargetSilent",
]);

/**
 * What keeps a member that is silent for long from being drained, in words; undefined: nothing that the
 * members tell. GKE is asked besides.
 */
export function heldBackBy(silence: LongSilence, context: DecisionContext): string | undefined {
  const { member } = silence;
  const { members, drains, spec, now, unlisted } = context;
  const [gap] = unlisted;
  if (gap !== undefined) return `${gap.message}, and those may still reach it`;
  const others = members.filter(({ clusterId }) => clusterId !== member.clusterId);
  const answering = others.filter(isReachable).length;
  if (answering * 2 <= others.length)
    return `only ${answering} of ${count(others.length, "other member")} answered, so it may be Meshjoin that has no way out`;
  const earlier = others.find(({ clusterId }) => isDrainedByMeshjoin(clusterId, drains));
  if (earlier !== undefined)
    return `Meshjoin has drained ${earlier.clusterId}, and keeps no second member drained by itself`;
  const asking = others.filter(({ clusterId }) => !isAbsent(clusterId, member.clusterId, context));
  const failing = asking.filter(({ clusterId }) => fails(clusterId, member.clusterId, context)).length;
  if (failing * 2 <= asking.length)
    return `the probes of ${failing} of ${count(asking.length, "peer")} show it dead, and it must be more than half (${tally(asking, context, member)})`;
  const { status } = member.cluster;
  if (status !== "RUNNING") return `GKE gives the cluster the status ${status}`;
  const order = orderOf(silence, now);
  return indexDrains(members, { spec, confirm: [], drain: order, now }).mass?.message;
}

/** What all peers say of it: `1 passed, 2 TargetSilent`. */
function tally(peers: readonly Member[], { probed }: DecisionContext, member: Member): string {
  const said = peers.map(({ clusterId }) => {
    const own = probed.find(({ reader, target }) => reader === clusterId && target === member.clusterId);
    return own?.probe.cause ?? own?.probe.state ?? "not asked";
  });
  return [...Map.groupBy(said, (word) => word)].map(([word, all]) => `${all.length} ${word}`).join(", ");
}

function isDrainedByMeshjoin(id: string, drains: Drains): boolean {
  const standing = drains.of(id);
  return standing.state === "drained" && standing.note.by === BY_MESHJOIN;
}

/** Requests that should not pass say nothing. */
function isAbsent(reader: string, target: string, { probed }: DecisionContext): boolean {
  return probed.some(
    (pair) => pair.reader === reader && pair.target === target && pair.probe.state === "absentOnPurpose",
  );
}

function fails(reader: string, target: string, { probed }: DecisionContext): boolean {
  return probed.some(
    ({ probe: { state, cause }, ...pair }) =>
      pair.reader === reader &&
      pair.target === target &&
      state === "failed" &&
      cause !== undefined &&
      DEAD.has(cause),
  );
}

/** Meshjoin's own word about a member, as of the time of the look that it rests on. */
export function orderOf({ member, part, since }: LongSilence, decidedAt: Date): DrainOrder {
  const who = part === "apiServer" ? "its API server" : "its istiod";
  return {
    clusterId: member.clusterId,
    state: "drained",
    by: BY_MESHJOIN,
    reason: `${who} has been silent since ${sentenceTime(since)}, and no request of most peers gets through`,
    decidedAt,
  };
}

export function heldBack({ member, part, since }: LongSilence, because: string): Finding {
  const { clusterId } = member;
  return finding(
    "DrainHeldBack",
    `${partOf(part)} of ${clusterId} has been silent since ${sentenceTime(since)}, and Meshjoin does not drain it: ${because}`,
    `see whether requests to it pass: meshjoin check; if it is dead: meshjoin drain ${clusterId}`,
    clusterId,
  );
}

/** The peers do not hold on record how long it has been silent, so it is not drained, however long it is. */
export function heldBackByPeers({ member, part, since, refused }: UnprovedSilence): Finding {
  const { clusterId } = member;
  const readers = refused.map(({ reader }) => reader).join(" and ");
  const how =
    since === undefined
      ? "is silent, nobody notes since when, and"
      : `has been silent since ${sentenceTime(since)}, and`;
  const verb = refused.length === 1 ? "does" : "do";
  const causes = distinctTexts(refused.map(({ fault }) => fault.message));
  const cures = distinctTexts(refused.map(({ fault }) => fault.cure));
  return finding(
    "DrainHeldBack",
    `${partOf(part)} of ${clusterId} ${how} Meshjoin does not drain it: ${readers} ${verb} not take the note of its silence (${causes}), and more than half of its readers have to hold one`,
    `let ${readers} take the note: ${cures}; if ${clusterId} is dead: meshjoin drain ${clusterId}`,
    clusterId,
  );
}

function distinctTexts(texts: readonly string[]): string {
  return [...new Set(texts)].join("; ");
}

function partOf(part: SilentPart): string {
  return part === "apiServer" ? "the API server" : "istiod";
}

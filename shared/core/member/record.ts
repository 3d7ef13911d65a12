import type { Finding } from "../answers/finding.ts";
import { isUnfinished, type Outcome } from "../answers/outcome.ts";
import type { Reason } from "../answers/reasons.ts";
import type { LeftStatus, RunStatus } from "../answers/status.ts";
import type { RootVersions } from "../roots/state.ts";

/**
 * What runs remember of one member: bounded, without key material, written when it changes. Losing it does no
 * harm: every fact that decides is read anew. Times are RFC 3339.
 */
export interface MemberRecord {
  /** Why the last run that came to the member left work undone; empty if none did. */
  readonly troubles: readonly Trouble[];
  /** Clusters that have left, and whose intermediate CA members still trust. */
  readonly left: readonly LeftCluster[];
  /** The newest first. */
  readonly lately: readonly { readonly at: string; readonly what: string }[];
  /** The last runs of the functions; on one member of the mesh alone. */
  readonly runs: { readonly [kind in RunKind]?: RunStatus };
  /** Why no certificate could be signed, when a run last asked; on one member of the mesh alone. */
  readonly root?: RootTrouble;
  /** Members that do not answer, since a full run first saw it; on one member of the mesh alone. */
  readonly silent?: readonly NotedSilence[];
  /** Members that no Secret on this one names: nothing else on it would tell of their loss. */
  readonly unpaired?: readonly Unpaired[];
}

export interface NotedSilence {
  readonly clusterId: string;
  readonly since: string;
}

export interface Unpaired {
  readonly clusterId: string;
  readonly resource: string;
  /** When a full run first saw that it is lost. */
  readonly lostSince?: string;
}

export type RunKind = "full" | "tick";

export interface Trouble {
  readonly reason: Reason;
  readonly outcome: "waiting" | "failed";
  readonly message: string;
  readonly cure: string;
  /** When a run first met it; a run that did not meet it has ended it. */
  readonly since: string;
}

export type RootTrouble = Omit<Trouble, "outcome">;

export interface LeftCluster extends LeftStatus {
  /** The claimed roots when it left. Its CA chains to one of them. Empty where no run could read them. */
  readonly rootVersions: readonly number[];
}

export const EMPTY_RECORD: MemberRecord = { troubles: [], left: [], lately: [], runs: {} };

/** The part of a run that concerns one member. */
export interface RunResult {
  readonly now: Date;
  readonly outcome: Outcome;
  /** Of the member and of the pairs in which it is the reader. */
  readonly findings: readonly Finding[];
  /** What the run changed, as a sentence without its period; undefined for nothing. */
  readonly changes: string | undefined;
  readonly left: readonly LeftCluster[];
  readonly roots: RootVersions;
  readonly isMember: (clusterId: string) => boolean;
  /** Undefined where the run has not seen the whole mesh. */
  readonly unpaired?: UnpairedSeen | undefined;
  /** IDs of the members that do not answer, by a full run of the functions; undefined in any other run. */
  readonly silent?: ReadonlySet<string> | undefined;
  /** Of a full run of the functions, for the member that keeps their notes. */
  readonly run?: { readonly kind: RunKind; readonly outcome: Outcome; readonly version: string };
}

export interface UnpairedSeen {
  /** Among the members, by cluster ID. */
  readonly members: readonly Unpaired[];
  /** One that is no member any more, as it is to be noted; undefined once it has left. */
  readonly after: (noted: Unpaired) => Unpaired | undefined;
}

const TROUBLES_MAX = 5;
const LEFT_MAX = 20;
const SILENT_MAX = 50;
const LATELY_MAX = 12;
export const UNPAIRED_MAX = 50;
const MESSAGE_MAX = 500;
const CURE_MAX = 1500;
/** A run that ends as the one before is noted again after this time: the heartbeat. */
const HEARTBEAT_MS = 3_600_000;

/** The record after a run that did not come to the members; `before` itself where the run is no news. */
export function withRun(before: MemberRecord, result: Pick<RunResult, "run" | "now">): MemberRecord {
  const runs = runsOf(before, result);
  return runs === before.runs ? before : { ...before, runs };
}

/** The record after a run; `before` itself where nothing worth a write has changed. */
export function nextRecord(before: MemberRecord, result: RunResult): MemberRecord {
  const troubles = troublesOf(before, result);
  const left = leftOf(before, result);
  const lately = [...newsOf(before, troubles, result), ...before.lately].slice(0, LATELY_MAX);
  const runs = runsOf(before, result);
  const unpaired = unpairedOf(before, result);
  const silent = silentOf(before, result);
  const isSame =
    sameTroubles(before.troubles, troubles) &&
    JSON.stringify(before.left) === JSON.stringify(left) &&
    JSON.stringify(before.unpaired ?? []) === JSON.stringify(unpaired) &&
    JSON.stringify(before.silent ?? []) === JSON.stringify(silent) &&
    before.lately.length === lately.length &&
    before.lately[0] === lately[0] &&
    before.runs === runs;
  if (isSame) return before;
  const { unpaired: _, silent: __, ...rest } = before;
  return {
    ...rest,
    troubles,
    left,
    lately,
    runs,
    ...(unpaired.length === 0 ? {} : { unpaired }),
    ...(silent.length === 0 ? {} : { silent }),
  };
}

/**
 * Each record loses the notes of members that answer, and the one that has the notes of runs gets new ones. A
 * time that is yet to come counts as none.
 */
function silentOf(
  { silent: before = [] }: MemberRecord,
  { silent: now, run, now: time }: Pick<RunResult, "silent" | "run" | "now">,
): readonly NotedSilence[] {
  if (now === undefined) return before;
  const kept = before.filter(({ clusterId, since }) => now.has(clusterId) && new Date(since) <= time);
  const known = new Set(kept.map(({ clusterId }) => clusterId));
  const fresh = run === undefined ? [] : [...now].filter((id) => !known.has(id)).toSorted();
  const since = time.toISOString();
  return [...kept, ...fresh.map((clusterId) => ({ clusterId, since }))].slice(0, SILENT_MAX);
}

/** Those that are lost come first where there are too many: the others may be on record elsewhere. */
function unpairedOf(
  { unpaired: before = [] }: MemberRecord,
  { unpaired: seen, isMember }: Pick<RunResult, "unpaired" | "isMember">,
): readonly Unpaired[] {
  if (seen === undefined) return before;
  const gone = before
    .filter(({ clusterId }) => !isMember(clusterId))
    .flatMap((each) => seen.after(each) ?? []);
  return [...gone, ...seen.members].slice(0, UNPAIRED_MAX);
}

/** The record after a run that asked whether the root can sign; `fault`: why it cannot. */
export function withRootFault(before: MemberRecord, fault: Finding | undefined, now: Date): MemberRecord {
  const { root: last, ...rest } = before;
  if (fault === undefined) return last === undefined ? before : rest;
  const root = noteOf(fault, last, now);
  return last !== undefined && gistOf(last) === gistOf(root) ? before : { ...rest, root };
}

function troublesOf({ troubles }: MemberRecord, { outcome, findings, now }: RunResult): Trouble[] {
  if (!isUnfinished(outcome)) return [];
  const loud = findings.filter(({ severity }) => severity !== "info");
  const causes = loud.length > 0 ? loud : findings;
  const byReason = new Map(causes.map((cause) => [cause.reason, cause]));
  return [...byReason.values()].slice(0, TROUBLES_MAX).map((cause) => ({
    ...noteOf(
      cause,
      troubles.find(({ reason }) => reason === cause.reason),
      now,
    ),
    outcome,
  }));
}

/** A note of the same reason keeps its time. */
function noteOf(
  { reason, message, cure }: Finding,
  last: Pick<Trouble, "reason" | "since"> | undefined,
  now: Date,
): RootTrouble {
  return {
    reason,
    message: message.slice(0, MESSAGE_MAX),
    // A command that is cut off may do another thing than the whole one.
    cure: cure.length <= CURE_MAX ? cure : "it is too long for a note; a run shows it whole: meshjoin sync",
    since: last?.reason === reason ? last.since : now.toISOString(),
  };
}

/** In any order. Times, durations and request IDs in a message change from run to run. */
function sameTroubles(before: readonly Trouble[], after: readonly Trouble[]): boolean {
  const gistsOf = (troubles: readonly Trouble[]) => troubles.map(gistOf).toSorted();
  return JSON.stringify(gistsOf(before)) === JSON.stringify(gistsOf(after));
}

/** Without what changes from run to run; fields in one order. */
function gistOf({ since: _, ...trouble }: Trouble | RootTrouble): string {
  const fields = Object.entries(trouble).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(fields).replaceAll(PASSING, "");
}

/** RFC 3339 times, durations, and hexadecimal IDs, which have a digit. */
const PASSING =
  /\d{4}-\d{2}-\d{2}T[\d:.]+Z|\b\d+(?:\.\d+)? ?(?:ms|s|m|h|d|seconds?|minutes?|hours?|days?)\b|\b(?=[a-f-]*\d)[\da-f][\da-f-]{7,}\b/g;

/** The record before credentials of these are removed: after that nothing tells of them any more. */
export function withLeft(before: MemberRecord, result: LeftResult): MemberRecord {
  const left = leftOf(before, result);
  return JSON.stringify(before.left) === JSON.stringify(left) ? before : { ...before, left };
}

export type LeftResult = Pick<RunResult, "now" | "left" | "roots" | "isMember">;

/** A departure that takes several runs began with the first. */
function leftOf({ left }: MemberRecord, result: LeftResult): LeftCluster[] {
  const all = new Map(left.map((each) => [each.clusterId, each]));
  for (const each of result.left) {
    const known = all.get(each.clusterId);
    const trustedUntil = each.trustedUntil ?? known?.trustedUntil ?? null;
    all.set(each.clusterId, { ...(known ?? each), trustedUntil });
  }
  return [...all.values()].filter((each) => isStillTrusted(each, result)).slice(-LEFT_MAX);
}

/**
 * Not once it is a member again, its CA has ended, or none of the roots that it may chain to is claimed. A
 * run that cannot read the roots knows nothing of the last.
 */
function isStillTrusted(
  { clusterId, trustedUntil, rootVersions }: LeftCluster,
  { now, roots, isMember }: Pick<RunResult, "now" | "roots" | "isMember">,
): boolean {
  const claimed = new Set<number | undefined>(Object.values(roots));
  const hasEnded = trustedUntil !== null && new Date(trustedUntil) <= now;
  const isKnown = claimed.size > 0 && rootVersions.length > 0;
  const isClaimed = !isKnown || rootVersions.some((version) => claimed.has(version));
  return !isMember(clusterId) && !hasEnded && isClaimed;
}

function newsOf(
  { troubles: before }: MemberRecord,
  after: readonly Trouble[],
  { changes, now }: RunResult,
): MemberRecord["lately"] {
  const begun = after.filter(({ reason }) => !before.some((trouble) => trouble.reason === reason));
  const sentences = [
    ...begun.map(
      ({ outcome, reason }) => `${outcome === "failed" ? "a run failed" : "a run waits"}: ${reason}`,
    ),
    ...[changes ?? []].flat(),
    ...(before.length > 0 && after.length === 0 ? ["a run left nothing undone any more"] : []),
  ];
  return sentences.map((what) => ({ at: now.toISOString(), what }));
}

function runsOf({ runs }: MemberRecord, { run, now }: Pick<RunResult, "run" | "now">): MemberRecord["runs"] {
  if (run === undefined) return runs;
  const { kind, outcome, version } = run;
  const last = runs[kind];
  const age = last === undefined ? HEARTBEAT_MS : now.getTime() - new Date(last.at).getTime();
  // A note from the future, by a fast clock or an edit, would never grow old.
  const isOld = age >= HEARTBEAT_MS || age < -HEARTBEAT_MS;
  const isNews =
    last !== undefined && (last.version !== version || gravity(last.outcome) !== gravity(outcome));
  return isOld || isNews ? { ...runs, [kind]: { at: now.toISOString(), outcome, version } } : runs;
}

function gravity(outcome: Outcome): Outcome | "finished" {
  return isUnfinished(outcome) ? outcome : "finished";
}

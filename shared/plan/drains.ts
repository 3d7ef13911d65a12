import { type Finding, finding } from "../core/answers/finding.ts";
import { formatGoDuration } from "../core/duration.ts";
import {
  BY_LABEL,
  BY_MESHJOIN,
  DRAINED_LABEL,
  type DrainNote,
  MESH_STATE_LABEL,
  newestOf,
  sinceAfter,
} from "../core/member/drain.ts";
import { isAbout } from "../core/member/drain-copy.ts";
import { presentNetworks } from "../core/member/networks.ts";
import { type DrainCopy, isReachable, type Member } from "../core/member/observation.ts";
import type { DrainOrder } from "../core/request.ts";
import type { MeshSpec } from "../core/spec.ts";
import { sentenceTime } from "../core/time.ts";
import { hasComeBack, REST } from "./silences.ts";

/**
 * How a member stands: `serving` (its drain is over, and its readers take it back a share at a time),
 * `unknown` (a note on it says nothing that can be read, and no other does), or `none`: nobody ever drained
 * it.
 */
export type DrainStanding =
  | { readonly state: "none" | "unknown" }
  | {
      readonly state: "drained" | "serving";
      readonly note: DrainNote;
      /** It stands in no member yet: this run writes it. */
      readonly isNew: boolean;
      /** The newest that stands in a member. */
      readonly onRecord: DrainNote | undefined;
    };

export interface Drains {
  of(clusterId: string): DrainStanding;
  isDrained(clusterId: string): boolean;
  /** Too many would be drained without a confirmation, so none of the new ones is. */
  readonly mass: Finding | undefined;
}

export interface DrainsContext {
  readonly spec: Pick<MeshSpec, "drainShare" | "drainAfter" | "clockSkew">;
  readonly confirm: readonly string[];
  readonly drain?: DrainOrder | undefined;
  /** The ID of the one cluster that the run is about; undefined: all. */
  readonly only?: string | undefined;
  readonly now: Date;
}

/**
 * A list of clusters may be behind, and so a label that it shows, or that it lacks. A younger note is
 * believed rather than the label.
 */
const LABEL_SETTLES_MS = 300_000;

/** The register of all members. What stands in any of them holds for all. */
export function indexDrains(members: readonly Member[], context: DrainsContext): Drains {
  const copies = registerOf(members);
  const standings = new Map<string, DrainStanding>();
  const begun: Member[] = [];
  for (const member of members) {
    const { clusterId } = member;
    const own = (copies.get(clusterId) ?? []).filter((copy) => isAbout(copy, member));
    const seen = standingOf(own);
    const next = isAside(member, context)
      ? undefined
      : (wishedFor(member, seen, members, context) ?? returnOf(member, seen, members, context));
    standings.set(clusterId, next ?? seen);
    if (next?.state === "drained" && seen.state !== "drained") begun.push(member);
  }
  const mass = massDrain(members, begun, standings, context);
  if (mass !== undefined) for (const member of begun) standings.set(member.clusterId, seenOf(member, copies));
  const of = (id: string): DrainStanding => standings.get(id) ?? NEVER;
  return { of, isDrained: (id) => of(id).state === "drained", mass };
}

/** How each member stands by the notes alone, whatever labels and orders want. */
export function drainsOnRecord(members: readonly Member[]): (clusterId: string) => DrainStanding {
  const copies = registerOf(members);
  const standings = new Map(members.map((member) => [member.clusterId, seenOf(member, copies)]));
  return (id) => standings.get(id) ?? NEVER;
}

const NEVER: DrainStanding = { state: "none" };

/** All copies, by the ID of the cluster that they are about. */
function registerOf(members: readonly Member[]): ReadonlyMap<string, readonly DrainCopy[]> {
  return Map.groupBy(
    members.filter(isReachable).flatMap(({ state }) => (state.drainCopies ?? []).filter(isOurs)),
    ({ of }) => of,
  );
}

function seenOf(member: Member, copies: ReadonlyMap<string, readonly DrainCopy[]>): DrainStanding {
  return standingOf((copies.get(member.clusterId) ?? []).filter((copy) => isAbout(copy, member)));
}

function isOurs({ owner }: DrainCopy): boolean {
  return owner === "ours";
}

function standingOf(copies: readonly DrainCopy[]): DrainStanding {
  const { note, isUnread } = newestOf(copies);
  if (note === undefined) return isUnread ? { state: "unknown" } : NEVER;
  return { state: note.state, note, isNew: false, onRecord: note };
}

/** The end of a drain that Meshjoin has decided on; a full run alone sees that the member answers again. */
function returnOf(
  member: Member,
  seen: DrainStanding,
  members: readonly Member[],
  context: DrainsContext,
): DrainStanding | undefined {
  if (context.only !== undefined || seen.state !== "drained") return undefined;
  if (!hasComeBack(member, seen.note, members, context)) return undefined;
  return fresh(seen.note, { state: "serving", by: BY_MESHJOIN, reason: "" }, context.now);
}

/**
 * An order is about one member alone. What others wait for needs no confirmation of it, and must not have it;
 * the next run comes to them.
 */
function isAside({ clusterId }: Member, { drain }: DrainsContext): boolean {
  return drain !== undefined && drain.clusterId !== clusterId;
}

/** What a person wants now, by an order or by the label; undefined where the notes say it already. */
function wishedFor(
  member: Member,
  seen: DrainStanding,
  members: readonly Member[],
  context: DrainsContext,
): DrainStanding | undefined {
  const { drain, now } = context;
  if (drain !== undefined && drain.clusterId === member.clusterId)
    return orderedFor(seen, drain, members, now);
  const label = member.cluster.labels[MESH_STATE_LABEL];
  const noted = "note" in seen ? seen.note : undefined;
  if (noted !== undefined && isYoung(noted, now)) return undefined;
  const isFree = seen.state === "none" || seen.state === "serving" || noted?.by === BY_MESHJOIN;
  if (label === DRAINED_LABEL && isFree)
    return fresh(noted, { state: "drained", by: BY_LABEL, reason: "" }, now);
  if (label === undefined && seen.state === "drained" && noted?.by === BY_LABEL)
    return fresh(noted, { state: "serving", by: BY_LABEL, reason: "" }, now);
  return undefined;
}

function orderedFor(
  seen: DrainStanding,
  { state, by, reason, decidedAt }: DrainOrder,
  members: readonly Member[],
  now: Date,
): DrainStanding | undefined {
  const noted = "note" in seen ? seen.note : undefined;
  // A drain by the label, or by Meshjoin, may end, and this one is to stay.
  const isKept = state === "serving" || (noted?.by !== BY_LABEL && noted?.by !== BY_MESHJOIN);
  if (seen.state === state && isKept && (reason === "" || reason === noted?.reason)) return undefined;
  // A member that does not answer may be the only one that has a drain on record.
  if (seen.state === "none" && state === "serving" && members.every(isReachable)) return undefined;
  return fresh(noted, { state, by, reason }, decidedAt ?? now);
}

function fresh(seen: DrainNote | undefined, note: Omit<DrainNote, "since">, now: Date): DrainStanding {
  return { state: note.state, note: { ...note, since: sinceAfter(seen, now) }, isNew: true, onRecord: seen };
}

/** One that is far ahead, by a wrong clock, would be young for ever. */
function isYoung({ since }: DrainNote, now: Date): boolean {
  return Math.abs(now.getTime() - since.getTime()) < LABEL_SETTLES_MS;
}

/** Notes that stand need no second confirmation. */
function massDrain(
  members: readonly Member[],
  begun: readonly Member[],
  standings: ReadonlyMap<string, DrainStanding>,
  { spec, confirm, drain }: DrainsContext,
): Finding | undefined {
  if (begun.length === 0 || confirm.includes("MassDrain")) return undefined;
  const ids = begun.map(({ clusterId }) => clusterId);
  const isDrained = ({ clusterId }: Member) => standings.get(clusterId)?.state === "drained";
  const then = tooMany(members, begun, isDrained, { spec, words: ["would be", "would serve"] });
  if (then === undefined) return undefined;
  return finding(
    "MassDrain",
    `with ${ids.join(", ")} ${then}; Meshjoin drains none of those that are not drained yet before a person confirms it`,
    drain === undefined
      ? `if all are to be drained: meshjoin sync --confirm MassDrain; to take label ${MESH_STATE_LABEL} off one that is to serve: ${ids.map((id) => `meshjoin undrain ${id}`).join("; or: ")}`
      : `if that is meant: meshjoin drain ${drain.clusterId} --confirm MassDrain`,
  );
}

interface Counting {
  readonly spec: Pick<MeshSpec, "drainShare">;
  /** How it is said: of a drain to come, or of one that is done. */
  readonly words: readonly [string, string];
}

/** What a person should have confirmed before so many are drained, in words; undefined: nothing. */
function tooMany(
  members: readonly Member[],
  begun: readonly Member[],
  isDrained: (member: Member) => boolean,
  { spec, words: [are, serves] }: Counting,
): string | undefined {
  const number = members.filter(isDrained).length;
  const serving = members.filter((member) => isReachable(member) && !isDrained(member));
  const left = new Set(serving.flatMap(presentNetworks));
  const deserted = [...new Set(begun.flatMap(presentNetworks))].filter((network) => !left.has(network));
  if (serving.length === 0) return `no member ${serves} any more`;
  if (number > spec.drainShare * members.length)
    return `${number} of ${members.length} members ${are} drained, more than MESHJOIN_DRAIN_SHARE allows`;
  return deserted.length === 0 ? undefined : `no member of network ${deserted.join(", ")} ${serves} any more`;
}

/**
 * Runs that drain different members at the same time do not see each other, so each may find that its own
 * needs no confirmation. After its notes a run reads those of all members again, and the last one at least
 * sees both. It undoes nothing: the other may be about to, and then nobody would be drained. `now`: the
 * members with the notes that they hold now. `own`: IDs of those that this run has drained.
 */
export function drainsTogether(
  now: readonly Member[],
  own: ReadonlySet<string>,
  { spec, drains }: { readonly spec: Pick<MeshSpec, "drainShare">; readonly drains: Drains },
): Finding | undefined {
  const recorded = drainsOnRecord(now);
  const isDrainedNow = ({ clusterId }: Member) => recorded(clusterId).state === "drained";
  const begun = now.filter((member) => isDrainedNow(member) && own.has(member.clusterId));
  const others = now.filter(
    (member) => isDrainedNow(member) && !own.has(member.clusterId) && !drains.isDrained(member.clusterId),
  );
  if (begun.length === 0 || others.length === 0) return undefined;
  const then = tooMany(now, [...begun, ...others], isDrainedNow, { spec, words: ["are", "serves"] });
  if (then === undefined) return undefined;
  const mine = begun.map(({ clusterId }) => clusterId);
  const theirs = others.map(({ clusterId }) => {
    const standing = recorded(clusterId);
    return "note" in standing ? `${clusterId} (by ${standing.note.by})` : clusterId;
  });
  const both = [...begun, ...others].map(({ clusterId }) => `meshjoin undrain ${clusterId}`);
  return finding(
    "DrainsTogether",
    `${mine.join(", ")} and ${theirs.join(", ")} were drained at the same time: ${then}; neither run saw the other, so nobody was asked`,
    `if that is not meant, agree on one and bring it back: ${both.join("; or ")}`,
  );
}

/** For people, beside everything else that is about the member. */
export function drained(
  { clusterId }: Pick<Member, "clusterId">,
  note: DrainNote,
  { drainAfter }: Pick<MeshSpec, "drainAfter">,
): Finding {
  const why = note.reason === "" ? "" : `: ${note.reason}`;
  if (note.by === BY_MESHJOIN) {
    const back =
      drainAfter === undefined
        ? "MESHJOIN_DRAIN_AFTER is off now, so nothing brings it back by itself"
        : `Meshjoin brings it back when it has answered for ${formatGoDuration(REST * drainAfter)} without a break`;
    return finding(
      "DrainedAutomatically",
      `Meshjoin has drained ${clusterId} at ${sentenceTime(note.since)}${why}; its peers send it no new requests`,
      `mend the cluster; ${back}; at once: meshjoin undrain ${clusterId}; to keep it drained: meshjoin drain ${clusterId}`,
      clusterId,
    );
  }
  const by = note.by === BY_LABEL ? `by label ${MESH_STATE_LABEL}` : `by ${note.by}`;
  return finding(
    "Drained",
    `${clusterId} is drained since ${sentenceTime(note.since)} ${by}${why}; its peers send it no new requests, and it goes on sending to them`,
    note.by === BY_LABEL
      ? `to bring it back, take the label off: meshjoin undrain ${clusterId}`
      : `to bring it back: meshjoin undrain ${clusterId}`,
    clusterId,
  );
}

/** Undefined where the label has no value, or one that Meshjoin takes. */
export function stateLabelInvalid({ cluster, clusterId }: Member): Finding | undefined {
  const value = cluster.labels[MESH_STATE_LABEL];
  if (value === undefined || value === DRAINED_LABEL) return undefined;
  return finding(
    "StateLabelInvalid",
    `label ${MESH_STATE_LABEL} of the cluster is ${JSON.stringify(value)}; use ${DRAINED_LABEL}, which drains it, or none`,
    `to drain it: meshjoin drain ${clusterId}; to take the label off: meshjoin undrain ${clusterId}`,
    clusterId,
  );
}

import { type Finding, finding } from "../core/answers/finding.ts";
import { BY_MESHJOIN, type DrainNote, isSameNote } from "../core/member/drain.ts";
import { isAbout } from "../core/member/drain-copy.ts";
import {
  type DrainCopy,
  isReachable,
  type Member,
  type ReachableMember,
  type RemoteSecretState,
} from "../core/member/observation.ts";
import { newestOfAll, presenceOf, type SilentPart } from "../core/member/silence.ts";
import type { MeshSpec } from "../core/spec.ts";
import { type NoteAnswers, type NoteSecret, type SilenceAction, secretName } from "./action.ts";
import type { DrainStanding } from "./drains.ts";
import { isAhead } from "./lost.ts";

export interface SilenceContext {
  readonly spec: Pick<MeshSpec, "drainAfter" | "clockSkew">;
  readonly drains: { of(clusterId: string): DrainStanding };
  readonly now: Date;
}

/** A member that has been silent for longer than the configuration lets it be. */
export interface LongSilence {
  readonly member: Member;
  readonly part: SilentPart;
  readonly since: Date;
}

/** A reader that did not take the note of a silence in this run, and why. */
export interface RefusedNote {
  readonly reader: string;
  readonly target: string;
  readonly fault: Pick<Finding, "message" | "cure">;
}

/** A silence of which too few readers have taken the note, so that nothing proves how long it is. */
export interface UnprovedSilence extends Omit<LongSilence, "since"> {
  /** By the few that note it; undefined where none does. */
  readonly since: Date | undefined;
  readonly refused: readonly RefusedNote[];
}

export interface Silences {
  readonly long: readonly LongSilence[];
  readonly unproved: readonly UnprovedSilence[];
}

/**
 * The members that are silent in this look, and were in every full run of `MESHJOIN_DRAIN_AFTER`. A reader
 * that has just refused the note is left out, as long as most of them hold one: an old note of few may be of
 * an earlier silence, whose end they refused to note as well.
 */
export function longSilences(
  members: readonly Member[],
  context: SilenceContext & { readonly refusedNotes: readonly RefusedNote[] },
): Silences {
  const { spec, drains, now, refusedNotes } = context;
  const { drainAfter } = spec;
  const long: LongSilence[] = [];
  const unproved: UnprovedSilence[] = [];
  if (drainAfter === undefined) return { long, unproved };
  for (const member of members) {
    const { part } = presenceOf(member);
    if (part === undefined || drains.of(member.clusterId).state === "drained") continue;
    const held = secretsFor(member, members);
    const refused = refusedNotes.filter(
      ({ reader, target }) =>
        target === member.clusterId && held.some((each) => each.reader.clusterId === reader),
    );
    const refusing = new Set(refused.map(({ reader }) => reader));
    const taking = held.filter(({ reader }) => !refusing.has(reader.clusterId));
    const since = newestOfAll(taking.map(({ secret }) => counted(secret, member, context)));
    const isLong = since !== undefined && now.getTime() - since.getTime() >= drainAfter * 1000;
    if (isLong && isMost(taking, held)) long.push({ member, part, since });
    else if (refused.length > 0 && (isLong || taking.length === 0))
      unproved.push({ member, part, since, refused });
  }
  return { long, unproved };
}

function isMost(some: readonly unknown[], all: readonly unknown[]): boolean {
  return some.length * 2 > all.length;
}

interface Held {
  readonly reader: ReachableMember;
  readonly secret: RemoteSecretState;
}

/** The remote secrets of Meshjoin's that make this very cluster a target. */
function secretsFor({ clusterId, cluster }: Member, members: readonly Member[]): Held[] {
  return members.filter(isReachable).flatMap((reader) =>
    reader.state.remoteSecrets
      .filter(({ owner, isRead, targetId }) => owner === "ours" && isRead && targetId === clusterId)
      .filter(({ targetGkeId }) => targetGkeId === cluster.id)
      .map((secret) => ({ reader, secret })),
  );
}

/** A time ahead of the clock counts as none; so does one of before the end of a drain, by a person or not. */
function counted(
  { silentSince }: RemoteSecretState,
  { clusterId }: Member,
  { spec, drains, now }: SilenceContext,
): Date | undefined {
  if (silentSince === undefined || isAhead(silentSince, { spec, now })) return undefined;
  const standing = drains.of(clusterId);
  const isStale = standing.state === "serving" && silentSince < standing.note.since;
  return isStale ? undefined : silentSince;
}

/** Whether a reader holds a note of a silence that the end of the drain has made void. */
export function hasStaleSilence(member: Member, { since }: DrainNote, members: readonly Member[]): boolean {
  return secretsFor(member, members).some(
    ({ secret: { silentSince } }) => silentSince !== undefined && silentSince < since,
  );
}

/**
 * The notes that are due: since when a member is silent, on each reader's remote secret for it; and since
 * when one that Meshjoin has drained answers again, on each peer's note of the drain. Both go when the
 * opposite is seen, and where `MESHJOIN_DRAIN_AFTER` is off: a time of before would count when it is on
 * again.
 */
export function planSilences(members: readonly Member[], context: SilenceContext): SilenceAction[] {
  return members.flatMap((member) => [
    ...silenceNotes(member, members, context),
    ...answerNotes(member, members, context),
  ]);
}

function silenceNotes(member: Member, members: readonly Member[], context: SilenceContext): NoteSecret[] {
  const { drains, now, spec } = context;
  const { state } = presenceOf(member);
  const isOn = spec.drainAfter !== undefined;
  if (drains.of(member.clusterId).state === "drained") return [];
  return secretsFor(member, members).flatMap((held) => {
    const { silentSince } = held.secret;
    if (isOn && state === "silent")
      return counted(held.secret, member, context) === undefined ? [noteSilence(held, now)] : [];
    const isOver = !isOn || state === "answers";
    return isOver && silentSince !== undefined ? [noteSilence(held, undefined)] : [];
  });
}

function noteSilence({ reader: { clusterId }, secret }: Held, silentSince: Date | undefined): NoteSecret {
  const { name, uid, resourceVersion, targetId, lostSince, lastGateway } = secret;
  return {
    kind: "noteSecret",
    verb: "update",
    clusterId,
    of: targetId,
    isReader: false,
    secret: { name, uid, resourceVersion },
    notes: { lostSince, silentSince, lastGateway },
    writes: [{ verb: "update", clusterId, object: secretName(name) }],
    findings: [silentSince === undefined ? answers(targetId) : silent(targetId)],
  };
}

function answerNotes(
  member: Member,
  members: readonly Member[],
  { spec, drains, now }: SilenceContext,
): NoteAnswers[] {
  const standing = drains.of(member.clusterId);
  if (standing.state !== "drained" || standing.note.by !== BY_MESHJOIN || standing.isNew) return [];
  const isBack = spec.drainAfter !== undefined && isServing(member);
  return peerCopies(member, standing.note, members).flatMap(({ holder, copy }) => {
    const { answersSince } = copy;
    const isNoted = answersSince !== undefined && !isVoid(answersSince, standing.note, { spec, now });
    if (isBack) return isNoted ? [] : [noteAnswers(holder, copy, now)];
    return answersSince === undefined ? [] : [noteAnswers(holder, copy, undefined)];
  });
}

/** Only an answer itself brings a member back: no refusal, and no look that was cut short. */
function isServing(member: Member): boolean {
  return isReachable(member) && presenceOf(member).state === "answers";
}

interface PeerCopy {
  readonly holder: ReachableMember;
  readonly copy: DrainCopy;
}

function peerCopies(member: Member, note: DrainNote, members: readonly Member[]): PeerCopy[] {
  return members
    .filter(isReachable)
    .filter((holder) => holder.clusterId !== member.clusterId)
    .flatMap((holder) =>
      (holder.state.drainCopies ?? [])
        .filter(({ of, owner }) => of === member.clusterId && owner === "ours")
        .filter((copy) => isAbout(copy, member) && copy.note !== undefined && isSameNote(copy.note, note))
        .map((copy) => ({ holder, copy })),
    );
}

function isVoid(
  answersSince: Date,
  { since }: DrainNote,
  context: Pick<SilenceContext, "spec" | "now">,
): boolean {
  return answersSince < since || isAhead(answersSince, context);
}

/** A member that dies again and again would come and go; twice the time of its silence is a rest. */
export const REST = 2;

/**
 * Whether a member that Meshjoin has drained has answered for so long that it may serve again. Half of its
 * peers have to note it, and not all: one that refuses the note would keep the member drained for ever.
 */
export function hasComeBack(
  member: Member,
  note: DrainNote,
  members: readonly Member[],
  { spec, now }: Pick<SilenceContext, "spec" | "now">,
): boolean {
  const { drainAfter } = spec;
  if (drainAfter === undefined || note.by !== BY_MESHJOIN || !isServing(member)) return false;
  const copies = peerCopies(member, note, members);
  const times = copies.flatMap(({ copy: { answersSince } }) =>
    answersSince === undefined || isVoid(answersSince, note, { spec, now }) ? [] : [answersSince],
  );
  if (times.length * 2 < copies.length) return false;
  const since = newestOfAll(times);
  return since !== undefined && now.getTime() - since.getTime() >= REST * drainAfter * 1000;
}

function noteAnswers(
  { clusterId }: ReachableMember,
  { of, name, uid, resourceVersion }: DrainCopy,
  answersSince: Date | undefined,
): NoteAnswers {
  return {
    kind: "noteAnswers",
    verb: "update",
    clusterId,
    of,
    secret: { name, uid, resourceVersion },
    answersSince,
    writes: [{ verb: "update", clusterId, object: secretName(name) }],
    findings: [answersSince === undefined ? silent(of) : answers(of)],
  };
}

function silent(id: string): Finding {
  return finding(
    "MemberSilent",
    `${id} does not answer; its peers note since when, for MESHJOIN_DRAIN_AFTER`,
    "see its other findings; if it lasts, Meshjoin drains it",
    id,
  );
}

function answers(id: string): Finding {
  return finding(
    "MemberAnswers",
    `${id} answers, or MESHJOIN_DRAIN_AFTER is off; its peers' notes follow`,
    "nothing: Meshjoin keeps the notes",
    id,
  );
}

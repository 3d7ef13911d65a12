import { type Finding, finding } from "../core/answers/finding.ts";
import { kubectlOn, typedName } from "../core/cluster/gcloud.ts";
import { type DrainNote, isSameNote, MESH_STATE_LABEL } from "../core/member/drain.ts";
import { isAbout } from "../core/member/drain-copy.ts";
import {
  type DrainCopy,
  isReachable,
  type Member,
  type ReachableMember,
} from "../core/member/observation.ts";
import { drainNoteName, ISTIO_NAMESPACE } from "../core/names.ts";
import { sentenceTime } from "../core/time.ts";
import { type DrainAction, type DropDrainNote, type NoteDrain, secretName } from "./action.ts";
import type { PairContext } from "./context.ts";
import { drained } from "./drains.ts";
import type { PairPlan } from "./pair.ts";
import { hasStaleSilence } from "./silences.ts";

export interface DrainPlan {
  readonly actions: readonly DrainAction[];
  readonly findings: readonly Finding[];
}

/**
 * The copies of notes that are due. The newest note goes into every member whose copy is older, or missing.
 * So a drain that died halfway goes on, and an end of a drain outlives a member that still has the drain on
 * record and could not be reached. The note of that end goes when it is in nobody's way: every member was
 * read, none has another note, and every reader that can has taken the member back.
 */
export function planDrainNotes(context: PairContext, pairs: readonly PairPlan[]): DrainPlan {
  const { members, drains } = context;
  const returning = new Set(pairs.flatMap((pair) => (isOnItsWay(pair, context) ? [pair.target] : [])));
  return {
    actions: members.flatMap((target) => actionsFor(target, context, !returning.has(target.clusterId))),
    findings: [...[drains.mass ?? []].flat(), ...members.flatMap((target) => findingsFor(target, context))],
  };
}

/** The reader has not taken the target back, and may do so later. */
function isOnItsWay({ target, reader, standing }: PairPlan, { members, drains }: PairContext): boolean {
  if (drains.of(target).state !== "serving" || (standing !== "connect" && standing !== "pending"))
    return false;
  const member = members.find(({ clusterId }) => clusterId === reader);
  if (member === undefined || !isReachable(member)) return true;
  return !member.state.remoteSecrets.some(({ targetId, isRead }) => targetId === target && isRead);
}

interface Held {
  readonly holder: ReachableMember;
  readonly copy: DrainCopy;
}

function copiesOf({ clusterId }: Member, members: readonly Member[]): Held[] {
  return members
    .filter(isReachable)
    .flatMap((holder) =>
      (holder.state.drainCopies ?? []).filter(({ of }) => of === clusterId).map((copy) => ({ holder, copy })),
    );
}

function actionsFor(target: Member, context: PairContext, isBack: boolean): DrainAction[] {
  const held = copiesOf(target, context.members);
  const own = held.filter(({ copy }) => copy.owner === "ours");
  // Of an earlier cluster of the name. A note for this one takes the place of its copy.
  const past = own.filter(({ copy }) => !isAbout(copy, target));
  const standing = context.drains.of(target.clusterId);
  if (!("note" in standing)) return past.map((each) => drop(target, each));
  const { note, isNew } = standing;
  if (isOver(target, note, own, context) && isBack) return own.map((each) => drop(target, each));
  return context.members
    .filter(isReachable)
    .filter((holder) => mayHold(holder, context))
    .flatMap((holder) => {
      const copy = held.find((each) => each.holder === holder)?.copy;
      if (copy !== undefined && !isWrittenOver(copy, target, note, isNew)) return [];
      return [noteOn(holder, target, note, { copy, context })];
    });
}

/**
 * Whether nothing is left that an older note could bring back, by the word of every member. A cluster that is
 * lost, or that this configuration leaves out, may come back with one.
 */
function isOver(
  target: Member,
  note: DrainNote,
  own: readonly Held[],
  { members, isWholeView }: PairContext,
): boolean {
  return (
    note.state === "serving" &&
    target.cluster.labels[MESH_STATE_LABEL] === undefined &&
    isWholeView &&
    members.every(isReachable) &&
    !hasStaleSilence(target, note, members) &&
    own.every(({ copy }) => copy.note?.state === "serving" || !isAbout(copy, target))
  );
}

/** Istio's namespace is there, and the cluster is one that Meshjoin writes to. */
function mayHold({ clusterId, state }: ReachableMember, { standings }: PairContext): boolean {
  const hasNamespace = state.cacerts !== undefined || state.controlPlane !== undefined;
  return hasNamespace && standings.get(clusterId) !== "blocked";
}

function isWrittenOver(copy: DrainCopy, target: Member, note: DrainNote, isNew: boolean): boolean {
  if (copy.owner !== "ours") return false;
  if (!isAbout(copy, target)) return true;
  return copy.note === undefined ? isNew : !isSameNote(copy.note, note);
}

function noteOn(
  { clusterId }: ReachableMember,
  target: Member,
  note: DrainNote,
  { copy, context }: { readonly copy: DrainCopy | undefined; readonly context: PairContext },
): NoteDrain {
  const of = target.clusterId;
  const verb = copy === undefined ? "create" : "update";
  const writes = [{ verb, clusterId, object: secretName(drainNoteName(of)) } as const];
  const cause = note.state === "drained" ? drained(target, note, context.spec) : over(of, note);
  return { kind: "noteDrain", verb, clusterId, of, note, writes, findings: [cause] };
}

function drop({ clusterId: of }: Member, { holder, copy }: Held): DropDrainNote {
  return dropOf(holder, copy, forgotten(of));
}

function dropOf(
  { clusterId }: ReachableMember,
  { of, name, uid, resourceVersion }: DrainCopy,
  cause: Finding,
): DropDrainNote {
  return {
    kind: "dropDrainNote",
    verb: "delete",
    clusterId,
    of,
    secret: { name, uid, resourceVersion },
    writes: [{ verb: "delete", clusterId, object: secretName(name) }],
    findings: [cause],
  };
}

/** Copies in a member that go with a cluster that leaves: those about it, or in the leaver itself all. */
export function dropsOfNotes(
  holder: ReachableMember,
  isGone: (clusterId: string) => boolean,
  cause: Finding,
): DropDrainNote[] {
  return (holder.state.drainCopies ?? [])
    .filter(({ owner, of }) => owner === "ours" && isGone(of))
    .map((copy) => dropOf(holder, copy, cause));
}

function over(id: string, { since, by }: DrainNote): Finding {
  return finding(
    "DrainOver",
    `the drain of ${id} is over since ${sentenceTime(since)}, by ${by}; its peers take it back, a share at a time`,
    "nothing: Meshjoin makes the pairs again",
    id,
  );
}

function forgotten(id: string): Finding {
  return finding(
    "DrainOver",
    `the drain of ${id} is over, and no member needs a note of it any more`,
    "nothing: Meshjoin takes the notes away",
    id,
  );
}

function findingsFor(target: Member, context: PairContext): Finding[] {
  const standing = context.drains.of(target.clusterId);
  const held = copiesOf(target, context.members);
  const isNew = "note" in standing && standing.isNew;
  return [
    ...("note" in standing && standing.state === "drained"
      ? [drained(target, standing.note, context.spec)]
      : []),
    ...held.flatMap(({ holder, copy }) => {
      if (copy.owner !== "ours") return "note" in standing ? [foreignNote(holder, copy)] : [];
      return copy.note === undefined && isAbout(copy, target) && !isNew ? [unknown(holder, copy)] : [];
    }),
  ];
}

function foreignNote({ clusterId, cluster }: ReachableMember, { name, of }: DrainCopy): Finding {
  return finding(
    "DrainNoteForeign",
    `Secret ${name} of ${clusterId} is not Meshjoin's, so ${clusterId} keeps no note on the drain of ${of}; the other members do`,
    `delete it: ${kubectlOn(cluster.ref)} -n ${ISTIO_NAMESPACE} delete secret ${typedName(name)}`,
    clusterId,
  );
}

function unknown({ clusterId }: ReachableMember, { name, of }: DrainCopy): Finding {
  return finding(
    "DrainUnknown",
    `Secret ${name} of ${clusterId} does not say whether ${of} is drained; by it Meshjoin neither drains nor undrains ${of}`,
    `say it anew, which writes over it; to drain it: meshjoin drain ${of}; to bring it back: meshjoin undrain ${of}`,
    clusterId,
  );
}

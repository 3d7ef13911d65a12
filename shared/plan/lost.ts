import { type Finding, finding } from "../core/answers/finding.ts";
import { count } from "../core/count.ts";
import { formatGoDuration } from "../core/duration.ts";
import type { Departed } from "../core/member/absence.ts";
import {
  isReachable,
  type Member,
  type ReachableMember,
  type ReaderSecretState,
  type RemoteSecretState,
} from "../core/member/observation.ts";
import { type NoteLoss, secretName } from "./action.ts";
import type { Departure, DepartureInput } from "./departures.ts";

/** What the lost ones are judged by, each and all. */
export interface LossInput extends DepartureInput {
  /** More have been lost than may leave without a confirmation. */
  readonly isMass: boolean;
}

/** A departure on the word of a label alone, that no person has decided on. */
export function isLost({ departed, absence }: Departure, { leavers, leaving }: DepartureInput): boolean {
  if (absence.certainty !== "assumed" || leaving.includes(departed.clusterId)) return false;
  const state = leaverOf(departed, leavers)?.state;
  const namespace = state?.reachable === true ? state.namespace : undefined;
  return namespace?.owner !== "ours" || namespace.leftAt === undefined;
}

/** The members keep their credentials of a lost one through its grace, and of many until it is confirmed. */
export function holdLost(departure: Departure, input: LossInput): Finding[] {
  if (!isLost(departure, input)) return [];
  if (input.isMass) {
    return input.confirm.includes("MassLeave") ? [] : [memberLost(departure, input)];
  }
  const end = endOfGrace(departure, input);
  return end !== undefined && end <= input.now ? [] : [memberLost(departure, input)];
}

/** Proved deletions do not count: they are certain, however many. The last member never goes by itself. */
export function isMassLeave(input: DepartureInput): boolean {
  const { members, spec } = input;
  const lost = lostOf(input).length;
  const isMost = lost > 1 && lost > spec.massLeaveShare * (members.length + lost);
  return isMost || (lost > 0 && members.length === 0);
}

function lostOf(input: DepartureInput): Departure[] {
  return input.departures.filter((departure) => isLost(departure, input));
}

/** Undefined while no full run has noted the loss, unless there is no grace. */
function endOfGrace({ departed: { lostSince } }: Departure, { spec, now }: DepartureInput): Date | undefined {
  const since = lostSince ?? (spec.leaveGrace === 0 ? now : undefined);
  return since && new Date(since.getTime() + spec.leaveGrace * 1000);
}

/** One for all that are lost, beside the finding of each. Undefined in a run about one cluster. */
export function massLeave(input: LossInput): Finding | undefined {
  if (!input.isMass || input.only !== undefined || input.confirm.includes("MassLeave")) return undefined;
  const ids = lostOf(input).map(({ departed }) => departed.clusterId);
  const ends = endOfTokens(ids, input);
  const until =
    ends === undefined ? "" : `; nothing renews the tokens for them, which end from ${ends.toISOString()} on`;
  const { members, spec } = input;
  return finding(
    "MassLeave",
    `${ids.length} of ${count(members.length + ids.length, "member")} have lost the label ${spec.meshLabel}: ${fewOf(ids)}; Meshjoin removes nothing before a person confirms it${until}`,
    "take them back with the command that the finding MemberLost of each has; if they should leave, confirm it, " +
      "which removes those within the grace at once, too: meshjoin sync --yes",
  );
}

/** The lost ones hold tokens as well: without a member theirs are all that is left. */
function endOfTokens(ids: readonly string[], { members, leavers }: DepartureInput): Date | undefined {
  const ends = [...members, ...leavers]
    .filter(isReachable)
    .flatMap(({ state }) => state.remoteSecrets)
    .flatMap(({ targetId, owner, tokenExpiresAt }) =>
      ids.includes(targetId) && owner === "ours" && tokenExpiresAt !== undefined
        ? [tokenExpiresAt.getTime()]
        : [],
    );
  return ends.length === 0 ? undefined : new Date(Math.min(...ends));
}

export function memberLost(departure: Departure, input: LossInput): Finding {
  const { departed, absence } = departure;
  const id = departed.clusterId;
  return finding(
    "MemberLost",
    `the mesh has lost ${id}: ${absence.why}; ${whenRemoved(departure, input)}`,
    `to take it back: ${absence.cure}; if it should leave: meshjoin leave ${id}`,
    id,
  );
}

function whenRemoved(departure: Departure, input: LossInput): string {
  const { lostSince } = departure.departed;
  const seen = lostSince === undefined ? "" : `first seen at ${lostSince.toISOString()}; `;
  if (input.isMass)
    return `${seen}the members keep their credentials of it until a person confirms the mass leave`;
  const end = endOfGrace(departure, input);
  if (end === undefined) {
    const grace = formatGoDuration(input.spec.leaveGrace);
    return `the members keep their credentials of it for ${grace} from the first full run that sees it`;
  }
  return end > input.now
    ? `${seen}the members keep their credentials of it until ${end.toISOString()}`
    : `${seen}the next full run removes the members' credentials of it`;
}

/**
 * Notes on each Secret that names the lost cluster when it was first seen, so that the grace needs no memory
 * but the members'. A run about one cluster notes nothing.
 */
export function lossNotes(departure: Departure, input: LossInput): NoteLoss[] {
  if (input.only !== undefined || !isLost(departure, input)) return [];
  const { clusterId, lostSince = input.now } = departure.departed;
  const cause = memberLost(departure, input);
  return input.members
    .filter(isReachable)
    .flatMap((member) =>
      secretsFor(member, clusterId).flatMap((secret) =>
        secret.lostSince === undefined ? [noteLoss(member, secret, { of: clusterId, lostSince, cause })] : [],
      ),
    );
}

/**
 * Takes the notes off again where the cluster is a member, so that a later loss has a grace of its own.
 * `written`: names of a member's Secrets that are written anew, which drops the note.
 */
export function planReturns(
  members: readonly Member[],
  written: (clusterId: string, target: string) => boolean = () => false,
): NoteLoss[] {
  const present = new Set(members.map(({ clusterId }) => clusterId));
  return members.filter(isReachable).flatMap((member) =>
    [...member.state.remoteSecrets, ...member.state.readerSecrets].flatMap((secret) => {
      const of = subjectOf(secret);
      const isRewritten = "targetId" in secret && written(member.clusterId, of);
      if (secret.owner !== "ours" || secret.lostSince === undefined || !present.has(of) || isRewritten)
        return [];
      const cause = finding("MemberBack", `${of} is a member again`, "nothing: the note is taken off", of);
      return [noteLoss(member, secret, { of, lostSince: undefined, cause })];
    }),
  );
}

type PairSecret = RemoteSecretState | ReaderSecretState;

/** The cluster that the Secret is about. */
function subjectOf(secret: PairSecret): string {
  return "targetId" in secret ? secret.targetId : secret.readerId;
}

function secretsFor({ state }: ReachableMember, id: string): PairSecret[] {
  return [...state.remoteSecrets, ...state.readerSecrets].filter(
    (secret) => secret.owner === "ours" && subjectOf(secret) === id,
  );
}

interface Note {
  readonly of: string;
  readonly lostSince: Date | undefined;
  readonly cause: Finding;
}

function noteLoss(
  { clusterId }: ReachableMember,
  secret: PairSecret,
  { of, lostSince, cause }: Note,
): NoteLoss {
  const { name, uid, resourceVersion } = secret;
  return {
    kind: "noteLoss",
    verb: "update",
    clusterId,
    of,
    isReader: "readerId" in secret,
    secret: { name, uid, resourceVersion },
    lostSince,
    writes: [{ verb: "update", clusterId, object: secretName(name) }],
    findings: [cause],
  };
}

export function leaverOf({ clusterId }: Departed, leavers: readonly Member[]): Member | undefined {
  return leavers.find((leaver) => leaver.clusterId === clusterId);
}

const NAMED_MAX = 3;

/** Names for a message that may be about very many. */
export function fewOf(names: readonly string[]): string {
  const rest = names.length - NAMED_MAX;
  return names.slice(0, NAMED_MAX).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

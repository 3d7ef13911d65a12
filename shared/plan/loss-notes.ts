import { type Finding, finding } from "../core/answers/finding.ts";
import {
  isReachable,
  type Member,
  type ReachableMember,
  type ReaderSecretState,
  type RemoteSecretState,
} from "../core/member/observation.ts";
import { type NoteSecret, secretName } from "./action.ts";
import type { Departure } from "./departures.ts";
import { isAhead, isLost, type LossInput, memberLost } from "./lost.ts";

/**
 * Notes on each Secret that names the lost cluster when it was first seen, so that the grace needs no memory
 * but the members'. A run about one cluster notes nothing.
 */
export function lossNotes(departure: Departure, input: LossInput): NoteSecret[] {
  if (input.only !== undefined || !isLost(departure, input)) return [];
  const { clusterId } = departure.departed;
  const { now } = input;
  const cause = memberLost(departure, input);
  return input.members
    .filter(isReachable)
    .flatMap((member) =>
      secretsFor(member, clusterId).flatMap((secret) =>
        secret.lostSince === undefined || isAhead(secret.lostSince, input)
          ? [noteLoss(member, secret, { of: clusterId, lostSince: now, cause })]
          : [],
      ),
    );
}

/**
 * Takes the notes off again where the cluster is a member, so that a later loss has a grace of its own.
 * `isRewritten`: whether the reader's remote secret for the target is written anew, which drops the note.
 */
export function planReturns(
  members: readonly Member[],
  isRewritten: (reader: string, target: string) => boolean = () => false,
): NoteSecret[] {
  const present = new Set(members.map(({ clusterId }) => clusterId));
  return members.filter(isReachable).flatMap((member) =>
    [...member.state.remoteSecrets, ...member.state.readerSecrets].flatMap((secret) => {
      const of = subjectOf(secret);
      if (secret.lostSince === undefined || secret.owner !== "ours" || !present.has(of)) return [];
      if ("targetId" in secret && isRewritten(member.clusterId, of)) return [];
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
): NoteSecret {
  const { name, uid, resourceVersion } = secret;
  const { silentSince, lastGateway } = "targetId" in secret ? secret : {};
  return {
    kind: "noteSecret",
    verb: "update",
    clusterId,
    of,
    isReader: "readerId" in secret,
    secret: { name, uid, resourceVersion },
    notes: { lostSince, silentSince, lastGateway },
    writes: [{ verb: "update", clusterId, object: secretName(name) }],
    findings: [cause],
  };
}

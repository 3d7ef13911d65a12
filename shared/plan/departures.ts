import { type Finding, finding } from "../core/answers/finding.ts";
import type { LeftStatus } from "../core/answers/status.ts";
import { VIEW_VARIABLES } from "../core/cluster/sources.ts";
import type { Absence, Departed } from "../core/member/absence.ts";
import { isReachable, type Member } from "../core/member/observation.ts";
import type { MeshSpec } from "../core/spec.ts";
import { sentenceTime } from "../core/time.ts";
import type { DepartureAction } from "./action.ts";
import { lossNotes } from "./loss-notes.ts";
import {
  fewOf,
  holdLost,
  isLost,
  isMassLeave,
  type LossInput,
  leaverOf,
  massLeave,
  memberLost,
} from "./lost.ts";
import { removals } from "./removals.ts";

export interface Departure {
  readonly departed: Departed;
  readonly absence: Absence;
}

export interface DepartureInput {
  /** As the look found them, with the unreachable ones. */
  readonly members: readonly Member[];
  readonly departures: readonly Departure[];
  /** The departed clusters that still run, as the look found them. */
  readonly leavers: readonly Member[];
  /** IDs of clusters that may have been members and did not answer, where no member tells of them. */
  readonly unasked: readonly string[];
  readonly spec: MeshSpec;
  /** The ID of the one cluster that this run may remove; undefined: all. */
  readonly only: string | undefined;
  /** `MassLeave`, `NotConfigured`: a person has confirmed the departure. */
  readonly confirm: readonly string[];
  /** IDs of clusters that a person takes out with this run. */
  readonly leaving: readonly string[];
  readonly now: Date;
}

export interface DeparturePlan {
  readonly actions: readonly DepartureAction[];
  readonly findings: readonly Finding[];
  /** The clusters that leave with these actions and run on, with the CA that they keep. */
  readonly left: readonly LeftStatus[];
}

/**
 * Plans the removals for clusters that have left. A removal deletes one object of Meshjoin's by its UID, on a
 * member or on the leaver. A run about one cluster removes it only if the departure is proved. For any other
 * a full run decides, which sees them all; until a lost member's grace is over it only notes the loss.
 */
export function planDepartures(given: DepartureInput): DeparturePlan {
  const input = { ...given, isMass: isMassLeave(given) };
  const about = input.departures.filter(
    ({ departed }) => input.only === undefined || departed.clusterId === input.only,
  );
  const judged = about.map((departure) => ({ departure, holds: whyNotYet(departure, input) }));
  const leaving = judged.flatMap(({ departure, holds }) => (holds.length === 0 ? [departure] : []));
  const waiting = judged.flatMap(({ departure, holds }) => (holds.length === 0 ? [] : [departure]));
  const holders = [...input.members, ...lostOnHold(leaving, input)];
  const letGo = readersThatLetGo(leaving, holders);
  return {
    actions: [
      ...waiting.flatMap((departure) => lossNotes(departure, input)),
      ...leaving.flatMap((departure) =>
        removals(departure.departed, { ...input, holders, letGo, cause: causeOf(departure, input) }),
      ),
    ],
    findings: [
      ...[massLeave(input) ?? []].flat(),
      ...judged.flatMap(({ holds }) => holds),
      ...[membersUnknown(input) ?? []].flat(),
      ...leaving.flatMap((departure) => stillTrusted(departure, input) ?? []),
      ...leaving.flatMap((departure) => stillRead(departure, letGo, input) ?? []),
    ],
    left: leaving.flatMap((departure) => leftOf(departure, input) ?? []),
  };
}

/** Those that this run does not take out: their peers read them, and use their gateways, as before. */
export function stayingLeavers(given: DepartureInput): Member[] {
  const input = { ...given, isMass: isMassLeave(given) };
  return input.departures.flatMap((departure) =>
    whyNotYet(departure, input).length === 0
      ? []
      : [leaverOf(departure.departed, input.leavers) ?? []].flat(),
  );
}

/** IDs of those that this run takes out. */
export function leavingIds(given: DepartureInput): string[] {
  const input = { ...given, isMass: isMassLeave(given) };
  return input.departures.flatMap((departure) =>
    whyNotYet(departure, input).length === 0 ? [departure.departed.clusterId] : [],
  );
}

/** The lost ones that stay for now lose their credentials of a cluster that goes, as the members do. */
function lostOnHold(leaving: readonly Departure[], input: DepartureInput): Member[] {
  const going = new Set(leaving.map(({ departed }) => departed.clusterId));
  return input.departures.flatMap((departure) =>
    isLost(departure, input) && !going.has(departure.departed.clusterId)
      ? [leaverOf(departure.departed, input.leavers) ?? []].flat()
      : [],
  );
}

/**
 * Cluster IDs of the readers whose tokens may die. The run deletes the remote secrets of the members that it
 * sees first, and does not wait for readers that leave, too. Any other reader, such as one of a silent
 * source, may still hold a remote secret, and a dead token in it stops its istiod.
 */
function readersThatLetGo(leaving: readonly Departure[], holders: readonly Member[]): ReadonlySet<string> {
  const reachable = holders.filter(isReachable).map(({ clusterId }) => clusterId);
  return new Set([...reachable, ...leaving.map(({ departed }) => departed.clusterId)]);
}

type Hold = (departure: Departure, input: LossInput) => readonly Finding[];

/** Why a departure is not carried out now; the first reason that applies becomes the findings. */
const HOLDS: readonly Hold[] = [notProved, notConfigured, leftToTheFullRun, holdLost];

function whyNotYet(departure: Departure, input: LossInput): readonly Finding[] {
  for (const hold of HOLDS) {
    const findings = hold(departure, input);
    if (findings.length > 0) return findings;
  }
  return [];
}

/** A loss stays an error up to the removal. */
function causeOf(departure: Departure, input: LossInput): Finding {
  if (isLost(departure, input)) return memberLost(departure, input);
  const { departed, absence } = departure;
  return finding(
    "MemberLeft",
    `${departed.clusterId} is no member any more: ${absence.why}`,
    "nothing: Meshjoin removes the members' credentials of it",
    departed.clusterId,
  );
}

function notProved({
  departed: { clusterId, isUnpaired },
  absence: { certainty, why, cure = "" },
}: Departure): Finding[] {
  if (certainty !== "open") return [];
  const kept = isUnpaired === true ? "" : "; the members keep their credentials of it";
  return [
    finding(
      "AbsenceNotProved",
      `Meshjoin cannot tell whether ${clusterId} has left: ${why}${kept}`,
      cure,
      clusterId,
    ),
  ];
}

/** For any number of clusters: a configuration that leaves a cluster out says nothing about the cluster. */
function notConfigured(
  { departed: { clusterId, isUnpaired }, absence: { certainty, why } }: Departure,
  { confirm }: DepartureInput,
): Finding[] {
  if (certainty !== "notConfigured" || confirm.includes("NotConfigured")) return [];
  const was = isUnpaired === true ? `${clusterId} was a member` : `members hold credentials of ${clusterId}`;
  return [
    finding(
      "NotConfigured",
      `${was}, and ${why}; Meshjoin removes nothing`,
      `set ${VIEW_VARIABLES} as they are for the functions; ` +
        "if the cluster should leave, confirm it: meshjoin sync --confirm NotConfigured",
      clusterId,
    ),
  ];
}

/** No alarm: a person who takes a cluster out has its label removed first, and the event may come before. */
function leftToTheFullRun(
  { departed: { clusterId }, absence: { certainty, why } }: Departure,
  { only }: DepartureInput,
): Finding[] {
  if (only === undefined || certainty === "proved") return [];
  return [
    finding(
      "MemberLeft",
      `${clusterId} is no member any more: ${why}; a full run decides about the members' credentials of it`,
      "nothing: the next full run does it",
      clusterId,
    ),
  ];
}

function membersUnknown({ unasked }: DepartureInput): Finding | undefined {
  if (unasked.length === 0) return undefined;
  return finding(
    "LostMembersUnknown",
    `no member tells which clusters have left, and ${fewOf(unasked)} did not say whether the mesh has lost them`,
    "see what keeps Meshjoin from their API servers: meshjoin doctor",
  );
}

/** The leaver runs on with an intermediate that members trust until it expires or the root is rotated. */
function stillTrusted(departure: Departure, input: DepartureInput): Finding | undefined {
  const left = leftOf(departure, input);
  if (left === undefined) return undefined;
  return finding(
    "TrustedLeaver",
    `${left.clusterId} has left and may still hold a CA that the members trust until ${left.trustedUntil === null ? "its intermediate expires" : sentenceTime(left.trustedUntil)}`,
    "if the mesh must not trust it, rotate the root: meshjoin root rotate",
    left.clusterId,
  );
}

function leftOf({ departed, absence }: Departure, { leavers, now }: DepartureInput): LeftStatus | undefined {
  if (!absence.runsOn) return undefined;
  const state = leaverOf(departed, leavers)?.state;
  const cacerts = state?.reachable === true ? state.cacerts : undefined;
  const until = cacerts !== undefined && cacerts.owner !== "foreign" ? cacerts.notAfter : undefined;
  const leftAt = state?.reachable === true ? state.namespace?.leftAt : undefined;
  return {
    clusterId: departed.clusterId,
    since: (leftAt ?? now).toISOString(),
    trustedUntil: until?.toISOString() ?? null,
  };
}

/** The leaver's reader Secrets stay for readers that may still use them. */
function stillRead(
  { departed }: Departure,
  letGo: ReadonlySet<string>,
  { leavers }: DepartureInput,
): Finding | undefined {
  const leaver = leaverOf(departed, leavers);
  const secrets = leaver?.state.reachable ? leaver.state.readerSecrets : [];
  const readers = secrets.flatMap(({ owner, readerId }) =>
    owner === "ours" && !letGo.has(readerId) ? [readerId] : [],
  );
  if (readers.length === 0) return undefined;
  return finding(
    "RevocationWaits",
    `${departed.clusterId} has left, and this run did not see whether ${readers.join(", ")} still reads it; those tokens stay`,
    "nothing, if a later full run sees the reader; otherwise make its source answer, add it to the configuration, or mend its API server",
    departed.clusterId,
  );
}

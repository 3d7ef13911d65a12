import { type Finding, finding } from "../core/answers/finding.ts";
import { VIEW_VARIABLES } from "../core/cluster/sources.ts";
import type { Absence, Departed } from "../core/member/absence.ts";
import { isReachable, type Member, type ReachableMember } from "../core/member/observation.ts";
import type { MeshSpec } from "../core/spec.ts";
import { type DepartureAction, type Disconnect, type Revoke, secretName } from "./action.ts";

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
  readonly spec: MeshSpec;
  /** The ID of the one cluster that this run may remove; undefined: all. */
  readonly only: string | undefined;
  /** `MassLeave`, `NotConfigured`: a person has confirmed the departure. */
  readonly confirm: readonly string[];
}

export interface DeparturePlan {
  readonly actions: readonly DepartureAction[];
  readonly findings: readonly Finding[];
}

/**
 * Plans the removals for clusters that have left. A removal deletes one object of Meshjoin's by its UID, on a
 * member or on the leaver. A run about one cluster removes it only if the departure is proved. Assumed
 * departures wait for a run that sees them all, so that labels lost one after the other make one mass leave.
 */
export function planDepartures(input: DepartureInput): DeparturePlan {
  const about = input.departures.filter(
    ({ departed }) => input.only === undefined || departed.clusterId === input.only,
  );
  const waiting = about.map((departure) => ({ ...departure, waits: whyNotYet(departure, input) }));
  const leaving = waiting.flatMap(({ waits, ...departure }) => (waits === undefined ? [departure] : []));
  const context = { ...input, letGo: readersThatLetGo(leaving, input) };
  return {
    actions: leaving.flatMap((departure) => removals(departure, context)),
    findings: [
      ...waiting.flatMap(({ waits }) => waits ?? []),
      ...leaving.flatMap((departure) => stillTrusted(departure, input) ?? []),
      ...leaving.flatMap((departure) => stillRead(departure, context) ?? []),
    ],
  };
}

interface Leaving extends DepartureInput {
  /** Cluster IDs of the readers whose tokens may die. */
  readonly letGo: ReadonlySet<string>;
}

/**
 * The run deletes the remote secrets of the members that it sees first, and does not wait for readers that
 * leave, too. Any other reader, such as one of a silent source, may still hold a remote secret, and a dead
 * token in it stops its istiod.
 */
function readersThatLetGo(leaving: readonly Departure[], { members }: DepartureInput): ReadonlySet<string> {
  const reachable = members.filter(isReachable).map(({ clusterId }) => clusterId);
  return new Set([...reachable, ...leaving.map(({ departed }) => departed.clusterId)]);
}

type Hold = (departure: Departure, input: DepartureInput) => Finding | undefined;

/** Why a departure is not carried out now; the first reason that applies becomes the finding. */
const HOLDS: readonly Hold[] = [notProved, notConfigured, massLeave, leftToTheFullRun];

function whyNotYet(departure: Departure, input: DepartureInput): Finding | undefined {
  for (const hold of HOLDS) {
    const reason = hold(departure, input);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Proved deletions do not count: they are certain, however many. */
function isMassLeave({ members, departures, spec, confirm }: DepartureInput): boolean {
  const assumed = departures.filter(({ absence }) => absence.certainty === "assumed").length;
  const all = members.length + assumed;
  return assumed > 1 && assumed > spec.massLeaveShare * all && !confirm.includes("MassLeave");
}

function removals({ departed, absence }: Departure, { members, leavers, letGo }: Leaving): DepartureAction[] {
  const leaver = leaverOf(departed, leavers);
  const cause = finding(
    "MemberLeft",
    `${departed.clusterId} is no member any more: ${absence.why}`,
    "nothing: Meshjoin removes the members' credentials of it",
    departed.clusterId,
  );
  const present = members.filter(isReachable);
  const own = leaver !== undefined && isReachable(leaver) ? [leaver] : [];
  return [
    ...present.flatMap((member) => disconnects(member, (id) => id === departed.clusterId, cause)),
    ...own.flatMap((member) => disconnects(member, () => true, cause)),
    ...present.flatMap((member) => revocations(member, (id) => id === departed.clusterId, cause)),
    ...own.flatMap((member) => revocations(member, (id) => letGo.has(id), cause)),
  ];
}

function disconnects(
  { clusterId, state }: ReachableMember,
  isLeaver: (id: string) => boolean,
  cause: Finding,
): Disconnect[] {
  return state.remoteSecrets
    .filter(({ owner, targetId }) => owner === "ours" && isLeaver(targetId))
    .map(({ name, uid, targetId }) => ({
      kind: "disconnect",
      verb: "delete",
      clusterId,
      target: targetId,
      secret: { name, uid },
      writes: [{ verb: "delete", clusterId, object: secretName(name) }],
      findings: [cause],
    }));
}

function revocations(
  { clusterId, state }: ReachableMember,
  mayDie: (readerId: string) => boolean,
  cause: Finding,
): Revoke[] {
  return state.readerSecrets
    .filter(({ owner, readerId }) => owner === "ours" && mayDie(readerId))
    .map(({ name, uid, readerId }) => ({
      kind: "revoke",
      verb: "delete",
      clusterId,
      reader: readerId,
      secret: { name, uid },
      writes: [{ verb: "delete", clusterId, object: secretName(name) }],
      findings: [cause],
    }));
}

function notProved({ departed: { clusterId }, absence: { certainty, why, cure = "" } }: Departure) {
  if (certainty !== "open") return undefined;
  return finding(
    "AbsenceNotProved",
    `Meshjoin cannot tell whether ${clusterId} has left: ${why}; the members keep their credentials of it`,
    cure,
    clusterId,
  );
}

/** For any number of clusters: a configuration that leaves a cluster out says nothing about the cluster. */
function notConfigured(
  { departed: { clusterId }, absence: { certainty, why } }: Departure,
  { confirm }: DepartureInput,
) {
  if (certainty !== "notConfigured" || confirm.includes("NotConfigured")) return undefined;
  return finding(
    "NotConfigured",
    `members hold credentials of ${clusterId}, and ${why}; Meshjoin removes nothing`,
    `set ${VIEW_VARIABLES} as they are for the functions; ` +
      "if the cluster should leave, confirm it: POST /sync with confirm NotConfigured, or meshjoin sync --confirm NotConfigured",
    clusterId,
  );
}

function massLeave(
  { departed: { clusterId }, absence: { certainty, why } }: Departure,
  input: DepartureInput,
) {
  if (certainty !== "assumed" || !isMassLeave(input)) return undefined;
  return finding(
    "MassLeave",
    `${clusterId} seems to have left with many others (${input.members.length} members remain): ${why}; Meshjoin removes nothing`,
    "if they should leave, confirm it: POST /sync with confirm MassLeave, or meshjoin sync --yes",
    clusterId,
  );
}

function leftToTheFullRun(
  { departed: { clusterId }, absence: { certainty, why } }: Departure,
  { only }: DepartureInput,
) {
  if (only === undefined || certainty === "proved") return undefined;
  return finding(
    "MemberLeft",
    `${clusterId} is no member any more: ${why}; a full run removes the members' credentials of it`,
    "nothing: the next full run does it; at once: meshjoin sync",
    clusterId,
  );
}

/** The leaver runs on with an intermediate that members trust until it expires or the root is rotated. */
function stillTrusted({ departed, absence }: Departure, { leavers }: DepartureInput): Finding | undefined {
  if (!absence.runsOn) return undefined;
  const leaver = leaverOf(departed, leavers);
  const cacerts = leaver?.state.reachable ? leaver.state.cacerts : undefined;
  const until = cacerts !== undefined && cacerts.owner !== "foreign" ? cacerts.notAfter : undefined;
  const when = until === undefined ? "its intermediate expires" : until.toISOString();
  return finding(
    "TrustedLeaver",
    `${departed.clusterId} has left and may still hold a CA that the members trust until ${when}`,
    "if the mesh must not trust it, rotate the root: meshjoin root rotate",
    departed.clusterId,
  );
}

/** The leaver's reader Secrets stay for readers that may still use them. */
function stillRead({ departed }: Departure, { leavers, letGo }: Leaving): Finding | undefined {
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

function leaverOf({ clusterId }: Departed, leavers: readonly Member[]): Member | undefined {
  return leavers.find((leaver) => leaver.clusterId === clusterId);
}

import { type Finding, finding } from "../core/answers/finding.ts";
import { VIEW_VARIABLES } from "../core/cluster/sources.ts";
import type { Absence, Departed } from "../core/member/departure.ts";
import { isReachable, type Member, type ReachableMember } from "../core/member/observation.ts";
import type { MeshSpec } from "../core/spec.ts";
import { type DepartureAction, type Disconnect, type Revoke, secretName } from "./action.ts";

export interface Departure {
  readonly departed: Departed;
  readonly absence: Absence;
}

export interface DepartureInput {
  /** As they were seen, the unreachable ones too. */
  readonly members: readonly Member[];
  readonly departures: readonly Departure[];
  /** Those of the departed that still run, as they were seen. */
  readonly leavers: readonly Member[];
  readonly spec: MeshSpec;
  /** Whose removal this run is about; all of them if undefined. */
  readonly only: string | undefined;
  /** `MassLeave`, `NotConfigured`: a person has looked, and means it. */
  readonly confirm: readonly string[];
}

export interface DeparturePlan {
  readonly actions: readonly DepartureAction[];
  readonly findings: readonly Finding[];
}

/**
 * What is taken away because of clusters that are no members any more, and what is not. A removal is always of one very
 * object of our own (its UID), on a member or on the leaver itself. A run about one cluster removes it if that is proved;
 * what is assumed waits for a run that sees all that is assumed, so that labels lost one after the other are one mass leave.
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
 * Members that are seen lose what they hold of a leaver first, and what leaves itself is not waited for. Any other reader, of a
 * source that is silent or not configured say, may hold a remote secret still, and a dead token in it is what wedges its istiod.
 */
function readersThatLetGo(leaving: readonly Departure[], { members }: DepartureInput): ReadonlySet<string> {
  const seen = members.filter(isReachable).map(({ clusterId }) => clusterId);
  return new Set([...seen, ...leaving.map(({ departed }) => departed.clusterId)]);
}

type Hold = (departure: Departure, input: DepartureInput) => Finding | undefined;

/** What keeps a departure from being carried out now; the first that applies is said. */
const HOLDS: readonly Hold[] = [notProved, notConfigured, massLeave, leftToTheFullRun];

function whyNotYet(departure: Departure, input: DepartureInput): Finding | undefined {
  for (const hold of HOLDS) {
    const found = hold(departure, input);
    if (found !== undefined) return found;
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
  const left = finding(
    "MemberLeft",
    `${departed.clusterId} is no member any more: ${absence.why}`,
    "nothing: what the members hold of it is removed",
    departed.clusterId,
  );
  const present = members.filter(isReachable);
  const own = leaver !== undefined && isReachable(leaver) ? [leaver] : [];
  return [
    ...present.flatMap((member) => disconnects(member, (id) => id === departed.clusterId, left)),
    ...own.flatMap((member) => disconnects(member, () => true, left)),
    ...present.flatMap((member) => revocations(member, (id) => id === departed.clusterId, left)),
    ...own.flatMap((member) => revocations(member, (id) => letGo.has(id), left)),
  ];
}

function disconnects(
  { clusterId, state }: ReachableMember,
  of: (id: string) => boolean,
  left: Finding,
): Disconnect[] {
  return state.remoteSecrets
    .filter(({ owner, targetId }) => owner === "ours" && of(targetId))
    .map(({ name, uid, targetId }) => ({
      kind: "disconnect",
      verb: "delete",
      clusterId,
      target: targetId,
      secret: { name, uid },
      writes: [{ verb: "delete", clusterId, object: secretName(name) }],
      findings: [left],
    }));
}

function revocations(
  { clusterId, state }: ReachableMember,
  of: (id: string) => boolean,
  left: Finding,
): Revoke[] {
  return state.readerSecrets
    .filter(({ owner, readerId }) => owner === "ours" && of(readerId))
    .map(({ name, uid, readerId }) => ({
      kind: "revoke",
      verb: "delete",
      clusterId,
      reader: readerId,
      secret: { name, uid },
      writes: [{ verb: "delete", clusterId, object: secretName(name) }],
      findings: [left],
    }));
}

function notProved({ departed: { clusterId }, absence: { certainty, why, cure = "" } }: Departure) {
  if (certainty !== "open") return undefined;
  return finding(
    "AbsenceNotProved",
    `it is not known whether ${clusterId} is a member still: ${why}; what the others hold of it stays`,
    cure,
    clusterId,
  );
}

/** Of any number and share: a configuration that leaves a cluster out is no word about the cluster. */
function notConfigured(
  { departed: { clusterId }, absence: { certainty, why } }: Departure,
  { confirm }: DepartureInput,
) {
  if (certainty !== "notConfigured" || confirm.includes("NotConfigured")) return undefined;
  return finding(
    "NotConfigured",
    `members hold credentials of ${clusterId}, and ${why}; nothing is removed`,
    `set ${VIEW_VARIABLES} as they are for the functions; ` +
      "if the cluster is to leave, confirm it: POST /sync with confirm NotConfigured, or meshjoin sync --confirm NotConfigured",
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
    `${clusterId} seems to have left with many others (${input.members.length} are left): ${why}; nothing is removed`,
    "if that is meant, confirm it: POST /sync with confirm MassLeave, or meshjoin sync --yes",
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
    `${clusterId} is no member any more: ${why}; a run over the whole mesh removes what the members hold of it`,
    "nothing: the next full run does it; at once: meshjoin sync",
    clusterId,
  );
}

/** It runs on with an intermediate that every member trusts, and nothing but another root takes that back. */
function stillTrusted({ departed, absence }: Departure, { leavers }: DepartureInput): Finding | undefined {
  if (!absence.runsOn) return undefined;
  const leaver = leaverOf(departed, leavers);
  const cacerts = leaver?.state.reachable ? leaver.state.cacerts : undefined;
  const until = cacerts !== undefined && cacerts.owner !== "foreign" ? cacerts.notAfter : undefined;
  const when = until === undefined ? "its intermediate expires" : until.toISOString();
  return finding(
    "TrustedLeaver",
    `${departed.clusterId} has left and may still hold a CA that the members trust until ${when}`,
    "if it is not to be trusted, rotate the root",
    departed.clusterId,
  );
}

/** Its reader Secrets of readers that are not seen to have let go stay. */
function stillRead({ departed }: Departure, { leavers, letGo }: Leaving): Finding | undefined {
  const leaver = leaverOf(departed, leavers);
  const secrets = leaver?.state.reachable ? leaver.state.readerSecrets : [];
  const readers = secrets.flatMap(({ owner, readerId }) =>
    owner === "ours" && !letGo.has(readerId) ? [readerId] : [],
  );
  if (readers.length === 0) return undefined;
  return finding(
    "RevocationWaits",
    `${departed.clusterId} has left, and this run did not see whether ${readers.join(", ")} reads it still; the tokens for that stay`,
    "nothing, if a later full run sees the reader; otherwise make its source answer, add it to the configuration, or mend its API server",
    departed.clusterId,
  );
}

function leaverOf({ clusterId }: Departed, leavers: readonly Member[]): Member | undefined {
  return leavers.find((leaver) => leaver.clusterId === clusterId);
}

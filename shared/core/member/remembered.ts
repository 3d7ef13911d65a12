import { type Finding, finding } from "../answers/finding.ts";
import type { LeftStatus, PastEvent, RunStatus, RunsStatus } from "../answers/status.ts";
import type { MeshSpec } from "../spec.ts";
import { sentenceTime } from "../time.ts";
import type { Member } from "./observation.ts";
import { isReachable } from "./observation.ts";
import { isSilent } from "./reach.ts";
import type { MemberRecord, RunKind, Trouble } from "./record.ts";

/** A note that stands for longer than this is no note any more. A join takes a few minutes. */
const USUAL_MS = 15 * 60_000;
/** Full runs and ticks come every ten minutes, and are noted once an hour. */
const SILENT_MS = 2.5 * 3_600_000;
/** A note that is further ahead was edited, or made by a clock that is wrong: it would hide a silence. */
const SKEW_MS = 10 * 60_000;
const LATELY_SHOWN = 20;

interface Recorded {
  readonly clusterId: string;
  readonly record: MemberRecord;
}

function recorded(members: readonly Member[]): Recorded[] {
  return members
    .filter(isReachable)
    .flatMap(({ clusterId, state: { record } }) => (record === undefined ? [] : [{ clusterId, record }]));
}

/**
 * What the last run could not do to this member, beside the `live` findings of a look. A look sees that a
 * part is missing; only the run knew why it could not make it.
 */
export function rememberedTroubles(member: Member, live: readonly Finding[], now: Date): Finding[] {
  return recorded([member]).flatMap(({ clusterId, record }) =>
    record.troubles.flatMap((trouble) => {
      const isLoud = live.some(({ reason, severity }) => reason === trouble.reason && severity !== "info");
      return isLoud
        ? []
        : [...[asFinding(trouble, clusterId, live) ?? []].flat(), ...overdue(trouble, clusterId, now)];
    }),
  );
}

/** Undefined for a note that the look makes itself. */
function asFinding(
  { reason, message, cure, since }: Trouble,
  clusterId: string,
  live: readonly Finding[],
): Finding | undefined {
  if (live.some((each) => each.reason === reason)) return undefined;
  return finding(reason, `${message} (so since ${sentenceTime(since)}, by the last run)`, cure, clusterId);
}

/** Why no certificate could be signed, by the last run that asked; undefined if it could. */
export function rootFaultOnRecord(members: readonly Member[]): Finding | undefined {
  const [oldest] = recorded(members)
    .flatMap(({ record }) => record.root ?? [])
    .toSorted((a, b) => (a.since < b.since ? -1 : 1));
  if (oldest === undefined) return undefined;
  const { reason, message, cure, since } = oldest;
  return finding(reason, `${message} (so since ${sentenceTime(since)}, by the last run)`, cure);
}

function overdue(
  { reason, outcome, message, cure, since }: Trouble,
  clusterId: string,
  now: Date,
): Finding[] {
  if (outcome !== "waiting" || now.getTime() - new Date(since).getTime() < USUAL_MS) return [];
  const what = `${clusterId} has waited since ${sentenceTime(since)}, longer than usual: ${message} (${reason})`;
  return [finding("JoinOverdue", what, cure, clusterId)];
}

/**
 * The members, those that do not answer with the time since when: the newest that a record of the others has,
 * because an older note may be of a silence before.
 */
export function withSilences(members: readonly Member[], now: Date): readonly Member[] {
  if (!members.some(isSilent)) return members;
  const noted = recorded(members)
    .flatMap(({ record }) => record.silent ?? [])
    .filter(({ since }) => new Date(since) <= now)
    .toSorted((a, b) => (a.since < b.since ? -1 : 1));
  const newest = new Map(noted.map(({ clusterId, since }) => [clusterId, new Date(since)]));
  return members.map((member) => {
    const { clusterId, state } = member;
    const silentSince = newest.get(clusterId);
    if (state.reachable || silentSince === undefined || !isSilent(member)) return member;
    return { ...member, state: { ...state, silentSince } };
  });
}

/** The newest notes of the functions' runs that any member keeps. */
export function runsOnRecord(members: readonly Member[], now: Date): RunsStatus {
  const newest = (kind: RunKind): RunStatus | "unknown" =>
    recorded(members)
      .flatMap(({ record }) => record.runs[kind] ?? [])
      .filter(({ at }) => new Date(at).getTime() <= now.getTime() + SKEW_MS)
      .reduce<RunStatus | "unknown">(
        (last, each) => (last === "unknown" || last.at < each.at ? each : last),
        "unknown",
      );
  return { full: newest("full"), tick: newest("tick") };
}

/** The functions have noted no full run, or no tick, for long; or never, in a mesh that is old enough. */
export function silentRuns(
  members: readonly Member[],
  { rootProject }: Pick<MeshSpec, "rootProject">,
  now: Date,
): Finding[] {
  const { full, tick } = runsOnRecord(members, now);
  const age = now.getTime() - (oldestIssue(members)?.getTime() ?? now.getTime());
  const silences = [...silence(FULL_RUN, full, age, now), ...silence(TICK, tick, age, now)];
  return silences.map(({ message, name, byHand }) =>
    finding(
      "RunSilent",
      message,
      `see why: gcloud logging read --project=${rootProject} --freshness=6h --limit=20 'resource.labels.service_name="${name}"'; or see that the scheduler's job is enabled; by hand: ${byHand}`,
    ),
  );
}

/** When the oldest intermediate of Meshjoin's was issued; the mesh is at least that old. */
function oldestIssue(members: readonly Member[]): Date | undefined {
  const issued = members
    .filter(isReachable)
    .flatMap(({ state: { cacerts } }) => (cacerts?.owner === "ours" ? (cacerts.issuedAt ?? []) : []));
  return issued.length === 0 ? undefined : new Date(Math.min(...issued.map((date) => date.getTime())));
}

/** What does once by hand what a person misses; a tick moves a rotation of the root on, if there is one. */
interface Silent {
  readonly what: string;
  readonly name: string;
  readonly byHand: string;
}
const FULL_RUN: Silent = { what: "full run", name: "sync-mesh", byHand: "meshjoin sync" };
const TICK: Silent = { what: "tick", name: "on-rotation-request", byHand: "meshjoin root advance" };

function silence(
  { what, ...about }: Silent,
  last: RunStatus | "unknown",
  ageOfMesh: number,
  now: Date,
): (Omit<Silent, "what"> & { readonly message: string })[] {
  if (last === "unknown") {
    return ageOfMesh < SILENT_MS ? [] : [{ message: `no ${what} of the functions is on record`, ...about }];
  }
  if (now.getTime() - new Date(last.at).getTime() < SILENT_MS) return [];
  return [{ message: `the functions have noted no ${what} since ${sentenceTime(last.at)}`, ...about }];
}

/** Clusters that have left and whose CA members trust, by cluster ID. */
export function leftOnRecord(members: readonly Member[], now: Date): LeftStatus[] {
  const present = new Set(members.map(({ clusterId }) => clusterId));
  const all = recorded(members).flatMap(({ record }) => record.left);
  const newest = new Map(
    all.toSorted((a, b) => (a.since < b.since ? -1 : 1)).map((each) => [each.clusterId, each]),
  );
  return [...newest.values()]
    .filter(({ clusterId, trustedUntil }) => !present.has(clusterId) && !hasPassed(trustedUntil, now))
    .map(({ clusterId, since, trustedUntil }) => ({ clusterId, since, trustedUntil }))
    .toSorted((a, b) => (a.clusterId < b.clusterId ? -1 : 1));
}

function hasPassed(time: string | null, now: Date): boolean {
  return time !== null && new Date(time) <= now;
}

/** What runs did to the members lately, the newest first. */
export function latelyOnRecord(members: readonly Member[]): PastEvent[] {
  return recorded(members)
    .flatMap(({ clusterId, record }) => record.lately.map(({ at, what }) => ({ at, clusterId, what })))
    .toSorted((a, b) => (a.at < b.at ? 1 : -1))
    .slice(0, LATELY_SHOWN);
}

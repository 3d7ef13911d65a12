import type { Absence, Departed } from "../core/departure.ts";
import { type Finding, finding } from "../core/finding.ts";
import { isReachable, type Member, type ReachableMember } from "../core/observation.ts";
import type { MeshSpec } from "../core/spec.ts";
import type { DepartureAction, Disconnect, Revoke } from "./action.ts";

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
  /** `MassLeave` among them: somebody has looked, and means it. */
  readonly confirm: readonly string[];
}

export interface DeparturePlan {
  readonly actions: readonly DepartureAction[];
  readonly findings: readonly Finding[];
}

/**
 * What is taken away because of clusters that are no members any more, and what is not. A removal is always of one very
 * object of our own (its UID), on a member or on the leaver itself.
 */
export function planDepartures(input: DepartureInput): DeparturePlan {
  const held = isMassLeave(input);
  const actions: DepartureAction[] = [];
  const findings: Finding[] = [];
  for (const { departed, absence } of input.departures) {
    if (input.only !== undefined && departed.clusterId !== input.only) continue;
    if (absence.certainty === "open") findings.push(notProved(departed, absence));
    else if (absence.certainty === "assumed" && held) findings.push(massLeave(input, departed, absence));
    else {
      const leaver = input.leavers.find(({ clusterId }) => clusterId === departed.clusterId);
      actions.push(...removals(input.members, departed, absence, leaver));
      if (absence.certainty === "assumed") findings.push(stillTrusted(departed, leaver));
    }
  }
  return { actions, findings };
}

/** Proved deletions do not count: they are certain, however many. */
function isMassLeave({ members, departures, spec, confirm }: DepartureInput): boolean {
  const assumed = departures.filter(({ absence }) => absence.certainty === "assumed").length;
  const all = members.length + assumed;
  return assumed > 1 && assumed > spec.massLeaveShare * all && !confirm.includes("MassLeave");
}

function removals(
  members: readonly Member[],
  departed: Departed,
  absence: Absence,
  leaver: Member | undefined,
): DepartureAction[] {
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
    ...own.flatMap((member) => revocations(member, () => true, left)),
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
      findings: [left],
    }));
}

function notProved({ clusterId }: Departed, { why }: Absence): Finding {
  return finding(
    "AbsenceNotProved",
    `it is not known whether ${clusterId} is a member still: ${why}; what the others hold of it stays`,
    "let Meshjoin read the cluster (container.clusters.get), or delete the Secrets that name it by hand",
    clusterId,
  );
}

function massLeave({ members }: DepartureInput, { clusterId }: Departed, { why }: Absence): Finding {
  return finding(
    "MassLeave",
    `${clusterId} seems to have left with many others (${members.length} are left): ${why}; nothing is removed`,
    "if that is meant, confirm it: POST /sync with confirm MassLeave, or meshjoin sync --yes",
    clusterId,
  );
}

/** It runs on with an intermediate that every member trusts, and nothing but another root takes that back. */
function stillTrusted({ clusterId }: Departed, leaver: Member | undefined): Finding {
  const cacerts = leaver?.state.reachable ? leaver.state.cacerts : undefined;
  const until = cacerts !== undefined && cacerts.owner !== "foreign" ? cacerts.notAfter : undefined;
  const when = until === undefined ? "its intermediate expires" : until.toISOString();
  return finding(
    "TrustedLeaver",
    `${clusterId} has left and may still hold a CA that the members trust until ${when}`,
    "if it is not to be trusted, rotate the root",
    clusterId,
  );
}

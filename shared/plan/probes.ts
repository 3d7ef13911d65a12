import { type Finding, finding } from "../core/answers/finding.ts";
import type { Write } from "../core/answers/plan.ts";
import {
  isReachable,
  type Member,
  type ProbeMark,
  type ReachableMember,
} from "../core/member/observation.ts";
import { ISTIO_NAMESPACE } from "../core/names.ts";
import { endOfChecks, isOver } from "../core/probe/mark.ts";
import { PROBE_MARK, PROBE_NAMESPACE } from "../core/probe/wire.ts";
import type { MeshSpec } from "../core/spec.ts";
import type { PutProbe, RemoveProbe } from "./action.ts";

export interface ProbesContext {
  readonly spec: MeshSpec;
  readonly now: Date;
  /** What the mark of a probe has for its settings that is as it should be. */
  readonly probeSettingsOf: (clusterId: string, targets: readonly string[]) => string;
}

export interface ProbePlan {
  readonly actions: readonly (PutProbe | RemoveProbe)[];
  /** Members that keep a probe, by the configuration; also those where it is not written yet. */
  readonly keepers: readonly ReachableMember[];
}

/**
 * The probes that the configuration keeps in the members, and those that nobody wants any more: of a check
 * that was killed, of a configuration that has changed, in a cluster that is no member.
 */
export function planProbes(
  members: readonly Member[],
  leavers: readonly Member[],
  context: ProbesContext,
): ProbePlan {
  const keepers = context.spec.probe === "on" ? members.filter(isReachable).filter(canKeep) : [];
  const kept = new Set(keepers.map(({ clusterId }) => clusterId));
  const targets = probeTargets(members);
  const known = new Set(members.map(({ clusterId }) => clusterId));
  const others = leavers.filter(({ clusterId }) => !known.has(clusterId));
  return {
    keepers,
    actions: [
      ...keepers.flatMap((member) => puts(member, targets, context)),
      ...[...members, ...others]
        .filter(isReachable)
        .flatMap((member) =>
          removes(
            member,
            { isMember: known.has(member.clusterId), isKept: kept.has(member.clusterId) },
            context,
          ),
        ),
    ],
  };
}

/** Every probe has a route to every member, whoever wants it: then all write the same objects. */
export function probeTargets(members: readonly Pick<Member, "clusterId">[]): readonly string[] {
  return members.map(({ clusterId }) => clusterId).toSorted();
}

/** The mark of the configuration, unless it is over. */
function keptMark({ state }: ReachableMember): ProbeMark | undefined {
  return state.probeMarks?.find(({ name, until }) => name === PROBE_MARK && until === undefined);
}

/** Of a cluster that leaves: nobody comes back to it. */
export function removalOfProbe(member: ReachableMember, cause: Finding): RemoveProbe[] {
  return keptMark(member) === undefined ? [] : [removal(member, true, cause)];
}

/** istiod of Meshjoin's makes the proxy of it. */
function canKeep({ state }: ReachableMember): boolean {
  return state.controlPlane?.owner === "ours" && state.controlPlane.manifestHash !== undefined;
}

function puts(
  member: ReachableMember,
  targets: readonly string[],
  { probeSettingsOf }: ProbesContext,
): PutProbe[] {
  const { clusterId } = member;
  const mark = keptMark(member);
  if (mark?.settings === probeSettingsOf(clusterId, targets)) return [];
  const verb = mark?.settings === undefined ? "create" : "update";
  const cause = finding(
    "ProbeMissing",
    mark?.settings === undefined
      ? "the cluster has no probe that tells whether requests pass"
      : "the probe of the cluster is one of an earlier mesh or release",
    "nothing: Meshjoin writes it",
    clusterId,
  );
  return [{ kind: "putProbe", verb, clusterId, writes: writesOf(verb, clusterId), findings: [cause] }];
}

/**
 * What the configuration wanted in a cluster that leaves goes with its credentials.
 */
function removes(
  member: ReachableMember,
  { isMember, isKept }: { readonly isMember: boolean; readonly isKept: boolean },
  { spec, now }: ProbesContext,
): RemoveProbe[] {
  const past = endOfChecks(now, spec);
  const marks = member.state.probeMarks ?? [];
  // One that is over was ended by a run that died before the rest.
  const isUnkept = isMember && !isKept && marks.some(({ name }) => name === PROBE_MARK);
  const isLeft = marks.some((mark) => (mark.name !== PROBE_MARK || !isMember) && isOver(mark, past));
  if (!isUnkept && !isLeft) return [];
  const cause = finding(
    "ProbeNotNeeded",
    "a check was killed, or the configuration wants the probe of the cluster no more",
    "nothing: Meshjoin removes it",
    member.clusterId,
  );
  return [removal(member, isUnkept, cause)];
}

function removal({ clusterId }: ReachableMember, isOfConfiguration: boolean, cause: Finding): RemoveProbe {
  const writes = writesOf("delete", clusterId);
  return { kind: "removeProbe", verb: "delete", clusterId, isOfConfiguration, writes, findings: [cause] };
}

/** The namespace stands for all that is in it. */
function writesOf(verb: Write["verb"], clusterId: string): Write[] {
  return [
    { kind: "Secret", name: PROBE_MARK, namespace: ISTIO_NAMESPACE },
    { kind: "Namespace", name: PROBE_NAMESPACE },
  ].map((object) => ({ verb, clusterId, object }));
}

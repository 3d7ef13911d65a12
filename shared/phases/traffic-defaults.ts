import { withRights } from "../apply/rights.ts";
import { removeTrafficDefaults, writeTrafficDefaults } from "../apply/traffic-defaults.ts";
import { outcomeOf } from "../core/answers/outcome.ts";
import { isReachable, type Member, type ReachableMember } from "../core/member/observation.ts";
import { ownerOf } from "../istio/ownership.ts";
import { FAILOVER_REF, failoverRule, failoverSettings } from "../istio/traffic-defaults.ts";
import { lookAtTrafficRules } from "../look/traffic-rules.ts";
import type { TrafficDefaultsAction } from "../plan/action.ts";
import { blockedIn } from "../plan/mesh.ts";
import { ownRule, planTrafficDefaults } from "../plan/traffic-defaults.ts";
import { planContext } from "../plan-context.ts";
import { type MemberReport, merge, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Course, Phase } from "./course.ts";
import { repairObject } from "./take-back.ts";

/**
 * The rule that says where requests go, in the members that had an istiod when the run began. A deep run
 * takes back what others have changed of it.
 */
export const trafficDefaults: Phase = async (run, course) => {
  const members = (await membersOf(run, course)).filter(isReachable);
  return merge(...(await Promise.all(members.map((member) => ofMember(run, course, member)))));
};

/** A run about one cluster asks for its rules only where a person has confirmed that they may change. */
async function membersOf(run: Run, { mesh, request }: Course): Promise<readonly Member[]> {
  if (request.scope === "mesh") return mesh.members;
  if (request.confirm?.includes("TrafficDefaultsDiffer") !== true) return [];
  return await lookAtTrafficRules(
    run,
    mesh.members.filter(({ clusterId }) => mesh.subjects.has(clusterId)),
  );
}

async function ofMember(run: Run, course: Course, member: ReachableMember): Promise<Partial<Report>> {
  const { clusterId } = member;
  return await settle(
    clusterId,
    "its traffic rule was looked after",
    () => look(run, course, member),
    ({ outcome, finding, error }): Partial<Report> => ({
      members: [{ clusterId, outcome, findings: [finding], isAside: true }],
      errors: [error],
    }),
  );
}

async function look(run: Run, course: Course, member: ReachableMember): Promise<Partial<Report>> {
  const context = planContext(run, course.request);
  const { actions, findings } = planTrafficDefaults([member], blockedIn(course.plan), context);
  const [action] = actions;
  if (action !== undefined) return { members: [await carryOut(run, member, action)], findings };
  const repaired = course.request.deep === true ? await repair(run, member) : undefined;
  return { members: repaired === undefined ? [] : [repaired], findings };
}

async function carryOut(
  run: Run,
  { cluster, clusterId }: Member,
  action: TrafficDefaultsAction,
): Promise<MemberReport> {
  const { ports, spec, signal } = run;
  const api = ports.fleet.member(cluster);
  const isDone = await run.inTurn(() =>
    action.kind === "writeTrafficDefaults"
      ? writeTrafficDefaults(api, spec, signal)
      : removeTrafficDefaults(api, spec, signal),
  );
  const outcome = isDone ? outcomeOf(action) : "unchanged";
  run.progress({ step: action.kind, clusterId, outcome });
  return { clusterId, outcome, findings: action.findings, isAside: true };
}

/** Takes back what others have changed of a rule that was written as the configuration wants it. */
async function repair(
  { ports, spec, signal, inTurn }: Run,
  { cluster, clusterId, state }: ReachableMember,
): Promise<MemberReport | undefined> {
  const { trafficRules } = state;
  const rule = failoverRule(spec);
  if (rule === undefined || trafficRules === undefined || "unread" in trafficRules) return undefined;
  if (ownRule(trafficRules)?.settings !== failoverSettings(spec)) return undefined;
  const api = ports.fleet.member(cluster);
  return await inTurn(async () => {
    const now = await api.reader.get(FAILOVER_REF, signal);
    if (now === undefined || ownerOf(now.metadata, spec.meshId) !== "ours") return undefined;
    const site = { api, id: clusterId, signal };
    const repaired = await withRights(api, spec.meshId, signal, () => repairObject(site, rule, now.metadata));
    if (repaired === undefined) return undefined;
    return { clusterId, outcome: repaired.outcome, findings: [repaired.found], isAside: true };
  });
}

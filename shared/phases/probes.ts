import { within } from "../async/within.ts";
import { outcomeOf } from "../core/answers/outcome.ts";
import type { Member } from "../core/member/observation.ts";
import { endOfChecks } from "../core/probe/mark.ts";
import type { Mesh } from "../look/mesh.ts";
import type { PutProbe, RemoveProbe } from "../plan/action.ts";
import { type ProbePlan, planProbes } from "../plan/probes.ts";
import { longSilences } from "../plan/silences.ts";
import { planContext } from "../plan-context.ts";
import { askTwice } from "../probe/ask-twice.ts";
import { endProbe, removeUnwanted } from "../probe/end.ts";
import { probeFindings } from "../probe/kept.ts";
import { type Probed, putProbes, seeProbes, unseenProbes } from "../probe/probes.ts";
import { type MemberReport, merge, type PairReport, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import { decisionOn, mayDrain } from "./automatic-drains.ts";
import type { Course, Phase, PhaseResult } from "./course.ts";
import { keyOf } from "./judge-pair.ts";

/** The pod of a probe that was just written; one that takes longer is asked by the next full run. */
const READY_MS = 30_000;

/**
 * Takes the probes away that nobody wants any more. Keeps those that the configuration wants, and asks each
 * once for all members: «synced» does not say that requests pass. A look sees the marks beside the other
 * Secrets, so without a probe a run asks for nothing more.
 */
export const probes: Phase = async (run, course) => {
  const { mesh, request } = course;
  if (mesh.isPartial || request.scope !== "mesh") return {};
  const plan = planProbes(mesh.members, mesh.leavers, planContext(run, request));
  const removed = plan.actions
    .filter((action) => action.kind === "removeProbe")
    .map((action) => remove(run, mesh, action));
  const [kept, ...ends] = await Promise.all([keep(run, course, plan), ...removed]);
  const { probed = [], ...report } = kept;
  return { ...merge(report, ...ends), probed };
};

async function keep(run: Run, course: Course, plan: ProbePlan): Promise<PhaseResult> {
  const { mesh, request } = course;
  const { keepers, actions } = plan;
  if (keepers.length === 0) return {};
  const puts = new Map(
    actions.flatMap((action) => (action.kind === "putProbe" ? [[action.clusterId, action] as const] : [])),
  );
  const isWritten = ({ clusterId }: Member) => request.deep === true || puts.has(clusterId);
  const seen = await seeProbes(
    run,
    mesh.members.filter((member) => !isWritten(member)),
    run.signal,
  );
  const due = keepers.filter((member) => isWritten(member) || seen.get(member.clusterId)?.state === "gone");
  const want = { user: undefined, until: undefined };
  const limits = { ready: within(run.signal, READY_MS), signal: run.signal };
  const put = await putProbes(run, mesh, { among: due, want }, limits);
  const silent = new Set(
    mayDrain(course)
      ? longSilences(mesh.members, decisionOn(run, course, mesh)).long.map(({ member }) => member.clusterId)
      : [],
  );
  const isAskedUnseen = (id: string) => silent.has(id);
  const all = new Map([...seen, ...put, ...unseenProbes(mesh.members, isAskedUnseen)]);
  const ids = new Set(keepers.map(({ clusterId }) => clusterId));
  const told = toldOtherwise(course);
  const pairs = await askTwice(run, mesh, all, {
    isWritten: (id) => put.has(id),
    want,
    readyMs: READY_MS,
    isAskedUnseen,
    matters: ({ reader, target }) =>
      ids.has(reader) && (silent.has(target) || (ids.has(target) && !told.has(`${reader} ${target}`))),
  });
  return {
    probed: pairs,
    members: reportsOf(puts, put),
    findings: probeFindings(
      pairs,
      (id) => ids.has(id),
      ({ reader, target }) => told.has(`${reader} ${target}`),
    ),
  };
}

/** Pairs that an istiod of the reader does not show as synced, or that wait for a member or a person. */
function toldOtherwise({ report }: Course): ReadonlySet<string> {
  return new Set(report.pairs.filter((pair) => pair.isSynced !== true && isNoPairYet(pair)).map(keyOf));
}

function isNoPairYet({ isSynced, isBlocked, counts }: PairReport): boolean {
  return isSynced === false || isBlocked === true || !counts;
}

/** Of what was written. What kept a probe from being written is told with its pairs. */
function reportsOf(puts: ReadonlyMap<string, PutProbe>, put: ReadonlyMap<string, Probed>): MemberReport[] {
  return [...puts.values()].flatMap((action) =>
    put.get(action.clusterId)?.state === "none"
      ? []
      : [{ clusterId: action.clusterId, outcome: outcomeOf(action), findings: action.findings }],
  );
}

async function remove(run: Run, mesh: Mesh, action: RemoveProbe): Promise<Partial<Report>> {
  const { clusterId } = action;
  const owner = [...mesh.members, ...mesh.leavers].find((member) => member.clusterId === clusterId);
  if (owner === undefined) return {};
  return await settle<Partial<Report>>(
    clusterId,
    "a probe that nobody wants was deleted",
    () => run.inTurn(async () => await takeAway(run, owner, action)),
    ({ finding, error }) => ({ findings: [finding], errors: [error] }),
  );
}

/** Also of a cluster that leaves; answers once its namespace is being deleted. */
export async function takeAway(
  { ports, spec, signal, progress }: Run,
  { cluster, clusterId }: Member,
  { isOfConfiguration }: RemoveProbe,
): Promise<Partial<Report>> {
  const api = ports.fleet.member(cluster);
  const { meshId } = spec;
  const now = ports.clock.now();
  const past = endOfChecks(now, spec);
  const isGone = isOfConfiguration
    ? await endProbe(api, { meshId, user: undefined, now }, signal)
    : await removeUnwanted(api, meshId, past, signal);
  if (isGone) progress({ step: "removeProbe", clusterId, outcome: "deleted" });
  return {};
}

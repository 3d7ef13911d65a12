import { applyIngress, removeIngress } from "../apply/ingress.ts";
import { withRights } from "../apply/rights.ts";
import { within } from "../async/within.ts";
import { outcomeOf, worst } from "../core/answers/outcome.ts";
import type { Member } from "../core/member/observation.ts";
import { ingressObjects, ingressSettings } from "../istio/ingress.ts";
import { awaitIngress, isAboutIngresses, lookAtIngress } from "../look/ingress.ts";
import type { Mesh } from "../look/mesh.ts";
import type { IngressAction } from "../plan/action.ts";
import { planIngress } from "../plan/ingress.ts";
import { pairContextOf } from "../plan/mesh.ts";
import { planContext } from "../plan-context.ts";
import { merge, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Course, Phase } from "./course.ts";
import { gatewayFault, gatewayReport } from "./gateway-report.ts";
import { repairOwned } from "./take-back.ts";
import { unreadPart } from "./unread.ts";

/** GKE takes about a minute for a load balancer; one that takes longer is looked at by the next full run. */
export const INGRESS_WAIT_MS = 60_000;

/**
 * Gives each member that the run is about the ingress that the configuration wants, and takes one away that
 * it wants no more. It comes late in a run: nothing of the mesh waits for it.
 */
export const ingress: Phase = async (run, course) => {
  const { request } = course;
  const subjects = course.mesh.members.filter(({ clusterId }) => course.mesh.subjects.has(clusterId));
  const seen = await lookAtIngress(run, subjects, isAboutIngresses(request));
  const { actions, findings } = planNow(run, course, seen);
  const written = await Promise.all(actions.map((action) => carryOut(run, course.mesh, action)));
  const touched = new Set(actions.map(({ clusterId }) => clusterId));
  const repaired = request.deep === true ? await repairAll(run, course.mesh, seen, touched) : [];
  const fresh = new Set(written.flatMap(({ isApplied, clusterId }) => (isApplied ? [clusterId] : [])));
  const limit = within(run.signal, INGRESS_WAIT_MS);
  const awaited = await Promise.all(
    seen
      .filter(({ clusterId }) => fresh.has(clusterId))
      .map((member) => run.inTurn(() => awaitIngress(run, member, limit))),
  );
  const after = planNow(run, course, awaited);
  return merge(...written.map(({ report }) => report), ...repaired, {
    findings: [...findings, ...after.findings],
    members: seen.flatMap(({ clusterId, state }) =>
      state.reachable && state.ingress !== undefined && "unread" in state.ingress
        ? [unreadPart(clusterId, state.ingress.unread)]
        : [],
    ),
  });
};

/** For these members alone. */
function planNow(run: Run, { mesh, request }: Course, members: readonly Member[]) {
  const context = planContext(run, request);
  return planIngress({ ...pairContextOf(mesh, context, "now"), ...context, members });
}

interface CarriedOut {
  readonly clusterId: string;
  readonly isApplied: boolean;
  readonly report: Partial<Report>;
}

async function carryOut(run: Run, mesh: Mesh, action: IngressAction): Promise<CarriedOut> {
  const { clusterId, kind, findings } = action;
  const member = mesh.members.find((each) => each.clusterId === clusterId);
  if (member === undefined) return { clusterId, isApplied: false, report: {} };
  const { spec, signal } = run;
  const { cluster } = member;
  const api = run.ports.fleet.member(cluster);
  return await settle(
    clusterId,
    kind === "applyIngress" ? "its ingress was installed" : "its ingress was removed",
    () =>
      run.inTurn(async (): Promise<CarriedOut> => {
        if (kind === "applyIngress") await applyIngress({ api, ref: cluster.ref }, spec, signal);
        else await removeIngress(api, spec.meshId, signal);
        const outcome = outcomeOf(action);
        run.progress({ step: kind, clusterId, outcome });
        const report = { members: [gatewayReport(clusterId, outcome)], findings };
        return { clusterId, isApplied: kind === "applyIngress", report };
      }),
    (fault): CarriedOut => ({ clusterId, isApplied: false, report: gatewayFault(mesh, fault) }),
  );
}

/** Takes back what others have changed of ingresses that are as they should be by their settings. */
async function repairAll(
  run: Run,
  mesh: Mesh,
  members: readonly Member[],
  touched: ReadonlySet<string>,
): Promise<Partial<Report>[]> {
  if (run.spec.ingress === "off") return [];
  const wanted = ingressSettings(run.spec);
  const own = members.filter(
    ({ clusterId, state }) =>
      state.reachable &&
      state.ingress?.state === "present" &&
      state.ingress.settings === wanted &&
      !touched.has(clusterId),
  );
  return await Promise.all(own.map((member) => repair(run, mesh, member)));
}

async function repair(run: Run, mesh: Mesh, { clusterId: id, cluster }: Member): Promise<Partial<Report>> {
  const { spec, signal } = run;
  const { meshId } = spec;
  const api = run.ports.fleet.member(cluster);
  return await settle(
    id,
    "fields of its ingress that other managers changed were taken back",
    () =>
      run.inTurn(async (): Promise<Partial<Report>> => {
        const repairs = await withRights(api, meshId, signal, () =>
          repairOwned({ api, id, signal }, ingressObjects(spec), meshId),
        );
        const outcome = worst(["unchanged", ...repairs.map((each) => each.outcome)]);
        return { members: [gatewayReport(id, outcome)], findings: repairs.map(({ found }) => found) };
      }),
    (fault) => gatewayFault(mesh, fault),
  );
}

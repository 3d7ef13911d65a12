import { removeLastGateway, writeLastGateway } from "../apply/last-gateway.ts";
import { applyOwned, refOf } from "../apply/owned.ts";
import { withRights } from "../apply/rights.ts";
import { type Finding, finding } from "../core/answers/finding.ts";
import { type Outcome, outcomeOf, worst } from "../core/answers/outcome.ts";
import { isReachable, type ReachableMember } from "../core/member/observation.ts";
import { lastGatewayName } from "../core/names.ts";
import { ConflictError } from "../errors.ts";
import { GATEWAYS_LISTED } from "../istio/gateway.ts";
import { lastGatewayObject } from "../istio/last-gateway.ts";
import { ownerOf } from "../istio/ownership.ts";
import type { LastGatewayAction } from "../plan/action.ts";
import { type KeptGateway, type LastGatewayPlan, planLastGateways } from "../plan/last-gateways.ts";
import { pairContextOf } from "../plan/mesh.ts";
import { planContext } from "../plan-context.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { merge, NOTHING, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Phase } from "./course.ts";
import { keyOf } from "./judge-pair.ts";
import { repairObject } from "./take-back.ts";

/**
 * Lets the readers hold the last known addresses of gateways, so that requests fail closed from the loss of
 * a gateway to the next run. It comes after the pairs, whose remote secrets own these Gateways. A deep run
 * takes back what others have changed of them, and finds those that no note tells of.
 */
export const lastGateways: Phase = async (run, { mesh, request, report }) => {
  if (mesh.isPartial) return {};
  const written = new Set(
    report.pairs.flatMap((pair) =>
      pair.outcome === "created" || pair.outcome === "updated" ? [keyOf(pair)] : [],
    ),
  );
  const context = pairContextOf(mesh, planContext(run, request), "now");
  const plan = planLastGateways(context, (reader, target) => written.has(keyOf({ reader, target })));
  const isDeep = request.deep === true;
  const works = context.members
    .filter(isReachable)
    .map((reader) => workOf(plan, reader, isDeep))
    .filter(({ actions, kept, unwanted }) => actions.length + kept.length + unwanted.length > 0);
  return merge(...(await Promise.all(works.map((work) => carryOut(run, work)))));
};

/** What is due in one reader. */
interface Work extends LastGatewayPlan {
  readonly reader: ReachableMember;
}

function workOf(plan: LastGatewayPlan, reader: ReachableMember, isDeep: boolean): Work {
  const { clusterId } = reader;
  const isOwn = (each: { readonly reader: ReachableMember }) => each.reader.clusterId === clusterId;
  return {
    reader,
    actions: plan.actions.filter((action) => action.clusterId === clusterId),
    kept: isDeep ? plan.kept.filter(isOwn) : [],
    unwanted: isDeep ? plan.unwanted.filter(isOwn) : [],
  };
}

async function carryOut(run: Run, work: Work): Promise<Partial<Report>> {
  const { clusterId, cluster } = work.reader;
  const api = run.ports.fleet.member(cluster);
  return await settle(
    clusterId,
    "its last known gateways were written",
    () => run.inTurn(() => withRights(api, run.spec.meshId, run.signal, () => writeAll(run, api, work))),
    ({ outcome, finding: found, error }): Partial<Report> =>
      error instanceof ConflictError
        ? NOTHING
        : {
            members: [{ clusterId, outcome, findings: [found], isAside: true }],
            errors: [error],
          },
  );
}

/** One after the other: a request that is refused ends them, and then all come again. */
async function writeAll(run: Run, api: MemberApi, work: Work): Promise<Partial<Report>> {
  const { clusterId } = work.reader;
  const done: Done[] = [];
  for (const action of work.actions) {
    // oxlint-disable-next-line no-await-in-loop
    done.push(...[(await write(run, api, action)) ?? []].flat());
  }
  for (const each of work.kept) {
    // oxlint-disable-next-line no-await-in-loop
    done.push(...[(await repair(run, api, each)) ?? []].flat());
  }
  done.push(...(await removeLeftOver(run, api, work)));
  const outcome = worst(["unchanged", ...done.map((each) => each.outcome)]);
  return {
    members: [{ clusterId, outcome, findings: [], isAside: true }],
    findings: done.flatMap(({ findings }) => findings),
  };
}

interface Done {
  readonly outcome: Outcome;
  readonly findings: readonly Finding[];
}

async function write(run: Run, api: MemberApi, action: LastGatewayAction): Promise<Done | undefined> {
  const { spec, signal } = run;
  const { clusterId, target, findings } = action;
  const last = action.kind === "keepLastGateway" ? action.last : undefined;
  if (!(await writeLastGateway(api, target, last, spec.meshId, signal))) return undefined;
  const outcome = outcomeOf(action);
  run.progress({ step: action.kind, clusterId, target, outcome });
  return { outcome, findings };
}

async function repair(
  { spec: { meshId }, signal }: Run,
  api: MemberApi,
  { reader, target, remoteSecret, last }: KeptGateway,
): Promise<Done | undefined> {
  const object = lastGatewayObject(meshId, target, remoteSecret, last);
  const found = await api.reader.get(refOf(object), signal);
  if (found === undefined || ownerOf(found.metadata, meshId) !== "ours") {
    await applyOwned(api, object, meshId, signal);
    return { outcome: "created", findings: [] };
  }
  const repaired = await repairObject({ api, id: reader.clusterId, signal }, object, found.metadata);
  return repaired && { outcome: repaired.outcome, findings: [repaired.found] };
}

/** A run that died between a Gateway and its note has left it. */
async function removeLeftOver(
  run: Run,
  api: MemberApi,
  { reader: { clusterId }, unwanted }: Work,
): Promise<Done[]> {
  if (unwanted.length === 0) return [];
  const { spec, signal } = run;
  const listed = await api.reader.list({ ...GATEWAYS_LISTED, metadataOnly: true }, signal);
  const names = new Set(listed.map(({ metadata }) => metadata.name));
  const done: Done[] = [];
  for (const { target } of unwanted) {
    if (!names.has(lastGatewayName(target))) continue;
    // oxlint-disable-next-line no-await-in-loop
    if (!(await removeLastGateway(api, target, spec.meshId, signal))) continue;
    const why = `${clusterId} held an address of a gateway of ${target} that it should not`;
    const found = finding("LastGatewayOutdated", why, "nothing: Meshjoin took it away", clusterId);
    done.push({ outcome: "deleted", findings: [found] });
  }
  return done;
}

import { applyGateway, removeGateway } from "../apply/gateway.ts";
import { applyOwned, refOf } from "../apply/owned.ts";
import { withRights } from "../apply/rights.ts";
import { within } from "../async/within.ts";
import { type Outcome, outcomeOf, worst } from "../core/answers/outcome.ts";
import type { Member } from "../core/member/observation.ts";
import type { MeshSpec } from "../core/spec.ts";
import { gatewayObjects, gatewaySettings } from "../istio/gateway.ts";
import { awaitGateway } from "../look/gateways.ts";
import type { GatewayAction } from "../plan/action.ts";
import type { WantedGateway } from "../plan/context.ts";
import { type GatewayOwner, isGatewayUp, planGateways } from "../plan/gateways.ts";
import { pairContextOf } from "../plan/mesh.ts";
import { planContext } from "../plan-context.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { type MemberReport, merge, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Phase } from "./course.ts";
import { WAIT_MS } from "./own-halves.ts";
import { type Repaired, repairObject } from "./take-back.ts";

/** A gateway that was up before gets this long for a second look, before its pairs are withdrawn. */
export const SECOND_LOOK_MS = 5000;

/**
 * Gives each member the gateway that it should have, also the peers of those that the run is about, and waits
 * until they are up: then the pairs across networks can be made. Takes away those that nobody needs.
 */
export const gateways: Phase = async (run, course) => {
  const { mesh, request } = course;
  if (mesh.isPartial) return {};
  const { actions, owners } = planGateways(pairContextOf(mesh, planContext(run, request), "now"));
  const written = await Promise.all(actions.map((action) => carryOut(run, mesh.members, action)));
  const touched = new Set(actions.map(({ clusterId }) => clusterId));
  const untouched = owners.filter(({ member }) => !touched.has(member.clusterId));
  const repaired =
    request.deep === true ? await Promise.all(untouched.map((owner) => repair(run, owner))) : [];
  const awaited = owners
    .map(({ member }) => member)
    .filter((member) => touched.has(member.clusterId) || !isGatewayUp(member));
  if (awaited.length === 0) return merge(...written, ...repaired);
  const hasTime = actions.length > 0 || request.scope !== "mesh";
  const limit = within(run.signal, hasTime ? WAIT_MS : SECOND_LOOK_MS);
  const seen = new Map(
    await Promise.all(
      awaited.map(async (member) => [member.clusterId, await awaitGateway(run, member, limit)] as const),
    ),
  );
  const members = mesh.members.map((member) => seen.get(member.clusterId) ?? member);
  const { findings } = planGateways(pairContextOf({ ...mesh, members }, planContext(run, request), "now"));
  return { ...merge(...written, ...repaired, { findings }), mesh: { ...mesh, members } };
};

function reportOf(clusterId: string, outcome: Outcome): MemberReport {
  return { clusterId, outcome, findings: [] };
}

/** Takes back what others have changed of a gateway's objects, and makes those anew that are gone. */
async function repair(run: Run, { member, wanted }: GatewayOwner): Promise<Partial<Report>> {
  const { clusterId: id, cluster } = member;
  const { spec, signal } = run;
  const api = run.ports.fleet.member(cluster);
  return await settle(
    id,
    "fields of its gateway that other managers changed were taken back",
    () =>
      run.inTurn(async (): Promise<Partial<Report>> => {
        const repairs = await repairGateway(api, { id, signal }, wanted, spec);
        const outcome = worst(["unchanged", ...repairs.map((each) => each.outcome)]);
        return { members: [reportOf(id, outcome)], findings: repairs.map(({ found }) => found) };
      }),
    ({ outcome, finding, error }): Partial<Report> => ({
      members: [{ ...reportOf(id, outcome), findings: [finding] }],
      errors: [error],
    }),
  );
}

async function repairGateway(
  api: MemberApi,
  place: { readonly id: string; readonly signal: AbortSignal },
  wanted: WantedGateway,
  spec: MeshSpec,
): Promise<Repaired[]> {
  const { signal } = place;
  return await withRights(api, spec.meshId, signal, async () => {
    const repairs: Repaired[] = [];
    for (const object of gatewayObjects(gatewaySettings(spec, wanted))) {
      // oxlint-disable-next-line no-await-in-loop -- the options before the Gateway
      const present = await api.reader.get(refOf(object), signal);
      // oxlint-disable-next-line no-await-in-loop
      if (present === undefined) await applyOwned(api, object, spec.meshId, signal);
      // oxlint-disable-next-line no-await-in-loop
      else repairs.push(...[(await repairObject({ api, ...place }, object, present.metadata)) ?? []].flat());
    }
    return repairs;
  });
}

async function carryOut(
  run: Run,
  members: readonly Member[],
  action: GatewayAction,
): Promise<Partial<Report>> {
  const { clusterId } = action;
  const member = members.find((each) => each.clusterId === clusterId);
  if (member === undefined) return {};
  const api = run.ports.fleet.member(member.cluster);
  const { spec, signal } = run;
  return await settle(
    clusterId,
    action.kind === "applyGateway" ? "its gateway was installed" : "its gateway was removed",
    () =>
      run.inTurn(async (): Promise<Partial<Report>> => {
        if (action.kind === "applyGateway") await applyGateway(api, action, spec, signal);
        else await removeGateway(api, spec.meshId, signal);
        const outcome = outcomeOf(action);
        run.progress({ step: action.kind, clusterId, outcome });
        return { members: [reportOf(clusterId, outcome)], findings: action.findings };
      }),
    ({ outcome, finding, error }): Partial<Report> => ({
      members: [{ ...reportOf(clusterId, outcome), findings: [finding] }],
      errors: [error],
    }),
  );
}

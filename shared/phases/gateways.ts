import { applyGateway, removeGateway } from "../apply/gateway.ts";
import { within } from "../async/within.ts";
import { type Outcome, outcomeOf } from "../core/answers/outcome.ts";
import type { Member } from "../core/member/observation.ts";
import { awaitGateway } from "../look/gateways.ts";
import type { GatewayAction } from "../plan/action.ts";
import { isGatewayUp, planGateways } from "../plan/gateways.ts";
import { pairContextOf } from "../plan/mesh.ts";
import { planContext } from "../plan-context.ts";
import { type MemberReport, merge, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Phase } from "./course.ts";
import { WAIT_MS } from "./own-halves.ts";

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
  const awaited = owners.filter((member) => touched.has(member.clusterId) || !isGatewayUp(member));
  if (awaited.length === 0) return merge(...written);
  const hasTime = actions.length > 0 || request.scope !== "mesh";
  const limit = within(run.signal, hasTime ? WAIT_MS : SECOND_LOOK_MS);
  const seen = new Map(
    await Promise.all(
      awaited.map(async (member) => [member.clusterId, await awaitGateway(run, member, limit)] as const),
    ),
  );
  const members = mesh.members.map((member) => seen.get(member.clusterId) ?? member);
  const { findings } = planGateways(pairContextOf({ ...mesh, members }, planContext(run, request), "now"));
  return { ...merge(...written, { findings }), mesh: { ...mesh, members } };
};

function reportOf(clusterId: string, outcome: Outcome): MemberReport {
  return { clusterId, outcome, findings: [] };
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

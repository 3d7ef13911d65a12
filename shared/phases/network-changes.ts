import { applyNamespace } from "../apply/namespace.ts";
import { within } from "../async/within.ts";
import { type Finding, finding } from "../core/answers/finding.ts";
import { outcomeOf } from "../core/answers/outcome.ts";
import { kubectlOn } from "../core/cluster/gcloud.ts";
import { isReachable, type Member, type ReachableMember } from "../core/member/observation.ts";
import { type Expectation, verifyMember } from "../look/istiods.ts";
import { observeAgain } from "../look/member.ts";
import { isGatewayUp } from "../plan/gateways.ts";
import { pairContextOf } from "../plan/mesh.ts";
import { planChanges, type ReadyChange } from "../plan/network-changes.ts";
import { liveAddresses } from "../plan/networks.ts";
import { planContext } from "../plan-context.ts";
import { merge, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Course, Phase, PhaseResult } from "./course.ts";
import { SECOND_LOOK_MS } from "./gateways.ts";

/**
 * Lets the members change their network whose every pair has a way afterwards, as gateways show, and as the
 * istiods of both sides list them. One after the other: a change may be what the next one has to reckon with.
 */
export const networkChanges: Phase = async (run, course) => {
  if (course.mesh.isPartial || course.request.scope !== "mesh") return {};
  const { findings, ready } = plan(run, course);
  const reports: Partial<Report>[] = [{ findings }];
  let { mesh } = course;
  for (const { member } of ready) {
    // The change before may have taken a way away.
    const now = plan(run, { ...course, mesh }).ready.find(
      (each) => each.member.clusterId === member.clusterId,
    );
    if (now === undefined) continue;
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { mesh: after, ...report } = await change(run, { ...course, mesh }, now);
    mesh = after ?? mesh;
    reports.push(report);
  }
  return { ...merge(...reports), mesh };
};

function plan(run: Run, { mesh, request }: Course) {
  return planChanges(pairContextOf(mesh, planContext(run, request), "now"));
}

async function change(run: Run, { mesh }: Course, ready: ReadyChange): Promise<PhaseResult> {
  const { member, action } = ready;
  const { clusterId, cluster } = member;
  const unaware = await whoLacksGateways(run, mesh.members, ready);
  if (unaware !== undefined) return { findings: [waitsFor(action.network ?? "", member, unaware)] };
  return await settle(
    clusterId,
    "its network was changed",
    () =>
      run.inTurn(async (): Promise<PhaseResult> => {
        await applyNamespace(run.ports.fleet.member(cluster), action, run.spec.meshId, run.signal);
        const outcome = outcomeOf(action);
        run.progress({ step: action.kind, clusterId, outcome });
        const now = await observeAgain(run, member);
        return {
          members: [{ clusterId, outcome, findings: [] }],
          findings: action.findings,
          mesh: { ...mesh, members: mesh.members.map((each) => (each === member ? now : each)) },
        };
      }),
    ({ outcome, finding: found, error }): PhaseResult => ({
      members: [{ clusterId, outcome, findings: [found] }],
      errors: [error],
    }),
  );
}

/**
 * A member whose istiods do not list all gateways that the change needs, or could not be asked: it would hand
 * out raw addresses of pods.
 */
async function whoLacksGateways(
  run: Run,
  members: readonly Member[],
  { member, action, readers, targets }: ReadyChange,
): Promise<ReachableMember | undefined> {
  const limit = within(run.signal, SECOND_LOOK_MS);
  const { network = "" } = action;
  const { clusterId } = member;
  // Where it has none of its own there, those of other members count.
  const known = isGatewayUp(member, network)
    ? { gateways: new Map([[clusterId, { network, besides: [] }]]) }
    : { networks: new Map([[clusterId, { network, addresses: liveAddresses(members, network) }]]) };
  const expectations: Expectation[] = [
    ...readers
      .filter(isReachable)
      .map((reader) => ({ member: reader, targets: [clusterId], ...known, intermediate: undefined })),
    ...[...targets].map(([to, ids]) => {
      const needed = { network: to, addresses: liveAddresses(members, to) };
      const networks = new Map(ids.map((id) => [id, needed] as const));
      return { member, targets: ids, networks, intermediate: undefined };
    }),
  ];
  const unaware = await Promise.all(
    expectations.map(async (expectation) => {
      if (expectation.member.state.pods.length === 0) return expectation.member;
      const { error, unsynced, heldBy, withoutGateway } = await verifyMember(run.ports, expectation, limit);
      const isAware = error === undefined && unsynced.size + heldBy.size + withoutGateway.size === 0;
      return isAware ? undefined : expectation.member;
    }),
  );
  return unaware.find((each) => each !== undefined);
}

function waitsFor(network: string, { clusterId }: ReachableMember, unaware: ReachableMember): Finding {
  return finding(
    "NetworkChanges",
    `the change of ${clusterId} to network ${network} waits: istiod of ${unaware.clusterId} does not list the gateways that it needs then`,
    `nothing, if they are new; see its log: ${kubectlOn(unaware.cluster.ref)} -n istio-system logs deploy/istiod`,
    clusterId,
  );
}

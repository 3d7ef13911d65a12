import type { Member } from "../core/member/observation.ts";
import { CRDS, definitionState } from "../istio/crds.ts";
import type { FirstPlan } from "../plan/mesh.ts";
import { settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Mesh } from "./mesh.ts";

/**
 * The mesh with the custom resource definitions of the members that a manifest is due for: one more request
 * for each. A run itself reads them when it applies, so it overwrites none that came in between.
 */
export async function lookAtDefinitions(run: Run, mesh: Mesh, plan: FirstPlan): Promise<Mesh> {
  const due = new Set(
    plan.members.flatMap(({ clusterId, actions, rollOut }) =>
      rollOut !== undefined || actions.some(({ kind }) => kind === "applyControlPlane") ? [clusterId] : [],
    ),
  );
  const members = mesh.members.map(async (member) =>
    due.has(member.clusterId) ? await withDefinitions(run, member) : member,
  );
  return { ...mesh, members: await Promise.all(members) };
}

async function withDefinitions(run: Run, member: Member): Promise<Member> {
  const { cluster, clusterId, state } = member;
  if (!state.reachable) return member;
  const read = async (): Promise<Member> => {
    const crds = await run.ports.fleet.member(cluster).reader.list(CRDS, run.signal);
    const definitions = crds.map((crd) => definitionState(crd, run.spec.meshId));
    return { ...member, state: { ...state, definitions } };
  };
  return await settle(
    clusterId,
    "its custom resource definitions were read",
    () => run.inTurn(read),
    () => member,
  );
}

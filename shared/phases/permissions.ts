import { type Finding, finding } from "../core/answers/finding.ts";
import type { Member } from "../core/member/observation.ts";
import { functionsGrants } from "../doctor/grants.ts";
import { missingPermissions } from "../doctor/members.ts";
import { describePermissions, neededPermissions } from "../istio/needed-permissions.ts";
import { merge, NOTHING, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Phase } from "./course.ts";

/** The permissions that this process lacks on each subject, found before a join or a repair fails. */
export const permissions: Phase = async (run, { request, mesh }) => {
  if (request.deep !== true) return {};
  const subjects = mesh.members.filter(({ clusterId }) => mesh.subjects.has(clusterId));
  return merge(...(await Promise.all(subjects.map((member) => findMissing(run, member)))));
};

/** A member that does not answer already has a finding. */
async function findMissing(run: Run, member: Member): Promise<Partial<Report>> {
  const { cluster, clusterId } = member;
  const ask = async (): Promise<Partial<Report>> => {
    const { access } = run.ports.fleet.member(cluster);
    const missing = await missingPermissions(access, neededPermissions({ deep: true }), run.signal);
    const found = permissionMissing(member, describePermissions(missing));
    return { findings: missing.length === 0 ? [] : [found] };
  };
  return await settle(
    clusterId,
    "its permissions were asked for",
    () => run.inTurn(ask),
    () => NOTHING,
  );
}

function permissionMissing({ cluster, clusterId }: Member, missing: string): Finding {
  return finding(
    "PermissionMissing",
    `the account that ran this is not allowed: ${missing}`,
    functionsGrants("reconciler").clusterAdmin(cluster.ref),
    clusterId,
  );
}

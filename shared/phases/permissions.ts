import pLimit from "p-limit";
import type { Run } from "../apply.ts";
import type { Cluster } from "../core/cluster.ts";
import { type Finding, finding } from "../core/finding.ts";
import { clusterId } from "../core/names.ts";
import { functionsGrants } from "../doctor/grants.ts";
import { missingPermissions } from "../doctor/members.ts";
import { MeshjoinError } from "../errors.ts";
import { describePermissions, neededPermissions } from "../istio/needed-permissions.ts";
import { MEMBER_CONCURRENCY } from "./own-halves.ts";

/**
 * What each member's API server does not allow this process, before a join or a repair stumbles over it. A member that does
 * not answer has a finding of its own already.
 */
export async function findMissingPermissions(
  { ports, signal }: Run,
  members: readonly Cluster[],
): Promise<readonly Finding[]> {
  const limit = pLimit(MEMBER_CONCURRENCY);
  const needed = neededPermissions({ deep: true });
  const found = members.map((cluster) =>
    limit(async (): Promise<Finding[]> => {
      try {
        const { access } = ports.fleet.member(cluster);
        const missing = await missingPermissions(access, needed, signal);
        return missing.length === 0 ? [] : [permissionMissing(cluster, describePermissions(missing))];
      } catch (error) {
        if (error instanceof MeshjoinError) return [];
        throw error;
      }
    }),
  );
  return (await Promise.all(found)).flat();
}

function permissionMissing({ ref }: Cluster, missing: string): Finding {
  return finding(
    "PermissionMissing",
    `the account that ran this is not allowed: ${missing}`,
    functionsGrants("reconciler").onProject(ref.project, "roles/container.admin"),
    clusterId(ref),
  );
}

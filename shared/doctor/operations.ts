import { type Check, fine } from "../core/answers/check.ts";
import type { Cluster } from "../core/cluster/cluster.ts";
import type { Ports } from "../ports/ports.ts";
import { notRead } from "./google.ts";
import { enableApi, type Grants } from "./grants.ts";

/**
 * Whether the account may list GKE's operations, without which Meshjoin drains no member by itself: one
 * question for each project that has members.
 */
export async function checkOperations(
  { operations }: Pick<Ports, "operations">,
  members: readonly Cluster[],
  grants: Grants,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const subject = { name: "operations", account: grants.account } as const;
  const byProject = Map.groupBy(members, ({ ref: { project } }) => project);
  return await Promise.all(
    [...byProject].map(async ([project, [first]]) => {
      const about = (message: string) => `${project}: ${message}`;
      try {
        if (first !== undefined) await operations.running(first.ref, signal);
        return fine(subject, about("GKE tells of its operations"));
      } catch (error) {
        return notRead(subject, error, about, {
          PermissionDenied: grants.onProject(project, "roles/container.viewer"),
          ServiceDisabled: enableApi("container.googleapis.com", project),
        });
      }
    }),
  );
}

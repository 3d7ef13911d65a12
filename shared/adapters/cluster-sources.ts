import type { ClusterRef } from "../core/cluster/cluster.ts";
import { isLeftOut } from "../core/cluster/membership.ts";
import type { ClusterDirectory } from "../ports/cluster-directory.ts";
import type { ClusterSource, ClusterSources } from "../ports/cluster-sources.ts";

/** The projects of the configuration, each a source of its own. */
export function gkeSources(directory: ClusterDirectory): ClusterSources {
  return {
    configured: ({ projects }) => projects.map((project) => gkeProject(directory, project)),
    of: ({ project }) => gkeProject(directory, project),
  };
}

function gkeProject(directory: ClusterDirectory, project: string): ClusterSource {
  return {
    id: project,
    name: `project ${project}`,
    needs: { api: "container.googleapis.com", project, role: "roles/container.clusterViewer" },
    gone: { why: "it is deleted", runsOn: false },
    async list(signal) {
      const { clusters, missingLocations } = await directory.list(project, signal);
      const leavesOut = ({ location }: ClusterRef) => isLeftOut(location, missingLocations);
      return { clusters, silent: missingLocations, leavesOut };
    },
    get: (ref, signal) => directory.get(ref, signal),
  };
}

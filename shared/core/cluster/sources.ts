import type { MeshSpec } from "../spec.ts";
import type { ClusterRef } from "./cluster.ts";

/**
 * What a configuration says of where clusters come from, and what the parts of a reference tell, without a request. The port
 * `ClusterSources` asks the sources themselves.
 */

/** The part of a configuration that names sources. */
export type SourceSpec = Pick<MeshSpec, "projects">;

/** What decides which clusters are looked at, for people. */
export const VIEW_VARIABLES = "MESHJOIN_PROJECTS and MESHJOIN_ALLOW";

/** The configured sources as the configuration has them; none holds a comma or a space. */
export function sourceIds({ projects }: SourceSpec): readonly string[] {
  return projects;
}

/** A source that somebody else's configuration names and one's own does not. */
export function leftOutSource(id: string): string {
  return `project ${id}, which MESHJOIN_PROJECTS leaves out`;
}

/** Whether a cluster of this name would be of a configured source. */
export function isConfigured({ project }: ClusterRef, { projects }: SourceSpec): boolean {
  return projects.includes(project);
}

/** Why one that is not configured is not, and what changes that. */
export function notConfigured(
  { project }: ClusterRef,
  { projects }: SourceSpec,
): { readonly why: string; readonly cure: string } {
  return {
    why: `project ${project} is not in MESHJOIN_PROJECTS`,
    cure: `add it to MESHJOIN_PROJECTS, which has ${projects.join(", ")}`,
  };
}

/** Where a cluster is, for people who look for it. */
export interface Place {
  readonly project: string;
  readonly location: string;
  readonly name: string;
}

export function placeOf({ project, location, name }: ClusterRef): Place {
  return { project, location, name };
}

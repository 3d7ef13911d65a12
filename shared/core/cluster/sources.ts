import type { MeshSpec } from "../spec.ts";
import type { ClusterRef } from "./cluster.ts";

/**
 * The sources that a configuration names, and the source of a cluster by its reference, without a request.
 * The port `ClusterSources` asks the sources themselves.
 */

/** The part of a configuration that names sources. */
export type SourceSpec = Pick<MeshSpec, "projects">;

/** The variables that decide which clusters Meshjoin looks at, for messages. */
export const VIEW_VARIABLES = "MESHJOIN_PROJECTS and MESHJOIN_ALLOW";

/** The configured sources as the configuration has them; none holds a comma or a space. */
export function sourceIds({ projects }: SourceSpec): readonly string[] {
  return projects;
}

/** Words for a source that another configuration names and this one does not. */
export function leftOutSource(id: string): string {
  return `project ${id}, which MESHJOIN_PROJECTS leaves out`;
}

/** Whether a cluster of this name would be of a configured source. */
export function isConfigured({ project }: ClusterRef, { projects }: SourceSpec): boolean {
  return projects.includes(project);
}

/** Why the source of a cluster is not configured, and how to configure it. */
export function notConfigured(
  { project }: ClusterRef,
  { projects }: SourceSpec,
): { readonly why: string; readonly cure: string } {
  return {
    why: `project ${project} is not in MESHJOIN_PROJECTS`,
    cure: `add it to MESHJOIN_PROJECTS, which has ${projects.join(", ")}`,
  };
}

export interface Place {
  readonly project: string;
  readonly location: string;
  readonly name: string;
}

export function placeOf({ project, location, name }: ClusterRef): Place {
  return { project, location, name };
}

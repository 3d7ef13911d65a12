import type { MeshSpec } from "../spec.ts";

/**
 * Where members of the mesh are looked for. A configuration that looks at less sees fewer of them, and a gate that it looks at would
 * open without the others.
 */
export interface View {
  /** Project IDs, ascending. */
  readonly projects: readonly string[];
  /** Globs over cluster names, ascending; empty means all. */
  readonly allow: readonly string[];
}

export function viewOf({ projects, allow }: Pick<MeshSpec, "projects" | "allow">): View {
  return { projects: ascending(projects), allow: ascending(allow) };
}

/** Everything that either looks at. */
export function widest(one: View, other: View | undefined): View {
  if (other === undefined) return one;
  const isAll = one.allow.length === 0 || other.allow.length === 0;
  return {
    projects: ascending([...one.projects, ...other.projects]),
    allow: isAll ? [] : ascending([...one.allow, ...other.allow]),
  };
}

/** What the second looks at and the first does not, in words; empty where it misses nothing. */
export function missedBy(view: View, noted: View): string[] {
  const projects = noted.projects.filter((project) => !view.projects.includes(project));
  return [
    ...projects.map((project) => `project ${project}, which MESHJOIN_PROJECTS leaves out`),
    ...namesMissedBy(view, noted),
  ];
}

function namesMissedBy({ allow }: View, noted: View): string[] {
  if (allow.length === 0) return [];
  if (noted.allow.length === 0) return ["clusters that MESHJOIN_ALLOW leaves out"];
  const globs = noted.allow.filter((glob) => !allow.includes(glob));
  return globs.length === 0 ? [] : [`clusters that ${globs.join(", ")} allows`];
}

/** In an annotation: neither a project ID nor a glob has a comma or a space in it. */
export function formatView({ projects, allow }: View): string {
  return [projects, ...(allow.length === 0 ? [] : [allow])].map((words) => words.join(",")).join(" ");
}

/** The inverse; undefined for any other text. */
export function parseView(text: string): View | undefined {
  const { projects, allow } = /^(?<projects>[^ ]+)(?: (?<allow>[^ ]+))?$/.exec(text)?.groups ?? {};
  if (projects === undefined) return undefined;
  return { projects: projects.split(","), allow: allow?.split(",") ?? [] };
}

function ascending(words: readonly string[]): string[] {
  return [...new Set(words)].toSorted();
}

import { leftOutSource, type SourceSpec, sourceIds } from "../cluster/sources.ts";
import type { MeshSpec } from "../spec.ts";

/**
 * Where members of the mesh are looked for. A configuration that looks at less sees fewer of them, and a gate that it looks at would
 * open without the others.
 */
export interface View {
  /** The IDs of their sources, ascending. */
  readonly sources: readonly string[];
  /** Globs over cluster names, ascending; empty means all. */
  readonly allow: readonly string[];
}

/** The part of a configuration that a view is of. */
export type ViewSpec = SourceSpec & Pick<MeshSpec, "allow">;

export function viewOf(spec: ViewSpec): View {
  return { sources: ascending(sourceIds(spec)), allow: ascending(spec.allow) };
}

/** Everything that either looks at. */
export function widest(one: View, other: View | undefined): View {
  if (other === undefined) return one;
  const isAll = one.allow.length === 0 || other.allow.length === 0;
  return {
    sources: ascending([...one.sources, ...other.sources]),
    allow: isAll ? [] : ascending([...one.allow, ...other.allow]),
  };
}

/** What the second looks at and the first does not, in words; empty where it misses nothing. */
export function missedBy(view: View, noted: View): string[] {
  const sources = noted.sources.filter((source) => !view.sources.includes(source));
  return [...sources.map(leftOutSource), ...namesMissedBy(view, noted)];
}

function namesMissedBy({ allow }: View, noted: View): string[] {
  if (allow.length === 0) return [];
  if (noted.allow.length === 0) return ["clusters that MESHJOIN_ALLOW leaves out"];
  const globs = noted.allow.filter((glob) => !allow.includes(glob));
  return globs.length === 0 ? [] : [`clusters that ${globs.join(", ")} allows`];
}

/** In an annotation: neither a source's ID nor a glob has a comma or a space in it. */
export function formatView({ sources, allow }: View): string {
  return [sources, ...(allow.length === 0 ? [] : [allow])].map((words) => words.join(",")).join(" ");
}

/** The inverse; undefined for any other text. */
export function parseView(text: string): View | undefined {
  const { sources, allow } = /^(?<sources>[^ ]+)(?: (?<allow>[^ ]+))?$/.exec(text)?.groups ?? {};
  if (sources === undefined) return undefined;
  return { sources: sources.split(","), allow: allow?.split(",") ?? [] };
}

function ascending(words: readonly string[]): string[] {
  return [...new Set(words)].toSorted();
}

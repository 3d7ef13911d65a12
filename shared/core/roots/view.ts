import { leftOutSource, type SourceSpec, sourceIds } from "../cluster/sources.ts";
import type { MeshSpec } from "../spec.ts";

/**
 * Where a run looks for members. A configuration that looks at less sees fewer of them, and its gate would
 * open without the others.
 */
export interface View {
  /** The IDs of their sources, ascending. */
  readonly sources: readonly string[];
  /** Globs over cluster names, ascending; empty means all. */
  readonly allow: readonly string[];
}

/** The part of a configuration that decides the view. */
export type ViewSpec = SourceSpec & Pick<MeshSpec, "allow">;

export function viewOf(spec: ViewSpec): View {
  return { sources: ascending(sourceIds(spec)), allow: ascending(spec.allow) };
}

/** Covers all that either covers. */
export function widest(one: View, other: View | undefined): View {
  if (other === undefined) return one;
  const isAll = one.allow.length === 0 || other.allow.length === 0;
  return {
    sources: ascending([...one.sources, ...other.sources]),
    allow: isAll ? [] : ascending([...one.allow, ...other.allow]),
  };
}

/** Places that `recorded` covers and `view` does not, in words. */
export function missedBy(view: View, recorded: View): string[] {
  const sources = recorded.sources.filter((source) => !view.sources.includes(source));
  return [...sources.map(leftOutSource), ...namesMissedBy(view, recorded)];
}

function namesMissedBy({ allow }: View, recorded: View): string[] {
  if (allow.length === 0) return [];
  if (recorded.allow.length === 0) return ["clusters that MESHJOIN_ALLOW leaves out"];
  const globs = recorded.allow.filter((glob) => !allow.includes(glob));
  return globs.length === 0 ? [] : [`clusters that ${globs.join(", ")} allows`];
}

/** For an annotation. No source's ID and no glob holds a comma or a space. */
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

import { shortNames } from "../shared/core/cluster/short-names.ts";
import type { Place } from "../shared/core/cluster/sources.ts";
import type { Format } from "./format.ts";
import type { OutputStream } from "./host.ts";
import { type Paint, paintFor } from "./paint.ts";

/** How a result is shown to a person. */
export interface Screen {
  readonly paint: Paint;
  /** The characters of a line that a table may use. */
  readonly width: number;
  /** Every column, and IDs instead of short names. */
  readonly isWide: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const WIDTH_OF_TERMINALS = 80;

export function screenFor(stream: OutputStream, env: Environment, format: Format): Screen {
  const isWide = format === "wide";
  return {
    paint: paintFor(stream, env),
    isWide,
    width: isWide ? Number.POSITIVE_INFINITY : widthOf(stream, env),
  };
}

/** Of a terminal its width; of a pipe no limit, unless `COLUMNS` sets one: the reader may be a pager. */
function widthOf({ isTTY, columns = 0 }: OutputStream, env: Environment): number {
  const wanted = Number(env["COLUMNS"]);
  const set = Number.isInteger(wanted) && wanted > 0 ? wanted : undefined;
  if (isTTY !== true) return set ?? Number.POSITIVE_INFINITY;
  return columns > 0 ? columns : (set ?? WIDTH_OF_TERMINALS);
}

/** The name of a cluster in a table. */
export type Names = (clusterId: string) => string;

/** Short names where they are unique among these clusters; the ID of any other cluster. */
export function namesFor(
  { isWide }: Screen,
  clusters: readonly (Place & { readonly clusterId: string })[],
): Names {
  const short = isWide ? new Map<string, string>() : shortNames(clusters);
  return (clusterId) => short.get(clusterId) ?? clusterId;
}

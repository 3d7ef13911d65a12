import pLimit, { type LimitFunction } from "p-limit";
import type { MeshSpec } from "./core/spec.ts";
import { type Share, sharing } from "./istio/same-text.ts";
import type { ManifestTemplate } from "./istio/template.ts";
import { limitedFleet } from "./limits/limited-fleet.ts";
import type { Ports } from "./ports/ports.ts";
import type { Reporter } from "./progress.ts";

/** The context of a run, for all its parts. */
export interface Run<P extends Ports = Ports> {
  /** Their fleet keeps the limits of the run. */
  readonly ports: P;
  readonly spec: MeshSpec;
  /** The functions run it, so it writes nothing while a person has paused their writes. */
  readonly heedsPause: boolean;
  readonly template: ManifestTemplate;
  readonly progress: Reporter;
  /** Aborts at the run's deadline. */
  readonly signal: AbortSignal;
  /**
   * Limits the members or pairs that the run works on at the same time. Work with a place must neither ask
   * for another nor wait for an istiod.
   */
  readonly inTurn: LimitFunction;
  /** For texts from the clusters: n members name each other in n² objects. */
  readonly share: Share;
}

export type RunParts<P extends Ports = Ports> = Omit<Run<P>, "inTurn" | "share" | "heedsPause"> &
  Partial<Pick<Run, "heedsPause">>;

/** A look sends four requests to a member at once, so members never wait for each other's requests. */
const MEMBERS_AT_ONCE = 16;
const LIMITS = { requests: 4 * MEMBERS_AT_ONCE, portForwards: 16 };

/** A run with its limits. The caller closes its fleet. */
export function createRun<P extends Ports>({ ports, heedsPause = false, ...parts }: RunParts<P>): Run<P> {
  const fleet = limitedFleet(ports.fleet, LIMITS);
  return {
    ...parts,
    heedsPause,
    ports: { ...ports, fleet },
    inTurn: pLimit(MEMBERS_AT_ONCE),
    share: sharing(),
  };
}

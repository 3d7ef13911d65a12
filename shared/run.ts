import pLimit, { type LimitFunction } from "p-limit";
import type { MeshSpec } from "./core/spec.ts";
import { type Share, sharing } from "./istio/share.ts";
import type { ManifestTemplate } from "./istio/template.ts";
import { limitedFleet } from "./limits/limited-fleet.ts";
import type { Ports } from "./ports/ports.ts";
import type { Reporter } from "./progress.ts";

/** What every part of a run works with. */
export interface Run<P extends Ports = Ports> {
  /** Their fleet keeps the limits of the run, however much is asked of it at once. */
  readonly ports: P;
  readonly spec: MeshSpec;
  readonly template: ManifestTemplate;
  readonly progress: Reporter;
  /** Aborts at the run's deadline: nothing is waited for any longer. */
  readonly signal: AbortSignal;
  /**
   * Members, or pairs, that are worked on at the same time in all of the run. Whoever holds a place neither asks for another nor
   * waits for an istiod.
   */
  readonly inTurn: LimitFunction;
  /** Of the texts that were read; n members name each other in n² objects. */
  readonly share: Share;
}

/** What a run is made of. */
export type RunParts<P extends Ports = Ports> = Omit<Run<P>, "inTurn" | "share">;

/** A member is read by four requests at once, so no request of one in turn waits for another's. */
const MEMBERS_AT_ONCE = 16;
const LIMITS = { requests: 4 * MEMBERS_AT_ONCE, portForwards: 16 };

/** A run with its limits. Its fleet is closed by the caller. */
export function createRun<P extends Ports>({ ports, ...parts }: RunParts<P>): Run<P> {
  const fleet = limitedFleet(ports.fleet, LIMITS);
  return { ...parts, ports: { ...ports, fleet }, inTurn: pLimit(MEMBERS_AT_ONCE), share: sharing() };
}

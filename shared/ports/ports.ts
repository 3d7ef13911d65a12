import type { Clock } from "./clock.ts";
import type { ClusterSources } from "./cluster-sources.ts";
import type { Examiner } from "./examiner.ts";
import type { Fleet } from "./fleet.ts";
import type { RootAuthority } from "./root-authority.ts";
import type { RootKeeper } from "./root-keeper.ts";
import type { RootRegistry } from "./root-store.ts";

/**
 * What Meshjoin needs from outside, in its own words, a file for each port. Absence is a value (`undefined`); everything else
 * that goes wrong is a `MeshjoinError`, and whether it is retryable is the adapter's verdict.
 */
export interface Ports {
  readonly clock: Clock;
  readonly sources: ClusterSources;
  readonly roots: RootRegistry;
  readonly authority: RootAuthority;
  readonly fleet: Fleet;
  /** Where this process is the reconciler; elsewhere none. */
  readonly examiners: readonly Examiner[];
}

/** What the rotator and a person have beside them; whoever reconciles does not. */
export interface RotatorPorts extends Ports {
  readonly keeper: RootKeeper;
}

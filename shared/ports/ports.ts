import type { Clock } from "./clock.ts";
import type { ClusterOperations } from "./cluster-operations.ts";
import type { ClusterSources } from "./cluster-sources.ts";
import type { Examiner } from "./examiner.ts";
import type { Fleet } from "./fleet.ts";
import type { RootAuthority } from "./root-authority.ts";
import type { RootKeeper } from "./root-keeper.ts";
import type { RootRegistry } from "./root-store.ts";

/**
 * The interfaces to the outside, in Meshjoin's own words. Absence is a value (`undefined`). Any other failure
 * is a `MeshjoinError`; the adapter decides whether it is retryable.
 */
export interface Ports {
  readonly clock: Clock;
  readonly sources: ClusterSources;
  readonly operations: ClusterOperations;
  readonly roots: RootRegistry;
  readonly authority: RootAuthority;
  readonly fleet: Fleet;
  /** Set where this process is the reconciler; empty elsewhere. */
  readonly examiners: readonly Examiner[];
}

/** The ports of the rotator and of a person; the reconciler has no `keeper`. */
export interface RotatorPorts extends Ports {
  readonly keeper: RootKeeper;
}

import type { SandboxFleet } from "../../fleet/fleet.ts";
import type { Traffic } from "../../traffic/traffic.ts";

/** A change that the demo makes to the mesh while requests go through it. */
export interface Step {
  readonly name: string;
  /** Resolves when it is over, for every member; fails if it cannot be. */
  run(world: StepWorld): Promise<void>;
}

/** When the token of each ordered pair ends, by reader and target. */
export type TokenExpiries = ReadonlyMap<string, string>;

export interface StepWorld {
  readonly fleet: SandboxFleet;
  readonly traffic: Pick<Traffic, "sides">;
  /** As they were when the requests began. */
  readonly tokens: TokenExpiries;
  readonly say: (line: string) => void;
}

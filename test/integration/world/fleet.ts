import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect } from "@jest/globals";
import { type SandboxFleet, startFleet } from "../../../sandbox/fleet/fleet.ts";
import type { FleetMember } from "../../../sandbox/google/member.ts";
import { recordAsked } from "../../../scripts/check/permissions/evidence.ts";
import { DIST } from "../../../scripts/paths.ts";

/** The first start may have to compile the control planes. */
const START_MS = 30 * 60_000;
const STOP_MS = 120_000;
/** A busy machine is slow without being wrong. */
export const SCENARIO_MS = 240_000;
/** The resource label that makes a cluster of the sandbox a member. */
export const MESH_LABEL = { mesh_id: "sandbox" };

export interface FleetUse {
  /** How many members there are when the first scenario begins. */
  readonly members: number;
  /** `MESHJOIN_*` for the functions. */
  readonly env?: Readonly<Record<string, string>>;
  /** Over how many networks the members are spread. */
  readonly networks?: number;
  /** Whether sidecars are to run. */
  readonly traffic?: boolean;
  /** `false` leaves out the rule by which pods of one cluster reach those of another. */
  readonly firewall?: boolean;
  /** Whether each member is to run two istiods, as on GKE. */
  readonly autoscaler?: boolean;
}

/**
 * One fleet for all scenarios of a file, stopped after a failure too. It records by scenario what its
 * functions asked IAM for. IAM may have denied none of it but what a scenario withheld.
 */
export function useFleet(use: FleetUse): { readonly fleet: SandboxFleet } {
  const { members, env = {}, networks = 1, traffic = false, autoscaler = false, firewall = true } = use;
  let dir: string;
  let fleet: SandboxFleet | undefined;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "meshjoin-scenarios-"));
    // `npm test` has just built it, once for all fleets.
    const runs = { dir, bundle: DIST, join: true, env: { ...process.env, ...env } };
    fleet = await startFleet({
      ...runs,
      members,
      networks,
      traffic,
      autoscaler,
      firewall,
      progress: () => undefined,
    });
    await fleet.waitUntilDelivered();
  }, START_MS);
  beforeEach(() => fleet?.iam.enter(expect.getState().currentTestName ?? ""));
  afterAll(async () => {
    await fleet?.stop();
    await rm(dir, { recursive: true, force: true });
    const asked = (fleet?.iam.asked ?? []).filter(({ withheld }) => !withheld);
    await recordAsked(expect.getState().testPath ?? "", asked);
    expect(asked.filter(({ allowed }) => !allowed)).toEqual([]);
  }, STOP_MS);
  return {
    get fleet() {
      if (fleet === undefined) throw new Error("the fleet has not started; use it inside a scenario");
      return fleet;
    },
  };
}

/** The members of the mesh, in the order in which they were created. */
export function membersOf(fleet: SandboxFleet): readonly FleetMember[] {
  return fleet.file().members.filter(({ labels }) => labels["mesh_id"] === MESH_LABEL.mesh_id);
}

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { type SandboxFleet, startFleet } from "../../../sandbox/fleet.ts";
import type { FleetMember } from "../../../sandbox/fleet-file.ts";
import { eventually } from "./events.ts";

/** Binaries may have to be compiled first. */
export const FLEET_TIMEOUT_MS = 30 * 60_000;
/** A join takes seconds; a busy machine may take minutes. */
export const SCENARIO_TIMEOUT_MS = 5 * 60_000;

export interface ScenarioFleet {
  readonly fleet: SandboxFleet;
  member(name: string): FleetMember;
  /** Puts a fault on a member's API server, as contracts name it; `clearFaults` takes all of them back. */
  addFault(fault: object): Promise<void>;
  clearFaults(): Promise<void>;
  /** Replaces a cluster's labels through the GKE API. */
  setLabels(member: FleetMember, labels: Readonly<Record<string, string>>): Promise<void>;
  close(): Promise<void>;
}

/** A fleet without clusters; each scenario creates its own. */
export async function startScenarioFleet(env: Readonly<Record<string, string>> = {}): Promise<ScenarioFleet> {
  const dir = await mkdtemp(join(tmpdir(), "meshjoin-scenario-"));
  const fleet = await startFleet({
    members: 0,
    dir,
    join: true,
    progress: () => undefined,
    bundle: "dist",
    env: { ...process.env, ...env },
  });
  const faults = async (init: RequestInit) => {
    const response = await fetch(`${fleet.file().controlUrl}/faults`, init);
    if (!response.ok) throw new Error(`the fault was refused: ${await response.text()}`);
  };
  return {
    fleet,
    member(name) {
      const found = fleet.file().members.find((member) => member.name === name);
      if (found === undefined) throw new Error(`no cluster ${name} in the fleet; create it first`);
      return found;
    },
    addFault: (fault) => faults({ method: "POST", body: JSON.stringify(fault) }),
    clearFaults: () => faults({ method: "DELETE" }),
    async setLabels(member, resourceLabels) {
      const { containerEndpoint, accessTokenFile } = fleet.file();
      const token = await readFile(accessTokenFile, "utf8");
      const url = `${containerEndpoint}/v1/projects/${member.project}/locations/${member.location}/clusters/${member.name}`;
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const { labelFingerprint } = z
        .object({ labelFingerprint: z.string() })
        .parse(await (await fetch(url, { headers })).json());
      const body = JSON.stringify({ resourceLabels, labelFingerprint });
      const response = await fetch(`${url}:setResourceLabels`, { method: "POST", headers, body });
      if (!response.ok) throw new Error(`the labels were refused: ${await response.text()}`);
      await eventually("the new labels", () =>
        fleet
          .file()
          .members.find(
            ({ clusterId, labels }) =>
              clusterId === member.clusterId && JSON.stringify(labels) === JSON.stringify(resourceLabels),
          ),
      );
    },
    async close() {
      await fleet.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

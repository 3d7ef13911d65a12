import { beforeAll, describe, expect, it } from "@jest/globals";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { finishedEntry, push } from "./world/events.ts";
import { MESH_LABEL, membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { holdEvents, setLabels } from "./world/google.ts";
import { snapshot } from "./world/kubectl.ts";
import { eventually, expectPaired, expectWrittenOnce } from "./world/mesh.ts";
import { countWrites, killAtWrite } from "./world/writes.ts";

const world = useFleet({ members: 1 });

beforeAll(async () => {
  await holdEvents(world.fleet);
}, SCENARIO_MS);

/** A cluster that is about to join, as its event finds it. */
async function aNewcomer(name: string): Promise<FleetMember> {
  const cluster = await world.fleet.createCluster(name, { labels: {} });
  await setLabels(world.fleet, cluster, MESH_LABEL);
  return cluster;
}

/** The member leaves the mesh to the others; what it holds does not matter to them any more. */
async function retire(member: FleetMember): Promise<void> {
  await setLabels(world.fleet, member, {});
}

describe("05.1 the function dies", () => {
  let whole = 0;

  it(
    "never, and makes so many writes",
    async () => {
      const { fleet } = world;
      const newcomer = await aNewcomer("undisturbed");
      const before = await countWrites(fleet);
      expect(await push(fleet, finishedEntry(newcomer))).toBe(204);
      whole = (await countWrites(fleet)) - before;
      expect(whole).toBeGreaterThan(30);
      await retire(newcomer);
    },
    SCENARIO_MS,
  );

  it.each([
    ["the namespace", () => 1],
    ["the certificate", () => 2],
    ["some of the CRDs", () => 8],
    ["istiod", () => whole - 6],
    ["a reader Secret", () => whole - 5],
    ["the last remote secret", () => whole - 2],
  ])(
    "after it wrote %s, and the same event completes the join",
    async (_, after) => {
      const { fleet } = world;
      const newcomer = await aNewcomer(`newcomer-${after()}`);
      const entry = finishedEntry(newcomer);
      /** 0 while no instance listens. */
      const deliver = () => push(fleet, entry).catch(() => 0);
      const death = await killAtWrite(fleet, after(), deliver);
      expect(death.status).toBe(0);
      expect(death.writes).toBeGreaterThanOrEqual(after());
      expect(death.writes).toBeLessThan(whole);

      expect(await eventually(deliver, (status) => status === 204)).toBe(204);
      const members = membersOf(fleet);
      expect(members).toHaveLength(2);
      await expectPaired(members);
      await expectWrittenOnce(fleet, newcomer, "cacerts");
      const settled = await Promise.all(members.map((member) => snapshot(member)));
      expect(await push(fleet, entry)).toBe(204);
      expect(await Promise.all(members.map((member) => snapshot(member)))).toEqual(settled);
      await retire(newcomer);
    },
    SCENARIO_MS,
  );
});

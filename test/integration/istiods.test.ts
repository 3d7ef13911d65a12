import { describe, expect, it } from "@jest/globals";
import { ApiError } from "../../sandbox/cluster/api-client.ts";
import type { FleetMember } from "../../sandbox/fleet-file.ts";
import { unsyncedPairs } from "../../sandbox/sync-state.ts";
import { memberApi } from "../../sandbox/traffic/member-api.ts";
import { membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { kubectl } from "./world/kubectl.ts";
import { eventually } from "./world/mesh.ts";
import { status, sync } from "./world/sync-mesh.ts";

const world = useFleet({ members: 2, autoscaler: true });

const ISTIO = ["-n", "istio-system"] as const;

interface Istiods {
  readonly member: FleetMember;
  readonly peer: FleetMember;
  readonly first: FleetMember["istiods"][number];
  readonly second: FleetMember["istiods"][number];
}

/** Of the first member, once every member's two istiods serve and list every other member. */
async function settled(): Promise<Istiods> {
  const { fleet } = world;
  const rows = async () => (await status(fleet)).pairs.map((pair) => pair.status);
  const all = Array<string>(4).fill("synced");
  expect(await eventually(rows, (seen) => String(seen) === String(all))).toEqual(all);
  const [member, peer] = membersOf(fleet);
  const [first, second] = member?.istiods ?? [];
  if (member === undefined || peer === undefined || first === undefined || second === undefined) {
    throw new Error("there are no two istiods");
  }
  expect(await unsyncedPairs(membersOf(fleet))).toEqual([]);
  return { member, peer, first, second };
}

async function evict(member: FleetMember, name: string): Promise<number> {
  const namespace = "istio-system";
  try {
    await memberApi(member).create(`/api/v1/namespaces/${namespace}/pods/${name}/eviction`, {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name, namespace },
    });
    return 201;
  } catch (error) {
    if (error instanceof ApiError) return error.status;
    throw error;
  }
}

describe("70 with two istiods in each member, as Istio's autoscaler has it", () => {
  it(
    "a full run finds all as it should be, over one port-forward for each istiod",
    async () => {
      const { fleet } = world;
      await settled();
      const since = Date.now();
      expect(await sync(fleet)).toMatchObject({ status: 200, body: { outcome: "unchanged", findings: [] } });
      const { forPortForwards } = await fleet.clusterConnections(fleet.accounts.reconciler, since);
      expect(forPortForwards).toBe(4);
      expect(await sync(fleet, { deep: true })).toMatchObject({
        body: { outcome: "unchanged", findings: [] },
      });
    },
    SCENARIO_MS,
  );

  it(
    "the disruption budget lets one go at a time, and the one that comes reads the others by itself",
    async () => {
      const { fleet } = world;
      const { member, first, second } = await settled();
      const budget = () =>
        kubectl(member, ...ISTIO, "get", "pdb", "istiod", "-o", "jsonpath={.status.disruptionsAllowed}");
      expect(await eventually(budget, (allowed) => allowed === "1")).toBe("1");
      expect([await evict(member, first.pod), await evict(member, second.pod)]).toEqual([201, 429]);
      const pods = async () => membersOf(fleet)[0]?.istiods.map(({ pod }) => pod) ?? [];
      expect(await eventually(pods, (seen) => seen.length === 2 && !seen.includes(first.pod))).toContain(
        second.pod,
      );
      await settled();
    },
    SCENARIO_MS,
  );

  it(
    "one that dies comes back, and reads the others again",
    async () => {
      const { fleet } = world;
      const { second } = await settled();
      process.kill(second.pid, "SIGKILL");
      const pid = async () => membersOf(fleet)[0]?.istiods.find(({ pod }) => pod === second.pod)?.pid;
      expect(await eventually(pid, (seen) => seen !== undefined && seen !== second.pid)).not.toBe(second.pid);
      await settled();
      expect(await sync(fleet)).toMatchObject({ status: 200, body: { outcome: "unchanged" } });
    },
    SCENARIO_MS,
  );
});

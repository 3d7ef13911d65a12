import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../../shared/core/names.ts";
import type { DrainOrder } from "../../../shared/core/request.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { rawAddressesFromNow, readBy } from "./raw-addresses.ts";
import { realGatewaysOf, versionsOf, waitShortly } from "./world.ts";

const DMZ = { network: { project: "shop", name: "dmz" } };
const EAST = aCluster({ name: "east" });
const WEST = aCluster({ name: "west", ...DMZ });
/** It has no gateway of its own: others reach it through that of `west`. */
const SOUTH = aCluster({ name: "south", ...DMZ, labels: { mesh_id: "prod", mesh_gateway: "none" } });

const idOf = ({ ref }: Cluster) => clusterId(ref);

async function joined(...clusters: readonly Cluster[]): Promise<FakeMesh> {
  const mesh = await aMesh({ clusters, spec: { connectedNetworks: [["shop.default", "shop.dmz"]] } });
  await mesh.reconcile("mesh");
  await mesh.reconcile("mesh");
  return mesh;
}

async function say(mesh: FakeMesh, cluster: Cluster, state: DrainOrder["state"]) {
  const drain = { clusterId: idOf(cluster), state, by: "ann@example.com", reason: "" };
  return await mesh.reconcile("mesh", { drain, confirm: ["MassDrain"] });
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe("a drained member of another network", () => {
  it("keeps its gateway, reads its peers, and comes back through it", async () => {
    const mesh = await joined(EAST, WEST);
    await say(mesh, WEST, "drained");
    expect([readBy(mesh, EAST), readBy(mesh, WEST)]).toEqual([[], [idOf(EAST)]]);
    await mesh.reconcile("mesh");
    expect(realGatewaysOf(mesh, WEST)).toHaveLength(1);
    const before = versionsOf(mesh);
    expect((await mesh.reconcile("mesh", { deep: true })).summary.outcome).toBe("unchanged");
    expect(versionsOf(mesh)).toEqual(before);
    await say(mesh, WEST, "serving");
    expect(readBy(mesh, EAST)).toEqual([idOf(WEST)]);
  });

  it.each([["answers"], ["is silent"]])(
    "takes along what is read through its gateway alone, before any proxy gets a raw address: it %s",
    async (how) => {
      waitShortly();
      const mesh = await joined(EAST, SOUTH, WEST);
      expect(readBy(mesh, EAST).toSorted()).toEqual([idOf(SOUTH), idOf(WEST)].toSorted());
      mesh.fleet.server(WEST).faults.unreachable = how === "is silent";
      const raw = rawAddressesFromNow(mesh);
      const { summary } = await say(mesh, WEST, "drained");
      expect(readBy(mesh, EAST)).toEqual([]);
      expect(summary.findings.map(({ reason }) => reason)).toContain("GatewayLost");
      await mesh.reconcile("mesh");
      mesh.fleet.server(WEST).faults.unreachable = false;
      await say(mesh, WEST, "serving");
      await mesh.reconcile("mesh");
      await mesh.reconcile("mesh");
      expect(readBy(mesh, EAST).toSorted()).toEqual([idOf(SOUTH), idOf(WEST)].toSorted());
      raw.stop();
      expect([...raw.seen]).toEqual([]);
    },
  );
});

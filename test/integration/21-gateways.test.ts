import { describe, expect, it } from "@jest/globals";
import { startTraffic } from "../../sandbox/traffic/traffic.ts";
import { SCENARIO_MS, useFleet } from "./world/fleet.ts";

const world = useFleet({
  members: 2,
  networks: 2,
  traffic: true,
  env: { MESHJOIN_CONNECTED_NETWORKS: "meshjoin-sandbox.default+meshjoin-sandbox.network-2" },
});

describe("requests between two networks", () => {
  it(
    "21.1 pass through a gateway",
    async () => {
      const traffic = await startTraffic(world.fleet);
      expect(await traffic.request()).toMatchObject({ status: 200 });
      await traffic.stop();
    },
    SCENARIO_MS,
  );
});

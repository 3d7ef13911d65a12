import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { measureSimulated } from "../../bench/simulate/measure.ts";
import { MEMORY_LIMIT, type SimulatedWorld, startSimulatedWorld } from "../../bench/simulate/world.ts";
import { MANIFEST_TEMPLATE } from "../support/fixtures/manifest-template.ts";

const TIMEOUT_MS = 180_000;

/**
 * What the bench simulates, as small as it is a mesh; with a manifest of a few objects instead of Istio's.
 */
describe("a simulated mesh of three members", () => {
  let dir: string;
  let manifest: URL;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "meshjoin-simulation-"));
    const { release, tag, hub, digest, objects } = MANIFEST_TEMPLATE;
    const file = join(dir, "manifest.json");
    await writeFile(file, JSON.stringify({ pin: { release, tag, hub }, digest, objects }));
    manifest = pathToFileURL(file);
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  const quiet = () => undefined;

  it(
    "takes a fourth while one is silent, rotates all intermediates, and trusts another root",
    async () => {
      const simulated = await measureSimulated({ members: 3, manifest, progress: quiet });
      const times = ["fullRunMs", "churnRunMs", "joinMs", "rotationMs", "stageMs"] as const;
      for (const time of times) expect(simulated[time]).toBeGreaterThan(0);
      expect(simulated.requestsPerMember).toBe(6);
      expect(simulated.portForwardsPerMember).toBe(1);
      expect(simulated.connectionsMost).toBeGreaterThanOrEqual(4);
      expect(simulated.rssMiB).toBeLessThan(MEMORY_LIMIT);
    },
    TIMEOUT_MS,
  );

  describe("tells", () => {
    let world: SimulatedWorld;
    beforeAll(async () => {
      world = await startSimulatedWorld({ members: 3, manifest, progress: quiet });
    }, TIMEOUT_MS);
    afterAll(() => world.stop());
    const fullRun = () => world.measured.call("fullRun", undefined);

    it("a mesh that is whole from one whose tokens are due", async () => {
      expect(await fullRun()).toMatchObject({ outcome: "unchanged", findings: {} });
      await world.members.call("age", { clusterIds: [...world.clusterIds] });
      expect(await fullRun()).toMatchObject({ outcome: "updated" });
      expect(await fullRun()).toMatchObject({ outcome: "unchanged", findings: {} });
    });

    it(
      "a member that says nothing from one that answers",
      async () => {
        await world.members.call("silence", { clusterIds: world.clusterIds.slice(0, 1) });
        expect(await fullRun()).toMatchObject({
          outcome: "waiting",
          findings: { ApiServerUnreachable: expect.any(Number) },
        });
        await world.members.call("speak", undefined);
        expect(await fullRun()).toMatchObject({ outcome: "unchanged", findings: {} });
      },
      TIMEOUT_MS,
    );
  });
});

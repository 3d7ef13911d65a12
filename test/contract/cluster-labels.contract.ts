import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { ClusterLabels } from "../../shared/ports/cluster-labels.ts";
import type { ClusterSeed, DirectoryWorld } from "./cluster-directory.contract.ts";

/** A world with clusters in it whose labels can be changed. */
export interface LabelsWorld extends DirectoryWorld {
  readonly labels: ClusterLabels;
}

const seed: ClusterSeed = {
  ref: { project: "shop", location: "europe-west1-b", name: "one" },
  labels: { team: "a", cost: "7" },
  network: { project: "host", name: "vpc" },
  vpcNative: true,
  podRanges: { cidrs: ["10.4.0.0/17"], namesOnly: [] },
  serviceRange: "34.118.224.0/20",
  autopilot: false,
  allowNetAdmin: false,
  privateNodes: false,
  addsNodes: false,
};
const { ref } = seed;
const JOIN = { key: "mesh_id", value: "prod" };
const LEAVE = { key: "mesh_id", value: undefined };

export function describeClusterLabels(name: string, start: () => Promise<LabelsWorld>): void {
  describe(`${name} as ClusterLabels`, () => {
    let world: LabelsWorld;
    beforeEach(async () => {
      world = await start();
    });
    afterEach(() => world.close());

    const labels = async () => (await world.directory.get(ref))?.labels;

    it("sets a label, changes it and takes it off, and leaves all others as they are", async () => {
      await world.create(seed);
      expect(await world.labels.set(ref, JOIN)).toBe(true);
      expect(await labels()).toEqual({ ...seed.labels, mesh_id: "prod" });
      expect(await world.labels.set(ref, { key: "mesh_id", value: "test" })).toBe(true);
      expect(await labels()).toEqual({ ...seed.labels, mesh_id: "test" });
      expect(await world.labels.set(ref, LEAVE)).toBe(true);
      expect(await labels()).toEqual(seed.labels);
    });

    it("says when there is nothing to do", async () => {
      await world.create({ ...seed, labels: { mesh_id: "prod" } });
      expect(await world.labels.set(ref, JOIN)).toBe(false);
      expect(await world.labels.set(ref, { key: "team", value: undefined })).toBe(false);
      expect(await labels()).toEqual({ mesh_id: "prod" });
    });

    it("changes a label that has the value that may be changed, and none that has another by then", async () => {
      await world.create({ ...seed, labels: { team: "a", mesh_id: "test" } });
      for (const change of [JOIN, LEAVE]) {
        await expect(world.labels.set(ref, { ...change, only: "prod" })).rejects.toMatchObject({
          name: "RefusedError",
          code: "LabelTaken",
          message: expect.stringContaining("test"),
        });
      }
      expect(await labels()).toEqual({ team: "a", mesh_id: "test" });
      expect(await world.labels.set(ref, { ...JOIN, only: "test" })).toBe(true);
      expect(await world.labels.set(ref, { ...LEAVE, only: "prod" })).toBe(true);
      expect(await labels()).toEqual({ team: "a" });
      expect(await world.labels.set(ref, { ...JOIN, only: "prod" })).toBe(true);
    });

    it("loses no label that somebody else sets at the same time", async () => {
      await world.create(seed);
      const others = ["x", "y"].map((key) => ({ key, value: "1" }));
      await Promise.all([JOIN, ...others].map((change) => world.labels.set(ref, change)));
      expect(await labels()).toEqual({ ...seed.labels, mesh_id: "prod", x: "1", y: "1" });
    });

    it("gives up, for now, on a cluster that GKE is busy with", async () => {
      await world.create(seed);
      await world.beginDelete(ref);
      await expect(world.labels.set(ref, JOIN)).rejects.toMatchObject({
        name: "ConflictError",
        code: "ClusterBusy",
        retryable: true,
      });
      expect(await labels()).toEqual(seed.labels);
    });

    it("fails for good on a cluster that does not exist", async () => {
      await expect(world.labels.set(ref, JOIN)).rejects.toMatchObject({
        name: "RefusedError",
        code: "NotFound",
        message: expect.stringContaining("clusters/one"),
      });
    });

    it("names the permission that is missing", async () => {
      await expect(world.labels.set({ ...ref, project: "stranger" }, JOIN)).rejects.toMatchObject({
        name: "RefusedError",
        code: "PermissionDenied",
        message: expect.stringContaining("container.clusters.get"),
      });
    });

    it("fails retryably, and at once, when it is cancelled", async () => {
      await world.create(seed);
      await expect(world.labels.set(ref, JOIN, AbortSignal.abort())).rejects.toMatchObject({
        name: "UnavailableError",
        code: "Cancelled",
      });
    });
  });
}

import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { Cluster, ClusterRef } from "../../shared/core/cluster/cluster.ts";
import type { ClusterDirectory } from "../../shared/ports/cluster-directory.ts";
import type { ClusterOperations } from "../../shared/ports/cluster-operations.ts";

/** One world with GKE clusters in it, made by the fake or by a stand-in of the API. */
export interface DirectoryWorld {
  /** Knows the projects `shop` and nothing else. */
  readonly directory: ClusterDirectory;
  readonly operations: ClusterOperations;
  /** Makes a running cluster of these facts; answers it as the directory should. */
  create(seed: ClusterSeed): Promise<Cluster>;
  /** Begins a deletion that does not end. */
  beginDelete(ref: ClusterRef): Promise<void>;
  missing(locations: readonly [string, ...string[]]): void;
  /** The next request is answered with 429. */
  overloadOnce(): void;
  close(): Promise<void>;
}

export type ClusterSeed = Pick<
  Cluster,
  | "ref"
  | "labels"
  | "network"
  | "vpcNative"
  | "podRanges"
  | "serviceRange"
  | "autopilot"
  | "allowNetAdmin"
  | "privateNodes"
  | "addsNodes"
>;

const seed: ClusterSeed = {
  ref: { project: "shop", location: "europe-west1-b", name: "one" },
  labels: { mesh_id: "prod", team: "a" },
  network: { project: "host", name: "vpc" },
  vpcNative: true,
  podRanges: { cidrs: ["10.4.0.0/17", "10.64.0.0/20"], namesOnly: ["spare-pods"] },
  serviceRange: "10.80.0.0/20",
  autopilot: false,
  allowNetAdmin: false,
  privateNodes: true,
  addsNodes: false,
};
const regional: ClusterSeed = {
  ref: { project: "shop", location: "us-east1", name: "two" },
  labels: {},
  network: { project: "shop", name: "default" },
  vpcNative: false,
  podRanges: { cidrs: ["10.8.0.0/14"], namesOnly: [] },
  serviceRange: "34.118.224.0/20",
  autopilot: true,
  allowNetAdmin: true,
  privateNodes: false,
  addsNodes: true,
};

export function describeClusterDirectory(name: string, start: () => Promise<DirectoryWorld>): void {
  describe(`${name} as a ClusterDirectory`, () => {
    let world: DirectoryWorld;
    beforeEach(async () => {
      world = await start();
    });
    afterEach(() => world.close());

    it("answers every fact of a cluster", async () => {
      const created = await world.create(seed);
      expect(created).toMatchObject({ ...seed, status: "RUNNING" });
      expect(await world.directory.get(seed.ref)).toEqual(created);
    });

    it("answers undefined for a cluster that does not exist", async () => {
      expect(await world.directory.get(seed.ref)).toBeUndefined();
    });

    it("lists zonal and regional clusters of a project at once", async () => {
      const created = [await world.create(seed), await world.create(regional)];
      const { clusters, missingLocations } = await world.directory.list("shop");
      expect(clusters.toSorted(byName)).toEqual(created);
      expect(missingLocations).toEqual([]);
    });

    it("lists nothing where nothing is", async () => {
      expect(await world.directory.list("shop")).toEqual({ clusters: [], missingLocations: [] });
    });

    it("says which locations did not answer", async () => {
      const created = await world.create(regional);
      await world.create(seed);
      world.missing(["europe-west1-b"]);
      expect(await world.directory.list("shop")).toEqual({
        clusters: [created],
        missingLocations: ["europe-west1-b"],
      });
    });

    it("shows a cluster that is being deleted", async () => {
      await world.create(seed);
      await world.beginDelete(seed.ref);
      expect(await world.directory.get(seed.ref)).toMatchObject({ status: "STOPPING" });
      expect((await world.directory.list("shop")).clusters).toMatchObject([{ status: "STOPPING" }]);
    });

    it.each([
      ["list", (directory: ClusterDirectory) => directory.list("stranger"), "container.clusters.list"],
      [
        "get",
        (directory: ClusterDirectory) => directory.get({ ...seed.ref, project: "stranger" }),
        "container.clusters.get",
      ],
    ])("names the permission that a %s lacks", async (_, call, permission) => {
      await expect(call(world.directory)).rejects.toMatchObject({
        name: "RefusedError",
        code: "PermissionDenied",
        retryable: false,
        message: expect.stringContaining(`permission ${permission} is missing on project stranger`),
      });
    });

    it("tells of the operations on a cluster that are not over, and of those on no other", async () => {
      const other = { ...seed, ref: { ...seed.ref, name: "one-more" } };
      const far = { ...seed, ref: { ...seed.ref, location: "europe-west1-c" } };
      for (const each of [seed, other, far]) await world.create(each);
      expect(await world.operations.running(seed.ref)).toEqual([]);
      await world.beginDelete(other.ref);
      await world.beginDelete(far.ref);
      expect(await world.operations.running(seed.ref)).toEqual([]);
      await world.beginDelete(seed.ref);
      expect(await world.operations.running(seed.ref)).toEqual(["DELETE_CLUSTER"]);
    });

    it("fails retryably where it does not tell of all operations", async () => {
      await world.create(seed);
      world.missing(["europe-west1-b"]);
      await expect(world.operations.running(seed.ref)).rejects.toMatchObject({
        name: "UnavailableError",
        retryable: true,
        message: expect.stringContaining("europe-west1-b did not answer"),
      });
    });

    it("names the permission without which it tells of no operation", async () => {
      const stranger = { ...seed.ref, project: "stranger" };
      await expect(world.operations.running(stranger)).rejects.toMatchObject({
        name: "RefusedError",
        code: "PermissionDenied",
        message: expect.stringContaining(
          "permission container.operations.list is missing on project stranger",
        ),
      });
    });

    it("fails retryably when the API is overloaded", async () => {
      world.overloadOnce();
      await expect(world.directory.list("shop")).rejects.toMatchObject({
        name: "UnavailableError",
        code: "ResourceExhausted",
        retryable: true,
      });
    });

    it("fails retryably, and at once, when it is cancelled", async () => {
      await expect(world.directory.list("shop", AbortSignal.abort())).rejects.toMatchObject({
        name: "UnavailableError",
        code: "Cancelled",
      });
    });
  });
}

function byName(a: Cluster, b: Cluster): number {
  return a.ref.name < b.ref.name ? -1 : 1;
}

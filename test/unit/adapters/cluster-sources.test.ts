import { describe, expect, it } from "@jest/globals";
import { gkeSources } from "../../../shared/adapters/cluster-sources.ts";
import { isConfigured, sourceIds } from "../../../shared/core/cluster/sources.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aSpec } from "../../support/builders/spec.ts";
import { fakeClusterDirectory } from "../../support/fakes/cluster-directory.ts";

const SPEC = aSpec({ projects: ["shop", "zoo"] });
const SHOP = aCluster({ name: "east" });
const ZONAL = aCluster({ name: "west", location: "us-east1-b" });
const ELSEWHERE = aCluster({ name: "far", project: "elsewhere" });

function world() {
  const directory = fakeClusterDirectory({
    projects: ["shop", "zoo", "elsewhere"],
    clusters: [SHOP, ZONAL, ELSEWHERE],
  });
  return { directory, sources: gkeSources(directory) };
}

describe("the sources of a configuration", () => {
  it("are those that the core says it names", () => {
    expect(
      world()
        .sources.configured(SPEC)
        .map(({ id }) => id),
    ).toEqual(sourceIds(SPEC));
  });

  it.each([
    ["of one of them", SHOP, true],
    ["of none", ELSEWHERE, false],
  ])("hold that of a cluster %s exactly if the core calls it configured", (_, { ref }, expected) => {
    const { sources } = world();
    expect(sources.configured(SPEC).some(({ id }) => id === sources.of(ref).id)).toBe(expected);
    expect(isConfigured(ref, SPEC)).toBe(expected);
  });
});

describe("the source of a cluster", () => {
  it.each([SHOP, ELSEWHERE])("has it, whether or not it is configured", async (cluster) => {
    const source = world().sources.of(cluster.ref);
    expect(await source.get(cluster.ref)).toEqual(cluster);
  });

  it("says of which names its list tells nothing", async () => {
    const { directory, sources } = world();
    directory.missing(["us-east1-b"]);
    const listing = await sources.of(SHOP.ref).list();
    expect(listing).toMatchObject({ clusters: [SHOP], silent: ["us-east1-b"] });
    expect([ZONAL, SHOP].map(({ ref }) => listing.leavesOut(ref))).toEqual([true, false]);
  });
});

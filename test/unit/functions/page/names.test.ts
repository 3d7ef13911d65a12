import { describe, expect, it } from "@jest/globals";
import { clipped } from "../../../../functions/sync-mesh/page/facts/names.ts";
import type { MemberStatus } from "../../../../shared/core/answers/status.ts";
import type { ClusterRef } from "../../../../shared/core/cluster/cluster.ts";
import { shortNames } from "../../../../shared/core/cluster/short-names.ts";
import { clusterId } from "../../../../shared/core/names.ts";
import { aMemberStatus } from "../../../support/builders/status.ts";

function members(...refs: ClusterRef[]): MemberStatus[] {
  return refs.map((ref) => aMemberStatus({ ...ref, clusterId: clusterId(ref) }));
}

const EAST = { project: "shop", location: "europe-west1", name: "east" };

describe("a short name", () => {
  it.each<[string, ClusterRef[], string[]]>([
    ["the cluster's", [EAST, { ...EAST, name: "west" }], ["east", "west"]],
    [
      "with its location where two are called the same",
      [EAST, { ...EAST, location: "us-east1" }, { ...EAST, name: "west" }],
      ["europe-west1/east", "us-east1/east", "west"],
    ],
    [
      "with its project where that is not enough",
      [EAST, { ...EAST, project: "data" }],
      ["shop/europe-west1/east", "data/europe-west1/east"],
    ],
  ])("is %s", (_, refs, expected) => {
    const all = members(...refs);
    const names = shortNames(all);
    expect(all.map((member) => names.get(member.clusterId))).toEqual(expected);
  });

  it("is the cluster ID of two that are one and the same", () => {
    expect([...shortNames(members(EAST, EAST))]).toEqual([[clusterId(EAST), clusterId(EAST)]]);
  });
});

it.each([
  ["catalog", 7, "catalog"],
  ["catalog", 6, "catal…"],
  ["👩👩👩", 2, "👩…"],
])("%s, clipped to %d characters, is %s", (text, length, expected) => {
  expect(clipped(text, length)).toBe(expected);
});

import { describe, expect, it } from "@jest/globals";
import { isLeftOut, type NonMemberReason, nonMemberReason } from "../../../shared/core/cluster/membership.ts";
import type { MeshSpec } from "../../../shared/core/spec.ts";
import { aCluster, type ClusterSeed } from "../../support/builders/cluster.ts";
import { aSpec } from "../../support/builders/spec.ts";

describe("a cluster", () => {
  it.each<[string, ClusterSeed, Partial<MeshSpec>]>([
    ["is running", {}, {}],
    ["is being repaired or upgraded", { status: "RECONCILING" }, {}],
    ["is degraded", { status: "DEGRADED" }, {}],
    ["is on the allow-list", { name: "shop-east" }, { allow: ["other", "shop-*"] }],
    ["carries another label that was configured", { labels: { fleet: "prod" } }, { meshLabel: "fleet" }],
    ["is in another configured project", { project: "depot" }, { projects: ["shop", "depot"] }],
  ])("is a member when it %s", (_, seed, spec) => {
    expect(nonMemberReason(aCluster(seed), aSpec(spec))).toBeUndefined();
  });

  it.each<[NonMemberReason, string, ClusterSeed, Partial<MeshSpec>]>([
    ["ProjectNotConfigured", "its project is not configured", { project: "depot" }, {}],
    ["NotLabelled", "it has no label", { labels: {} }, {}],
    ["NotLabelled", "it has the default label, and another is configured", {}, { meshLabel: "fleet" }],
    ["OtherMesh", "it is labelled for another mesh", { labels: { mesh_id: "staging" } }, {}],
    ["NotAllowed", "it is not on the allow-list", { name: "east" }, { allow: ["west", "shop-*"] }],
    ["Provisioning", "it is being created", { status: "PROVISIONING" }, {}],
    ["Stopping", "it is being deleted", { status: "STOPPING" }, {}],
    ["Failed", "it failed", { status: "ERROR" }, {}],
    ["StatusUnknown", "its status is unknown", { status: "STATUS_UNSPECIFIED" }, {}],
    ["NotLabelled", "it is being created but is none of ours", { labels: {}, status: "PROVISIONING" }, {}],
  ])("is no member (%s) when %s", (reason, _, seed, spec) => {
    expect(nonMemberReason(aCluster(seed), aSpec(spec))).toBe(reason);
  });
});

describe("a glob of the allow-list", () => {
  it.each([
    ["east", "east", true],
    ["east-1", "east", false],
    ["the-east", "east", false],
    ["east-1", "east-*", true],
    ["east-", "east-*", true],
    ["shop-east-1", "*east*", true],
    ["east-1", "east-?", true],
    ["east-12", "east-?", false],
    ["east", "*", true],
    ["exst", "e.st", false],
    ["e.st", "e.st", true],
    ["a+b", "a+b", true],
    ["(x)", "(x)", true],
    ["x", "[x]", false],
    ["a\\b", "a\\b", true],
  ])("%j against %j: %s", (name, glob, expected) => {
    const reason = nonMemberReason(aCluster({ name }), aSpec({ allow: [glob] }));
    expect(reason).toBe(expected ? undefined : "NotAllowed");
  });
});

describe("isLeftOut", () => {
  it.each([
    [true, "a zone that is named", "us-east1-b", ["us-east1-b"]],
    [true, "a region of which a zone is named", "us-east1", ["us-east1-c"]],
    [true, "a zone of a region that is named", "us-east1-b", ["us-east1"]],
    [false, "another zone of the same region", "us-east1-b", ["us-east1-c"]],
    [false, "a region with a longer number", "us-east1", ["us-east10-a"]],
    [false, "any location where none is named", "us-east1", []],
  ])("is %s of %s", (leftOut, _, location, missing) => {
    expect(isLeftOut(location, missing)).toBe(leftOut);
  });
});

import { describe, expect, it } from "@jest/globals";
import { parse } from "yaml";
import { asksForHostAddress, forVanillaEnvoy } from "../../../../sandbox/cluster/traffic-support.ts";

describe("forVanillaEnvoy", () => {
  it("replaces what such an Envoy lacks, and nothing else", () => {
    const mesh =
      "trustDomain: cluster.local\nenablePrometheusMerge: true\ndefaultProviders:\n  metrics: [prometheus]\n";
    expect(parse(forVanillaEnvoy(mesh))).toEqual({
      trustDomain: "cluster.local",
      accessLogFile: "/dev/stdout",
      defaultProviders: {},
      enablePrometheusMerge: false,
    });
  });

  it("makes a mesh configuration of an empty one", () => {
    expect(parse(forVanillaEnvoy(""))).toMatchObject({ defaultProviders: {} });
  });
});

describe("asksForHostAddress", () => {
  it.each([
    [{ "sandbox.meshjoin.dev/host-address": "true" }, true],
    [{ "sandbox.meshjoin.dev/host-address": "false" }, false],
    [{}, false],
  ])("of annotations %j: %s", (annotations, asked) => {
    expect(asksForHostAddress({ metadata: { annotations } })).toBe(asked);
  });
});

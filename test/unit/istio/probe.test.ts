import { describe, expect, it } from "@jest/globals";
import { stringify } from "yaml";
import { resourceOf } from "../../../shared/core/kubernetes-requests.ts";
import { ownerOf } from "../../../shared/istio/ownership.ts";
import { probeNamespace, probeObjects } from "../../../shared/istio/probe/objects.ts";
import { expectGolden } from "../../support/golden.ts";

const SETTINGS = { meshId: "prod", clusterId: "cn-a", targets: ["cn-a", "cn-b"], istio: "1.27.3" };
const UNTIL = new Date("2026-03-01T12:15:00Z");

function all(settings: Parameters<typeof probeObjects>[0]) {
  return [probeNamespace(settings), ...probeObjects(settings)];
}

describe("the objects of a member's probe", () => {
  it("are these", () => {
    const text = all({ ...SETTINGS, until: UNTIL })
      .map((object) => stringify(object, { lineWidth: 0 }))
      .join("---\n");
    expectGolden("test/support/fixtures/istio/probe.yaml", text);
  });

  it("are Meshjoin's, of kinds that it knows, and in one namespace", () => {
    for (const object of all(SETTINGS)) {
      expect(ownerOf(object.metadata, "prod")).toBe("ours");
      expect(resourceOf(object.kind).apiVersion).toBe(object.apiVersion);
    }
    const places = probeObjects(SETTINGS).map(({ metadata }) => metadata.namespace);
    expect(new Set(places)).toEqual(new Set(["meshjoin-probe"]));
  });

  it("say until when they are wanted, where that is for a time alone", () => {
    const untils = (settings: Parameters<typeof all>[0]) =>
      new Set(all(settings).map(({ metadata }) => metadata.annotations?.["meshjoin.dev/probe-until"]));
    expect(untils({ ...SETTINGS, until: UNTIL })).toEqual(new Set(["2026-03-01T12:15:00.000Z"]));
    expect(untils(SETTINGS)).toEqual(new Set([undefined]));
  });
});

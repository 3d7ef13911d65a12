import { describe, expect, it } from "@jest/globals";
import { type DeploymentObject, imageTag, isRolledOut, serves } from "../../../shared/istio/workload.ts";

function aDeployment(status: DeploymentObject["status"], generation = 2): DeploymentObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "istiod", generation },
    ...(status === undefined ? {} : { status }),
  };
}

const WHOLE = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };

describe("an istiod Deployment", () => {
  it.each<[string, DeploymentObject["status"], boolean, boolean]>([
    ["with all its pods", WHOLE, true, true],
    ["with one of its pods available", { ...WHOLE, availableReplicas: 1 }, true, true],
    ["with no pod available", { ...WHOLE, availableReplicas: 0 }, false, false],
    ["whose change was not seen yet", { ...WHOLE, observedGeneration: 1 }, true, false],
    ["with a pod of the old template left", { ...WHOLE, replicas: 3 }, true, false],
    ["with old pods only", { ...WHOLE, updatedReplicas: 0 }, true, false],
    ["without any status", undefined, false, false],
  ])("%s", (_, status, serving, rolledOut) => {
    expect(serves(aDeployment(status))).toBe(serving);
    expect(isRolledOut(aDeployment(status))).toBe(rolledOut);
  });

  it.each([
    ["registry.example/release/pilot:1.31.4", "1.31.4"],
    ["registry.example:5000/pilot:1.31.4-distroless@sha256:00", "1.31.4-distroless"],
    ["registry.example:5000/pilot", ""],
    ["registry.example/pilot@sha256:00", ""],
  ])("of image %s has tag %p", (image, tag) => {
    const deployment = { ...aDeployment(WHOLE), spec: { template: { spec: { containers: [{ image }] } } } };
    expect(imageTag(deployment)).toBe(tag);
  });
});

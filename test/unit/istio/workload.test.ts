import { describe, expect, it } from "@jest/globals";
import {
  type DeploymentObject,
  imageTag,
  isRolledOut,
  type PodObject,
  serves,
  unpulledImage,
} from "../../../shared/istio/workload.ts";

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

describe("an image that a node cannot get", () => {
  const image = "docker.io/istio/pilot:1.31.4";
  const waitingFor = (reason: string, message?: string) => ({
    image,
    state: { waiting: { reason, ...(message === undefined ? {} : { message }) } },
  });
  const aPod = (status: PodObject["status"], metadata = {}): PodObject => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "istiod-1", ...metadata },
    spec: { nodeName: "node-7" },
    status: status ?? {},
  });

  it.each([
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "ImageInspectError",
    "InvalidImageName",
    "RegistryUnavailable",
  ])("is told of with the node and its words: %s", (reason) => {
    const pod = aPod({ containerStatuses: [waitingFor(reason, `${image}: not found`)] });
    expect(unpulledImage([aPod({}), pod])).toEqual({
      image,
      pod: "istiod-1",
      node: "node-7",
      said: `${reason}: ${image}: not found`,
    });
  });

  it("may be an init container's, and the node may give no words", () => {
    expect(unpulledImage([aPod({ initContainerStatuses: [waitingFor("ErrImagePull")] })])?.said).toBe(
      "ErrImagePull",
    );
  });

  it.each([
    ["a container that is being made", aPod({ containerStatuses: [waitingFor("ContainerCreating")] })],
    ["one that crashes", aPod({ containerStatuses: [waitingFor("CrashLoopBackOff")] })],
    [
      "a pod that is going",
      aPod(
        { containerStatuses: [waitingFor("ErrImagePull")] },
        { deletionTimestamp: "2026-01-01T00:00:00Z" },
      ),
    ],
  ])("is not seen in %s", (_, pod) => expect(unpulledImage([pod])).toBeUndefined());
});

import { describe, expect, it } from "@jest/globals";
import {
  type DeploymentObject,
  imageTag,
  isRolledOut,
  istiodAway,
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

describe("an istiod that is away", () => {
  const T0 = "2026-03-01T12:00:00Z";
  const T9 = "2026-03-01T13:00:00Z";
  const isAt = (time: string) => new Date(time);
  const pod = (ready: string): PodObject => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "istiod-1" },
    status: { conditions: [{ type: "Ready", status: ready }] },
  });
  const scaledBy = (manager: string, time: string, fields: object = {}) => ({
    manager,
    time,
    fieldsV1: { "f:spec": { "f:replicas": {}, ...fields } },
  });
  const condition = (status: string) => [{ type: "Available", status, lastTransitionTime: T9 }];
  const deployment = (
    replicas: number | undefined,
    available: string | undefined,
    managedFields: ReturnType<typeof scaledBy>[] = [],
    creationTimestamp = T0,
  ): DeploymentObject => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "istiod", creationTimestamp, managedFields },
    spec: replicas === undefined ? {} : { replicas },
    status: available === undefined ? {} : { conditions: condition(available) },
  });
  const exact = { earliest: isAt(T9), latest: isAt(T9), changedAt: isAt(T9) };

  it.each<readonly [string, DeploymentObject, PodObject[], ReturnType<typeof istiodAway>]>([
    ["a pod is ready", deployment(1, "False"), [pod("False"), pod("True")], undefined],
    ["the one pod is not ready", deployment(1, "False"), [pod("False")], exact],
    ["the number of pods is the default", deployment(undefined, "False"), [], exact],
    ["one of three began it", deployment(3, "False"), [], { earliest: isAt(T9), changedAt: isAt(T9) }],
    ["it never was available", deployment(1, "False", [], T9), [], { latest: isAt(T9), changedAt: isAt(T9) }],
    [
      "it was scaled up then, so its pods may have been away before",
      deployment(2, "False", [scaledBy("kubectl", "2026-03-01T12:59:59Z")]),
      [],
      { changedAt: isAt(T9) },
    ],
    ["it was scaled up long before", deployment(1, "False", [scaledBy("kubectl", T0)]), [], exact],
    ["it is scaled to 0", deployment(0, "True", [scaledBy("kubectl", T9)]), [], exact],
    [
      "it is scaled to 0 by a manager that writes more",
      deployment(0, "True", [scaledBy("helm", T9, { "f:selector": {} })]),
      [],
      { latest: isAt(T9), changedAt: isAt(T9) },
    ],
    ["it is scaled to 0, and nothing tells when", deployment(0, "True"), [], {}],
    ["its pods are gone, and its controller has not said so", deployment(1, "True"), [], {}],
    ["nothing is known", deployment(1, undefined), [], {}],
  ])("%s", (_, object, pods, is) => {
    expect(istiodAway(object, pods)).toEqual(is);
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

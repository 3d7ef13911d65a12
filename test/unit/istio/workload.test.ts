import { describe, expect, it } from "@jest/globals";
import {
  type DeploymentObject,
  ISTIOD_LOCK,
  imageTag,
  isRolledOut,
  istiodAway,
  lockRenewedAt,
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
  const [T0, T1, T2, T3] = ["09", "10", "11", "12"].map((hour) => `2026-03-01T${hour}:00:00Z`);
  const at = (time = "") => new Date(time);
  const pod = (ready: string): PodObject => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "istiod-1" },
    status: { conditions: [{ type: "Ready", status: ready }] },
  });
  /** Made at T0, with this condition since T1 or T2, and a status that was written at T3. */
  const deployment = (
    replicas: number | undefined,
    available: "True" | "False" | undefined,
    since = T2,
  ): DeploymentObject => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: "istiod",
      creationTimestamp: T0 ?? "",
      managedFields: [
        { manager: "kubectl", fieldsV1: { "f:spec": { "f:replicas": {} } } },
        { manager: "kube-controller-manager", time: T3 ?? "", fieldsV1: { "f:status": {} } },
      ],
    },
    spec: replicas === undefined ? {} : { replicas },
    status:
      available === undefined
        ? {}
        : { conditions: [{ type: "Available", status: available, lastTransitionTime: since ?? "" }] },
  });
  const exact = { earliest: at(T2), latest: at(T2), changedAt: at(T2) };
  const atTheLatest = { latest: at(T2), changedAt: at(T2) };

  it.each<
    readonly [string, DeploymentObject, PodObject[], string | undefined, ReturnType<typeof istiodAway>]
  >([
    ["a pod is ready", deployment(1, "False"), [pod("False"), pod("True")], T2, undefined],
    ["the one pod is not ready", deployment(1, "False"), [pod("False")], T2, exact],
    ["its process goes on and is not ready", deployment(1, "False"), [pod("False")], T3, exact],
    ["the number of pods is the default", deployment(undefined, "False"), [], T2, exact],
    ["one of three began it", deployment(3, "False"), [], T2, { earliest: at(T2), changedAt: at(T2) }],
    ["it never was available", deployment(1, "False", T0), [], T3, { latest: at(T0), changedAt: at(T0) }],
    ["it was scaled up from 0 after it had been away", deployment(1, "False"), [], T1, atTheLatest],
    ["no istiod ever renewed its lock", deployment(1, "False"), [], undefined, atTheLatest],
    [
      "it is scaled to 0",
      deployment(0, "True", T1),
      [],
      T2,
      { earliest: at(T2), latest: at(T3), changedAt: at(T3) },
    ],
    [
      "it is scaled to 0, and was not available before",
      deployment(0, "True", T2),
      [],
      T2,
      { latest: at(T3), changedAt: at(T3) },
    ],
    [
      "it is scaled to 0, and nothing tells when",
      { ...deployment(0, "True"), metadata: { name: "istiod" } },
      [],
      undefined,
      {},
    ],
    [
      "its pods are gone, and its controller has not said so",
      deployment(1, "True", T1),
      [],
      T2,
      { earliest: at(T2) },
    ],
    ["nothing is known", deployment(1, undefined), [], undefined, {}],
  ])("%s", (_, object, pods, renewed, is) => {
    expect(istiodAway(object, pods, renewed === undefined ? undefined : at(renewed))).toEqual(is);
  });

  it.each([
    ["as istiod writes it", `{"holderIdentity":"istiod-1","renewTime":"${T1}"}`, at(T1)],
    ["without a time", `{"holderIdentity":"istiod-1"}`, undefined],
    ["that is no JSON", "{", undefined],
    ["that is none", undefined, undefined],
  ])("is dated by a lock %s", (_, text, time) => {
    const annotations = text === undefined ? {} : { "control-plane.alpha.kubernetes.io/leader": text };
    const lock = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: ISTIOD_LOCK, annotations } };
    expect(lockRenewedAt(lock)).toEqual(time);
    expect(lockRenewedAt(undefined)).toBeUndefined();
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

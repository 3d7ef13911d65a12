import { describe, expect, it } from "@jest/globals";
import { pullBackedOff, pullFailed, refusedPulls } from "../../../../../sandbox/cluster/node/image-pulls.ts";
import { createImageRegistry } from "../../../../../sandbox/cluster/node/image-registry.ts";
import { podStatus } from "../../../../../sandbox/cluster/node/pod-status.ts";

const registry = createImageRegistry({
  hubs: ["docker.io/istio", "mirror.example/istio"],
  tag: "1.31.4",
  isKeptBack: (image) => image === "mirror.example/istio/proxyv2:1.31.4",
});

describe("the registry stand-in", () => {
  it.each(["docker.io/istio/pilot:1.31.4", "mirror.example/istio/pilot:1.31.4", "hello:1"])(
    "gives %s",
    (image) => expect(registry.refusal(image)).toBeUndefined(),
  );

  it.each([
    ["another hub", "docker.io/istoi/pilot:1.31.4"],
    ["another tag", "docker.io/istio/pilot:1.31.5"],
    ["no tag", "docker.io/istio/pilot"],
    ["a digest", "docker.io/istio/pilot@sha256:0123"],
    ["what a fault keeps back", "mirror.example/istio/proxyv2:1.31.4"],
  ])("refuses %s as a container runtime does", (_, image) =>
    expect(registry.refusal(image)).toBe(
      `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`,
    ),
  );
});

describe("a pod whose image cannot be had", () => {
  const image = "docker.io/istio/proxyv2:1.0.0";
  const words = registry.refusal(image);
  const node = { name: "n", ip: "10.100.255.254", cpus: 2, memoryBytes: 1 };
  const statusOf = (pod: object, { reports }: ReturnType<typeof pullFailed>) =>
    podStatus({ pod, podIp: "10.100.0.1", node, startedAt: "2026-01-01T00:00:00Z", reports });

  it("is told of in the kubelet's words, first the failure and then the wait", () => {
    const pod = {
      spec: {
        containers: [
          { name: "app", image: "hello:1" },
          { name: "proxy", image },
        ],
      },
    };
    expect(pullFailed(refusedPulls(pod, registry))).toEqual({
      reports: new Map([
        [
          "proxy",
          {
            ready: false,
            restartCount: 0,
            state: { waiting: { reason: "ErrImagePull", message: words } },
            lastState: {},
          },
        ],
      ]),
      events: [
        { type: "Warning", reason: "Failed", message: `Failed to pull image "${image}": ${words}` },
        { type: "Warning", reason: "Failed", message: "Error: ErrImagePull" },
      ],
    });
    const { reports, events } = pullBackedOff(refusedPulls(pod, registry));
    expect(reports.get("proxy")?.state.waiting).toEqual({
      reason: "ImagePullBackOff",
      message: `Back-off pulling image "${image}": ErrImagePull: ${words}`,
    });
    expect(events[0]).toEqual({
      type: "Normal",
      reason: "BackOff",
      message: `Back-off pulling image "${image}"`,
    });
  });

  it("is pending, and not ready", () => {
    const pod = { spec: { containers: [{ name: "proxy", image }] } };
    expect(statusOf(pod, pullFailed(refusedPulls(pod, registry)))).toMatchObject({
      phase: "Pending",
      conditions: expect.arrayContaining([expect.objectContaining({ type: "Ready", status: "False" })]),
      containerStatuses: [{ image, ready: false, state: { waiting: { reason: "ErrImagePull" } } }],
    });
  });

  it("is not initialized where it is the image of an init container", () => {
    const pod = {
      spec: { initContainers: [{ name: "init", image }], containers: [{ name: "app", image: "hello:1" }] },
    };
    expect(statusOf(pod, pullFailed(refusedPulls(pod, registry)))).toMatchObject({
      phase: "Pending",
      conditions: expect.arrayContaining([expect.objectContaining({ type: "Initialized", status: "False" })]),
      initContainerStatuses: [{ ready: false, state: { waiting: { reason: "ErrImagePull" } } }],
    });
  });

  it("runs when all are there", () => {
    const pod = { spec: { containers: [{ name: "app", image: "hello:1" }] } };
    expect(refusedPulls(pod, registry)).toEqual([]);
  });
});

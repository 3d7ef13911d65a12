import { describe, expect, it } from "@jest/globals";
import {
  type NodeObject,
  type PodSpec,
  requestsOf,
  roomFor,
  roomOnAnother,
  type ScheduledPod,
} from "../../../cli/doctor/preflight/node-room.ts";
import { istiodsOf } from "../../../cli/doctor/preflight/room.ts";
import { parseQuantity } from "../../../shared/core/quantity.ts";
import { MANIFEST_TEMPLATE } from "../../support/fixtures/manifest-template.ts";

const asks = (cpu: string, memory = "0") => ({ resources: { requests: { cpu, memory } } });
const ISTIOD: PodSpec = { containers: [asks("500m", "2Gi")] };

function aNode(spec: object = {}, status: object = {}): NodeObject {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "n", labels: { disk: "ssd" } },
    spec,
    status: {
      allocatable: { cpu: "1930m", memory: "6Gi", pods: "110" },
      conditions: [{ type: "Ready", status: "True" }],
      ...status,
    },
  };
}

function aPod(spec: PodSpec, phase = "Running", owner?: string): ScheduledPod {
  const ownerReferences = owner === undefined ? [] : [{ kind: owner, name: "x" }];
  const metadata = { name: "p", namespace: "default", ownerReferences };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { nodeName: "n", ...spec }, status: { phase } };
}

it.each<[string, number]>([
  ["2", 2],
  ["500m", 0.5],
  ["1.5Gi", 1.5 * 2 ** 30],
  ["2048Mi", 2 ** 31],
  ["2k", 2000],
  ["1e3", 1000],
  ["8E", 8e18],
  ["129e-1", 12.9],
])("reads the quantity %p as %p", (text, expected) => {
  expect(parseQuantity(text)).toBeCloseTo(expected, 9);
});

it.each(["", "a lot", "5 m", "1Kib"])("takes %p for no quantity", (text) => {
  expect(parseQuantity(text)).toBeUndefined();
});

it.each<[string, PodSpec, number]>([
  ["of its containers together", { containers: [asks("1"), asks("500m")] }, 1.5],
  [
    "of the greatest that starts before them",
    { initContainers: [asks("2"), asks("1")], containers: [asks("1")] },
    2,
  ],
  [
    "of sidecars beside them",
    { initContainers: [{ ...asks("300m"), restartPolicy: "Always" }], containers: [asks("1")] },
    1.3,
  ],
  ["that is stated for the whole", { resources: { requests: { cpu: "3" } }, containers: [asks("1")] }, 3],
  ["with its overhead", { containers: [asks("1")], overhead: { cpu: "250m" } }, 1.25],
  ["nothing", { containers: [{}] }, 0],
])("counts what a pod reserves: %s", (_, spec, cpu) => {
  expect(requestsOf(spec).cpu).toBeCloseTo(cpu, 9);
});

describe("room for istiod", () => {
  it.each<[string, PodSpec, readonly NodeObject[], readonly ScheduledPod[], number]>([
    ["on an empty node, by memory", ISTIOD, [aNode()], [], 3],
    ["beside what runs", ISTIOD, [aNode()], [aPod({ containers: [asks("1")] })], 1],
    ["beside what has ended", ISTIOD, [aNode()], [aPod({ containers: [asks("1")] }, "Succeeded")], 3],
    ["beside what is on no node", ISTIOD, [aNode()], [aPod({ nodeName: "", containers: [asks("1")] })], 3],
    ["on several nodes", ISTIOD, [aNode(), { ...aNode(), metadata: { name: "m" } }], [], 6],
    ["on none", ISTIOD, [], [], 0],
    ["on a node that is cordoned", ISTIOD, [aNode({ unschedulable: true })], [], 0],
    ["on a node that is not ready", ISTIOD, [aNode({}, { conditions: [] })], [], 0],
    ["on a node that repels it", ISTIOD, [aNode({ taints: [{ key: "gpu", effect: "NoSchedule" }] })], [], 0],
    [
      "on one that would rather not",
      ISTIOD,
      [aNode({ taints: [{ key: "a", effect: "PreferNoSchedule" }] })],
      [],
      3,
    ],
    [
      "on one whose taint it tolerates",
      { ...ISTIOD, tolerations: [{ key: "gpu", operator: "Exists" }] },
      [aNode({ taints: [{ key: "gpu", value: "yes", effect: "NoSchedule" }] })],
      [],
      3,
    ],
    ["on one that it does not select", { ...ISTIOD, nodeSelector: { disk: "hdd" } }, [aNode()], [], 0],
    [
      "where pods are counted",
      ISTIOD,
      [aNode({}, { allocatable: { cpu: "9", memory: "99Gi", pods: "2" } })],
      [],
      2,
    ],
  ])("is counted %s", (_, pod, nodes, pods, expected) => {
    expect(roomFor(pod, nodes, pods)).toBe(expected);
  });

  it("on another node of the kind is beside what every node carries, and nothing else", () => {
    const agent = aPod({ containers: [asks("1")] }, "Running", "DaemonSet");
    const app = aPod({ containers: [asks("1")] }, "Running", "ReplicaSet");
    expect(roomOnAnother(ISTIOD, aNode(), [agent, app])).toBe(1);
    expect(roomOnAnother(ISTIOD, aNode(), [app])).toBe(3);
  });

  it("is what the manifest has istiod reserve, as often as its autoscaler has it at least", () => {
    expect(istiodsOf(MANIFEST_TEMPLATE)).toMatchObject({
      count: 2,
      pod: { containers: [asks("500m", "2048Mi")] },
    });
    const autoscaler = {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "istiod", namespace: "istio-system" },
      spec: { minReplicas: 3 },
    };
    expect(istiodsOf({ objects: [...MANIFEST_TEMPLATE.objects, autoscaler] }).count).toBe(3);
  });
});

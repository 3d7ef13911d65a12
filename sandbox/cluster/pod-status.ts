import type { V1Container, V1Pod } from "@kubernetes/client-node";
import type { NodeFacts } from "./container-spec.ts";
import type { ContainerReport } from "./pilot.ts";

export interface PodStatusInput {
  readonly pod: V1Pod;
  readonly podIp: string;
  readonly node: NodeFacts;
  readonly startedAt: string;
  /** Of the container that is a process; every other one counts as running and ready. */
  readonly reports: ReadonlyMap<string, ContainerReport>;
}

function containerStatus(container: V1Container, report: ContainerReport): object {
  const { ready, restartCount, state, lastState } = report;
  const { name, image = "" } = container;
  return {
    name,
    image,
    imageID: image,
    ready,
    restartCount,
    started: state.running !== undefined,
    state,
    lastState,
  };
}

function initContainerStatus(container: V1Container, at: string): object {
  const sidecar = container.restartPolicy === "Always";
  const { name, image = "" } = container;
  const state = sidecar
    ? { running: { startedAt: at } }
    : { terminated: { exitCode: 0, reason: "Completed", startedAt: at, finishedAt: at } };
  return { name, image, imageID: image, ready: true, restartCount: 0, started: sidecar, state };
}

/** What the kubelet would write into the pod's status; the controllers and istiod believe it. */
export function podStatus({ pod, podIp, node, startedAt, reports }: PodStatusInput): object {
  const idle = JSON.parse(JSON.stringify({ running: { startedAt } }));
  const containers = (pod.spec?.containers ?? []).map((container) => ({
    container,
    report: reports.get(container.name) ?? { ready: true, restartCount: 0, state: idle, lastState: {} },
  }));
  const unready = containers.filter(({ report }) => !report.ready).map(({ container }) => container.name);
  const waiting = containers.every(({ report }) => report.state.waiting?.reason === "ContainerCreating");
  const condition = (type: string, fulfilled: boolean): object =>
    fulfilled
      ? { type, status: "True", lastTransitionTime: new Date().toISOString() }
      : {
          type,
          status: "False",
          reason: "ContainersNotReady",
          message: `containers with unready status: [${unready.join(" ")}]`,
          lastTransitionTime: new Date().toISOString(),
        };
  const ready = unready.length === 0;
  return {
    phase: waiting && containers.length > 0 ? "Pending" : "Running",
    conditions: [
      condition("PodScheduled", true),
      condition("PodReadyToStartContainers", true),
      condition("Initialized", true),
      condition("ContainersReady", ready),
      condition("Ready", ready),
    ],
    podIP: podIp,
    podIPs: [{ ip: podIp }],
    hostIP: node.ip,
    hostIPs: [{ ip: node.ip }],
    startTime: startedAt,
    initContainerStatuses: (pod.spec?.initContainers ?? []).map((container) =>
      initContainerStatus(container, startedAt),
    ),
    containerStatuses: containers.map(({ container, report }) => containerStatus(container, report)),
  };
}

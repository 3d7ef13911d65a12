import type { V1Container, V1Pod } from "@kubernetes/client-node";
import type { ContainerReport } from "./container-report.ts";
import type { NodeFacts } from "./container-spec.ts";

export interface PodStatusInput {
  readonly pod: V1Pod;
  readonly podIp: string;
  readonly node: NodeFacts;
  readonly startedAt: string;
  /**
   * Of those that are processes, or whose images cannot be had; every other one counts as running and ready.
   */
  readonly reports: ReadonlyMap<string, ContainerReport>;
}

const READY: Omit<ContainerReport, "state"> = { ready: true, restartCount: 0, lastState: {} };

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

/** One that waits holds back those after it. */
function initContainerStatus(container: V1Container, at: string, report?: ContainerReport): object {
  if (report !== undefined) return containerStatus(container, report);
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
    report: reports.get(container.name) ?? { ...READY, state: idle },
  }));
  const unready = containers.filter(({ report }) => !report.ready).map(({ container }) => container.name);
  const initializing = (pod.spec?.initContainers ?? []).some(({ name }) => reports.has(name));
  // The kubelet's `getPhase`: one that waits and never ran keeps the pod pending.
  const waiting = containers.some(
    ({ report }) => report.state.waiting !== undefined && report.lastState.terminated === undefined,
  );
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
  const ready = unready.length === 0 && !initializing;
  return {
    phase: waiting || initializing ? "Pending" : "Running",
    conditions: [
      condition("PodScheduled", true),
      condition("PodReadyToStartContainers", true),
      condition("Initialized", !initializing),
      condition("ContainersReady", ready),
      condition("Ready", ready),
    ],
    podIP: podIp,
    podIPs: [{ ip: podIp }],
    hostIP: node.ip,
    hostIPs: [{ ip: node.ip }],
    startTime: startedAt,
    initContainerStatuses: (pod.spec?.initContainers ?? []).map((container) =>
      initContainerStatus(container, startedAt, reports.get(container.name)),
    ),
    containerStatuses: containers.map(({ container, report }) => containerStatus(container, report)),
  };
}

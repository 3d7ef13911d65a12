import type { V1ContainerState } from "@kubernetes/client-node";

/** The state of one container, as it goes into the pod's status. */
export interface ContainerReport {
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state: V1ContainerState;
  readonly lastState: V1ContainerState;
}

export const NOT_STARTED: ContainerReport = {
  ready: false,
  restartCount: 0,
  state: { waiting: { reason: "ContainerCreating" } },
  lastState: {},
};

import { connect } from "node:net";
import { type RunningProcess, startProcess } from "../os/process.ts";
import type { ClusterFiles } from "./kube-processes.ts";

/** Unix sockets. */
export interface PortForwardSockets {
  readonly podNetwork: string;
  /** Where the kubelet hands port-forwards on to. */
  readonly portForwards: string;
}

/** The part of a container runtime that serves port-forwards. */
export async function startPortForwards(
  { binaries, dir, logDir }: ClusterFiles,
  { podNetwork, portForwards }: PortForwardSockets,
): Promise<RunningProcess> {
  return await startProcess({
    name: "portforward",
    command: binaries.portforward,
    args: [`--listen=${portForwards}`, `--pod-network=${podNetwork}`],
    cwd: dir,
    logDir,
    ready: () => connects(portForwards),
  });
}

function connects(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

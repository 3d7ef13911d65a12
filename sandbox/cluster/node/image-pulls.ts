import type { V1Pod } from "@kubernetes/client-node";
import type { ContainerReport } from "./container-report.ts";
import type { ImageRegistry } from "./image-registry.ts";

/**
 * Warning and Normal, as the kubelet tells of a pull; `pkg/kubelet/images/image_manager.go` of Kubernetes
 * 1.36.
 */
export interface PullEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: "Failed" | "BackOff";
  readonly message: string;
}

export interface PullReport {
  /** Of the containers whose image could not be had, by name. */
  readonly reports: ReadonlyMap<string, ContainerReport>;
  readonly events: readonly PullEvent[];
}

/** A container whose image the registry does not give, and why. */
export interface RefusedPull {
  readonly container: string;
  readonly image: string;
  readonly message: string;
}

/** Asks for the images of all containers of a pod, those of its init containers too. */
export function refusedPulls({ spec }: V1Pod, registry: ImageRegistry): RefusedPull[] {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  return containers.flatMap(({ name, image = "" }) => {
    const message = registry.refusal(image);
    return message === undefined ? [] : [{ container: name, image, message }];
  });
}

/** What the kubelet tells when it was refused. */
export function pullFailed(refused: readonly RefusedPull[]): PullReport {
  return {
    reports: reportsOf(refused, ({ message }) => ({ reason: "ErrImagePull", message })),
    events: refused.flatMap(({ image, message }) => [
      { type: "Warning", reason: "Failed", message: `Failed to pull image "${image}": ${message}` },
      { type: "Warning", reason: "Failed", message: "Error: ErrImagePull" },
    ]),
  };
}

/** What it tells from then on, until it asks again. */
export function pullBackedOff(refused: readonly RefusedPull[]): PullReport {
  const words = ({ image }: RefusedPull) => `Back-off pulling image "${image}"`;
  return {
    reports: reportsOf(refused, (each) => ({
      reason: "ImagePullBackOff",
      message: `${words(each)}: ErrImagePull: ${each.message}`,
    })),
    events: refused.flatMap((each) => [
      { type: "Normal", reason: "BackOff", message: words(each) },
      { type: "Warning", reason: "Failed", message: "Error: ImagePullBackOff" },
    ]),
  };
}

function reportsOf(
  refused: readonly RefusedPull[],
  waiting: (refusal: RefusedPull) => { readonly reason: string; readonly message: string },
): Map<string, ContainerReport> {
  return new Map(
    refused.map((each) => [
      each.container,
      { ready: false, restartCount: 0, state: { waiting: waiting(each) }, lastState: {} },
    ]),
  );
}

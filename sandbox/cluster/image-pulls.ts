import type { V1Pod } from "@kubernetes/client-node";
import type { ImageRegistry } from "./image-registry.ts";
import type { ContainerReport } from "./pilot.ts";

/** Warning and Normal, as the kubelet tells of a pull; `pkg/kubelet/images/image_manager.go` of Kubernetes 1.36. */
export interface PullEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: "Failed" | "BackOff";
  readonly message: string;
}

export interface PullAttempt {
  /** Of the containers whose image could not be had, by name; empty where all could. */
  readonly reports: ReadonlyMap<string, ContainerReport>;
  readonly events: readonly PullEvent[];
}

/** Asks for the images of all containers of a pod, those of its init containers too. */
export function pullImages(pod: V1Pod, registry: ImageRegistry): PullAttempt {
  const refused = refusals(pod, registry);
  return {
    reports: reportsOf(refused, ({ message }) => ({ reason: "ErrImagePull", message })),
    events: refused.flatMap(({ image, message }) => [
      { type: "Warning", reason: "Failed", message: `Failed to pull image "${image}": ${message}` },
      { type: "Warning", reason: "Failed", message: "Error: ErrImagePull" },
    ]),
  };
}

/** The same containers until the next attempt. */
export function backOff(pod: V1Pod, registry: ImageRegistry): PullAttempt {
  const refused = refusals(pod, registry);
  const words = ({ image }: Refusal) => `Back-off pulling image "${image}"`;
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

interface Refusal {
  readonly container: string;
  readonly image: string;
  readonly message: string;
}

function refusals({ spec }: V1Pod, registry: ImageRegistry): Refusal[] {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  return containers.flatMap(({ name, image = "" }) => {
    const message = registry.refusal(image);
    return message === undefined ? [] : [{ container: name, image, message }];
  });
}

function reportsOf(
  refused: readonly Refusal[],
  waiting: (refusal: Refusal) => { readonly reason: string; readonly message: string },
): Map<string, ContainerReport> {
  return new Map(
    refused.map((each) => [
      each.container,
      { ready: false, restartCount: 0, state: { waiting: waiting(each) }, lastState: {} },
    ]),
  );
}

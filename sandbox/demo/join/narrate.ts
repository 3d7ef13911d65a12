import type { LogLine } from "./function-log.ts";

/**
 * What a log line of the function means to a person who watches a join; `undefined` if it tells them nothing.
 */
export function narrate(line: LogLine, short: (clusterId: string) => string): string | undefined {
  const { message, step, clusterId = "", target = "" } = line;
  if (message === "cluster joins") return `event       ${short(clusterId)} was created; Meshjoin looks at it`;
  if (message === "event is delivered again")
    return `again       ${line.code ?? ""}: Pub/Sub delivers the event again`;
  if (message !== "step") return undefined;
  switch (step) {
    case "labelNamespace":
      return `namespace   ${short(clusterId)}: istio-system carries its network`;
    case "issueIntermediate":
      return `certificate ${short(clusterId)}: an intermediate CA of its own, signed by the mesh's root`;
    case "applyControlPlane":
      return `istiod      ${short(clusterId)}: Istio's objects are applied`;
    case "istiodReady":
      return `istiod      ${short(clusterId)}: Ready`;
    case "certificateLoaded":
      return `certificate ${short(clusterId)}: istiod serves the intermediate`;
    case "connect":
      return `pair        ${short(clusterId)} → ${short(target)}: remote secret written`;
    case "pairSynced":
      return `synced      ${short(clusterId)} → ${short(target)}`;
    case undefined:
    default:
      return undefined;
  }
}

import type { Progress } from "../../shared/progress.ts";

/**
 * A finished step as a line with its member and outcome; undefined for a step that the result counts, unless
 * a person wants to know all.
 */
export function describeProgress(progress: Progress, verbose: boolean): string | undefined {
  const step = describeStep(progress, verbose);
  return step === undefined ? undefined : `${progress.clusterId}  ${step}`;
}

function describeStep({ step, target, outcome }: Progress, verbose: boolean): string | undefined {
  switch (step) {
    case "labelNamespace":
      return `namespace ${outcome}`;
    case "issueIntermediate":
      return `intermediate CA ${outcome}`;
    case "applyControlPlane":
      return `istiod ${outcome}`;
    case "applyGateway":
    case "hideGateway":
    case "removeGateway":
      return `gateway ${outcome}`;
    case "applyIngress":
    case "removeIngress":
      return `ingress ${outcome}`;
    case "istiodReady":
      return outcome === "waiting" ? "istiod is not ready yet" : "istiod is ready";
    case "connect":
      return `remote secret for ${target} ${outcome}`;
    case "withdraw":
    case "disconnect":
      return `remote secret for ${target} ${outcome}`;
    case "keepLastGateway":
    case "dropLastGateway":
      return `last known gateway of ${target} ${outcome}`;
    case "revoke":
      return `reader Secret of ${target} ${outcome}`;
    case "markLeft":
      return "namespace notes that the cluster leaves";
    case "noteSecret":
      return `note on the Secret of ${target} ${outcome}`;
    case "noteAnswers":
      return `note of the silence of ${target} ${outcome}`;
    case "noteDrain":
    case "dropDrainNote":
      return `note of the drain of ${target} ${outcome}`;
    case "certificateLoaded":
      return "istiod serves its intermediate CA";
    case "probeReady":
      return outcome === "waiting" ? "probe is not ready" : "probe is ready";
    case "probeAsked":
      return "probe was asked";
    case "putProbe":
      return `probe ${outcome}`;
    case "removeProbe":
      return "probe deleted";
    case "writeTrafficDefaults":
    case "removeTrafficDefaults":
      return `traffic rule ${outcome}`;
    case "pairSynced":
      return verbose ? `reads ${target}: synced` : undefined;
  }
}

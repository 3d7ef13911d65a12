import type { ErrorCode } from "./error-codes.ts";
import { isReason, REASONS } from "./reasons.ts";

/** Of the alert that every error finding raises. */
const EVERY_ERROR = "A finding needs a person";

/** The sections of docs/runbook.md, with the findings and errors that lead there. */
const SECTIONS: Readonly<Record<string, readonly ErrorCode[]>> = {
  "A join failed or hangs": [
    "ApiServerRefused",
    "ControlPlaneNotReady",
    "ImageNotPulled",
    "JoinIncomplete",
    "JoinOverdue",
    "LeaveIncomplete",
    "PermissionDenied",
    "PermissionMissing",
  ],
  "A member has lost its label": ["MassLeave"],
  "A pair is not synced": ["IstiodStuck", "PairNotSynced"],
  "Requests do not pass": ["RequestsFail", "RequestsUnknown"],
  "A control plane is away": ["ApiServerUnreachable", "CertificatesEnd", "RollOutWaits", "ScaledToZero"],
  "Meshjoin has drained a member": ["DrainedAutomatically", "DrainHeldBack"],
  "A certificate or token is past its renewal time": [
    "CertificateExpiring",
    "RootExpiring",
    "RootRotationDue",
    "TokenExpiring",
  ],
  "A rotation is stuck": [
    "AbsenceNotProved",
    "CertificateNotLoaded",
    "RootMissing",
    "RootNotDistributed",
    "RotationPaused",
    "StageOverdue",
  ],
  [EVERY_ERROR]: [
    "DrainUnknown",
    "DrainsTogether",
    "GatewayInUse",
    "GatewayLost",
    "IngressForeign",
    "IngressInUse",
    "IngressPending",
    "IngressTlsMissing",
    "ManagedMesh",
    "MassDrain",
    "MemberLost",
    "NetworkChanges",
    "NotConfigured",
    "OtherMesh",
    "PodsInFormerNetwork",
    "RollOutStopped",
    "RotationStopped",
    "SelfSignedMesh",
    "TrafficDefaultsDiffer",
    "TrafficDefaultsForeign",
  ],
  "A function fails": [
    "NoSigningRoot",
    "RootSecretMissing",
    "RootVersionDisabled",
    "SignerAccessDenied",
    "SigningRootUnusable",
  ],
  "No full run for half an hour": ["RunSilent"],
};

/** The title of the section that says what to do first; undefined where the cure alone does. */
export function runbookSection(code: ErrorCode): string | undefined {
  const own = Object.entries(SECTIONS).find(([, codes]) => codes.includes(code))?.[0];
  const isError = isReason(code) && REASONS[code].severity === "error";
  return own ?? (isError ? EVERY_ERROR : undefined);
}

/** The anchor that a heading has on a page. */
export function anchorOfHeading(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

import type { ErrorCode } from "./error-codes.ts";

/** The sections of docs/runbook.md, with the findings and errors that lead there. */
const SECTIONS: Readonly<Record<string, readonly ErrorCode[]>> = {
  "A join failed or hangs": [
    "ApiServerRefused",
    "ControlPlaneNotReady",
    "ImageNotPulled",
    "JoinIncomplete",
    "LeaveIncomplete",
    "PermissionDenied",
    "PermissionMissing",
  ],
  "A member has lost its label": ["MassLeave"],
  "A pair is not synced": ["IstiodStuck"],
  "Requests do not pass": ["RequestsFail"],
  "A control plane is away": ["ApiServerUnreachable", "CertificatesEnd"],
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
    "StageOverdue",
  ],
  "A finding needs a person": [
    "DrainsTogether",
    "GatewayInUse",
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
    "RollOutStopped",
    "RotationStopped",
    "SelfSignedMesh",
    "TrafficDefaultsDiffer",
    "TrafficDefaultsForeign",
  ],
  "A function fails": ["NoSigningRoot", "RootSecretMissing", "RootVersionDisabled", "SignerAccessDenied"],
};

/** The title of the section that says what to do first; undefined where the cure alone does. */
export function runbookSection(code: ErrorCode): string | undefined {
  return Object.entries(SECTIONS).find(([, codes]) => codes.includes(code))?.[0];
}

/** The anchor that a heading has on a page. */
export function anchorOfHeading(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

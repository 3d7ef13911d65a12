export type Severity = "info" | "warning" | "error";

/**
 * Everything that Meshjoin may have to say about a mesh, and how loudly. A reason is stable: alerts, tests and
 * runbooks match on it. Only `error` means that somebody must act before the mesh is whole.
 */
export const REASONS = {
  AbsenceNotProved: "warning",
  AccountFault: "error",
  AccountUnknown: "warning",
  ApiServerRefused: "error",
  ApiServerUnreachable: "warning",
  AutopilotNeedsNetAdmin: "warning",
  CacertsMissing: "info",
  CacertsOutdated: "info",
  CertificateDue: "info",
  CertificateExpiring: "error",
  CertificateLoading: "info",
  CertificateNotLoaded: "error",
  ClusterIdCollision: "error",
  ControlPlaneEdited: "info",
  ControlPlaneMissing: "info",
  ControlPlaneNotReady: "warning",
  ControlPlaneOutdated: "info",
  DnsTokensNotAllowed: "error",
  EndpointNotAvailable: "error",
  FieldConflict: "error",
  FirewallMissing: "error",
  ForeignCacerts: "error",
  ForeignCacertsAccepted: "info",
  ForeignControlPlane: "error",
  ForeignControlPlaneAccepted: "info",
  ForeignReaderSecret: "error",
  ForeignRemoteSecret: "warning",
  ImageNotPulled: "warning",
  IstioVersionDiffers: "warning",
  IstiodStuck: "error",
  ListingIncomplete: "warning",
  ManagedMesh: "error",
  MassLeave: "error",
  MemberLeft: "info",
  MemberUnreadable: "error",
  NamespaceNotLabelled: "info",
  NamespaceTerminating: "warning",
  NetworkConflict: "error",
  NetworkNotShared: "warning",
  NoSigningRoot: "error",
  NotConfigured: "error",
  OtherMesh: "error",
  PairNotSynced: "warning",
  PeerPending: "info",
  PermissionMissing: "error",
  RemoteSecretDoubled: "warning",
  RemoteSecretMissing: "info",
  RemoteSecretOutdated: "info",
  RollOutStopped: "error",
  RollOutWaits: "warning",
  RootExpiring: "error",
  RootMissing: "error",
  RootNotDistributed: "error",
  RootRotationDue: "error",
  RotationHeld: "warning",
  RotationMissed: "error",
  RotationStopped: "error",
  RunFailed: "error",
  RunInterrupted: "warning",
  SelfSignedMesh: "error",
  StageOverdue: "warning",
  StillRunning: "info",
  StolenIntermediateTrusted: "warning",
  TokenDue: "info",
  TokenExpiring: "warning",
  TrustedLeaver: "warning",
  UnclaimedRootVersion: "warning",
} as const satisfies Record<string, Severity>;

export type Reason = keyof typeof REASONS;

/** One thing that is not as it should be: what, why, and how to mend it. Never holds key material. */
export interface Finding {
  readonly reason: Reason;
  readonly severity: Severity;
  readonly message: string;
  readonly cure: string;
  readonly clusterId?: string;
}

export function finding(reason: Reason, message: string, cure: string, clusterId?: string): Finding {
  return {
    reason,
    severity: REASONS[reason],
    message,
    cure,
    ...(clusterId === undefined ? {} : { clusterId }),
  };
}

/** What is found for both directions of a pair, or by two looks, is said once. */
export function distinct(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((each) => [JSON.stringify(each), each])).values()];
}

/** By member, those about none first, then by reason. */
export function inOrder(a: Finding, b: Finding): number {
  const key = ({ clusterId = "", reason, message }: Finding) => `${clusterId}\n${reason}\n${message}`;
  return key(a) < key(b) ? -1 : Number(key(a) > key(b));
}

import type { ErrorCode } from "./error-codes.ts";
import { type Finding, finding } from "./finding.ts";
import type { Reason } from "./reasons.ts";

/** The parts of an error that become a finding. */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  readonly cure?: string | undefined;
  readonly retryable: boolean;
}

const BY_CODE: Readonly<Partial<Record<ErrorCode, Reason>>> = {
  ApiServerUnreachable: "ApiServerUnreachable",
  ApiServerError: "ApiServerUnreachable",
  FieldConflict: "FieldConflict",
  ForeignObject: "ForeignControlPlane",
  GatewayApiUnavailable: "GatewayApiUnavailable",
  IngressForeign: "IngressForeign",
  PairSyncing: "PairNotSynced",
};

/** The API server was silent, or in trouble of its own. */
export function isOutOfReach({ code }: Pick<Fault, "code">): boolean {
  return BY_CODE[code] === "ApiServerUnreachable";
}

/** The finding for an error in the middle of a run, with the error's own cure if it has one. */
export function faultFinding(fault: Fault, clusterId: string): Finding {
  const reason = BY_CODE[fault.code] ?? (fault.retryable ? "RunInterrupted" : "RunFailed");
  const defaultCure = fault.retryable
    ? "nothing: Meshjoin tries again"
    : `mend the cause (${fault.code}); the next full run repeats it`;
  return finding(reason, fault.message, fault.cure ?? defaultCure, clusterId);
}

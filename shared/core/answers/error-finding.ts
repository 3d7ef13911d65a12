import type { ErrorCode } from "./error-codes.ts";
import { type Finding, finding } from "./finding.ts";
import type { Reason } from "./reasons.ts";

/** The parts of an error that a finding is made of. */
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
  PairSyncing: "PairNotSynced",
};

/** The other side was silent, or in trouble of its own. */
export function isOutOfReach({ code }: Pick<Fault, "code">): boolean {
  return BY_CODE[code] === "ApiServerUnreachable";
}

/** What an error in the middle of a run means to an operator, with the cure that it brings. */
export function faultFinding(fault: Fault, clusterId: string): Finding {
  const reason = BY_CODE[fault.code] ?? (fault.retryable ? "RunInterrupted" : "RunFailed");
  const otherwise = fault.retryable
    ? "nothing: it is tried again"
    : `mend the cause (${fault.code}); the next full run repeats it`;
  return finding(reason, fault.message, fault.cure ?? otherwise, clusterId);
}

import { REASONS, type Reason, type Severity } from "./reasons.ts";

/** One fault or fact worth knowing: what, why, and how to mend it. Never holds key material. */
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
    severity: REASONS[reason].severity,
    message,
    cure,
    ...(clusterId === undefined ? {} : { clusterId }),
  };
}

/** Without repeats: both directions of a pair, or two looks, may give equal findings. */
export function distinct(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((each) => [JSON.stringify(each), each])).values()];
}

/** By member, then by reason; findings about no member come first. */
export function inOrder(a: Finding, b: Finding): number {
  const key = ({ clusterId = "", reason, message }: Finding) => `${clusterId}\n${reason}\n${message}`;
  return key(a) < key(b) ? -1 : Number(key(a) > key(b));
}

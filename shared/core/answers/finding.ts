import { REASONS, type Reason, type Severity } from "./reasons.ts";

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
    severity: REASONS[reason].severity,
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

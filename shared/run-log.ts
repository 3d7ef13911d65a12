import type { Finding } from "./core/finding.ts";
import type { Logger } from "./log.ts";
import type { Reconciled } from "./reconcile.ts";

/** The one place where a run's findings and errors become log lines; each exactly once. */
export function logReconciled(log: Logger, { summary, errors, retry }: Reconciled): void {
  for (const err of errors) log[err.retryable ? "warn" : "error"]({ err, code: err.code }, "step failed");
  const said = new Set(errors.map(({ message }) => message));
  const findings = [...summary.members.flatMap((member) => member.findings), ...summary.findings];
  for (const each of findings.filter(({ message }) => !said.has(message)))
    log[levelOf(each)]({ finding: each }, "finding");
  log.info({ outcome: summary.outcome, retry, members: summary.members, pairs: summary.pairs }, "reconciled");
}

function levelOf({ severity }: Finding): "info" | "warn" | "error" {
  return severity === "warning" ? "warn" : severity;
}

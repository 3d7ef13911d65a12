import type { Finding } from "./core/answers/finding.ts";
import { OUTCOMES, type Outcome } from "./core/answers/outcome.ts";
import type { Logger } from "./log.ts";
import type { Reporter } from "./progress.ts";
import type { Reconciled } from "./reconcile.ts";

/**
 * Logs each step that changed something or waits. The last line of the run counts the unchanged ones: a mesh
 * of N members has N × (N − 1) pairs in every run.
 */
export function logProgress(log: Logger): Reporter {
  return ({ step, ...rest }) => {
    if (rest.outcome !== "unchanged") log.info({ step, ...rest }, "step");
  };
}

/**
 * The one place where a run's findings and errors become log lines, each exactly once. Outcomes of members
 * and pairs are counted, not listed: Cloud Logging takes no entry above 256 KB, and the pairs of 50 members
 * exceed that. https://cloud.google.com/logging/quotas
 */
export function logReconciled(log: Logger, { summary, errors, retry }: Omit<Reconciled, "members">): void {
  for (const err of errors) log[err.retryable ? "warn" : "error"]({ err, code: err.code }, "step failed");
  const logged = new Set(errors.map(({ fields, message }) => `${fields["clusterId"]} ${message}`));
  const findings = [...summary.members.flatMap((member) => member.findings), ...summary.findings];
  for (const each of findings.filter(({ clusterId, message }) => !logged.has(`${clusterId} ${message}`)))
    log[levelOf(each)]({ finding: each }, "finding");
  const { outcome, members, pairs } = summary;
  log.info({ outcome, retry, members: counted(members), pairs: counted(pairs) }, "reconciled");
}

/** `{ "created": 2, "unchanged": 5 }`. */
function counted(results: readonly { readonly outcome: Outcome }[]): Partial<Record<Outcome, number>> {
  const counts = OUTCOMES.map(
    (each) => [each, results.filter(({ outcome }) => outcome === each).length] as const,
  );
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

function levelOf({ severity }: Finding): "info" | "warn" | "error" {
  return severity === "warning" ? "warn" : severity;
}

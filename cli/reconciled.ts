import type { Reason } from "../shared/core/answers/reasons.ts";
import type { Summary } from "../shared/core/answers/summary.ts";
import type { Reconciled } from "../shared/reconcile.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { renderSummary } from "./render/summary.ts";
import { errorText, type Session } from "./session.ts";

/** What a person may confirm to `sync`. Another version of Istio is no repair, so a sync never begins it. */
export const CONFIRMABLE = ["MassLeave", "NotConfigured"] as const;
export type Confirmable = (typeof CONFIRMABLE)[number];

/** What `sync --yes` confirms: what a configuration leaves out has to be confirmed by its name. */
export const CONFIRMED_BY_YES: readonly Confirmable[] = ["MassLeave"];

/** Shows what a run did, and what went wrong in it that its findings do not say already. */
export function showReconciled(session: Session, { summary, errors }: Reconciled): void {
  const said = new Set(findingsOf(summary).map(({ message }) => message));
  for (const error of errors.filter(({ message }) => !said.has(message))) session.say(errorText(error));
  session.show(summary, renderSummary);
}

export function exitCodeOfRun({ summary, retry }: Reconciled): ExitCode {
  if (summary.outcome === "failed" || unconfirmed(summary, CONFIRMABLE).length > 0) return EXIT.failed;
  return retry ? EXIT.retry : EXIT.done;
}

/** Clusters of findings that the run would have acted on if it had been told to. */
export function unconfirmed({ findings }: Summary, reasons: readonly Reason[]): string[] {
  return findings.filter(({ reason }) => reasons.includes(reason)).map(({ clusterId = "" }) => clusterId);
}

function findingsOf({ members, findings }: Summary) {
  return [...members.flatMap((member) => member.findings), ...findings];
}

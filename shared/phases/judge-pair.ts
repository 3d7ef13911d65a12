import { faultFinding, isOutOfReach } from "../core/error-finding.ts";
import { type Finding, finding } from "../core/finding.ts";
import { type Outcome, outcomeOf } from "../core/outcome.ts";
import { MeshjoinError } from "../errors.ts";
import type { Evidence } from "../look/istiods.ts";
import { foreignRemoteSecret, type PairPlan } from "../plan/pair.ts";
import type { PairReport } from "../report.ts";

/** By `reader target`: whether the remote secret was written, or why not. */
export type Written = ReadonlyMap<string, boolean | MeshjoinError>;

export const keyOf = ({ reader, target }: { readonly reader: string; readonly target: string }) =>
  `${reader} ${target}`;

export interface Judged {
  readonly pair: PairReport;
  readonly findings: readonly Finding[];
}

/** What was written, and what was seen of it. */
export interface Done {
  readonly subjects: ReadonlySet<string>;
  readonly written: Written;
  readonly evidence: ReadonlyMap<string, Evidence>;
}

/** What became of a planned pair: pure. */
export function judgePair(plan: PairPlan, { subjects, written, evidence }: Done): Judged {
  const { reader, target } = plan;
  const done = written.get(keyOf(plan));
  const renewed = typeof done === "boolean";
  const kept = [...plan.findings, ...(plan.expiring === undefined || renewed ? [] : [plan.expiring])];
  const settle = (outcome: Outcome, counts: boolean, ...findings: Finding[]): Judged => ({
    pair: { reader, target, outcome, counts },
    findings: [...kept, ...findings],
  });
  if (done instanceof MeshjoinError) {
    const counts = plan.standing !== "pending" && !isOfPeer(done, subjects);
    const refused = settle(unfinished(done), counts, faultFinding(done, reader));
    return done.retryable ? refused : blocked(refused);
  }
  const isNew = done === true && plan.action !== undefined;
  const outcome = isNew ? outcomeOf(plan.action) : "unchanged";
  switch (plan.standing) {
    case "excluded":
      return settle(outcome, true);
    case "pending":
      return isNew ? settle(outcome, true) : settle("waiting", false);
    case "blocked":
      return blocked(settle("failed", true));
    case "current":
    case "connect": {
      const seen = evidence.get(reader);
      const holder = seen?.heldBy.get(target)?.split("/").at(-1);
      if (holder !== undefined) {
        const found = foreignRemoteSecret(reader, target, { name: holder, isRead: true });
        return blocked(settle("failed", true, found));
      }
      const status = seen === undefined ? "unknown" : seen.unsynced.get(target);
      if (status === undefined) return listed(true, settle(outcome, true));
      const error = seen?.error;
      const counts = error === undefined || !isOfPeer(error, subjects);
      const found = error === undefined ? notSynced(reader, target, status) : notAsked(reader, error);
      const judged = settle(unfinished(error), counts, found);
      return seen === undefined || error !== undefined ? judged : listed(false, judged);
    }
  }
}

function blocked({ pair, ...rest }: Judged): Judged {
  return { ...rest, pair: { ...pair, isBlocked: true } };
}

/** By istiod itself. */
function listed(isSynced: boolean, { pair, ...rest }: Judged): Judged {
  return { ...rest, pair: { ...pair, isSynced } };
}

/** Of what is not as it should be: time mends it, unless the error says otherwise. */
export function unfinished(error: MeshjoinError | undefined): Outcome {
  return error?.retryable === false ? "failed" : "waiting";
}

/** An unreachable cluster that this run is not about: the full run has it (design rule 9). */
function isOfPeer(error: MeshjoinError, subjects: ReadonlySet<string>): boolean {
  return isOutOfReach(error) && !subjects.has(String(error.fields["clusterId"]));
}

function notSynced(reader: string, target: string, status: string): Finding {
  return finding(
    "PairNotSynced",
    `istiod of ${reader} does not show ${target} as synced; it lists it as ${status}`,
    `check that pods of ${reader} reach the API server of ${target}; istiod logs why: kubectl -n istio-system logs deploy/istiod`,
    reader,
  );
}

/** Said once of a reader, whatever its targets: of none of them anything is known. */
function notAsked(reader: string, { message }: MeshjoinError): Finding {
  return finding(
    "PairNotSynced",
    `istiod of ${reader} could not be asked which clusters it has synced: ${message}`,
    "check that its pods are ready: kubectl -n istio-system get pods -l app=istiod; each full run asks again",
    reader,
  );
}

import { faultFinding, isOutOfReach } from "../core/answers/error-finding.ts";
import { type Finding, finding } from "../core/answers/finding.ts";
import { type Outcome, outcomeOf } from "../core/answers/outcome.ts";
import { kubectlOn } from "../core/cluster/gcloud.ts";
import { MeshjoinError } from "../errors.ts";
import type { Evidence } from "../look/istiods.ts";
import { foreignRemoteSecret, gatewayNotListed, type PairPlan } from "../plan/pair.ts";
import type { PairReport } from "../report.ts";

/** By `reader target`: whether the remote secret was written, or the error. */
export type WrittenPairs = ReadonlyMap<string, boolean | MeshjoinError>;

export const keyOf = ({ reader, target }: { readonly reader: string; readonly target: string }) =>
  `${reader} ${target}`;

export interface PairJudgement {
  readonly pair: PairReport;
  readonly findings: readonly Finding[];
}

/** The writes, and the looks after them. */
export interface PairResults {
  readonly subjects: ReadonlySet<string>;
  readonly written: WrittenPairs;
  readonly evidence: ReadonlyMap<string, Evidence>;
}

/** The outcome of a planned pair: pure. */
export function judgePair(plan: PairPlan, { subjects, written, evidence }: PairResults): PairJudgement {
  const { reader, target } = plan;
  const result = written.get(keyOf(plan));
  const renewed = typeof result === "boolean";
  const planned = [...plan.findings, ...(plan.expiring === undefined || renewed ? [] : [plan.expiring])];
  const settle = (outcome: Outcome, counts: boolean, ...findings: Finding[]): PairJudgement => ({
    pair: { reader, target, outcome, counts, causes: [...planned, ...findings] },
    findings: [...planned, ...findings],
  });
  if (result instanceof MeshjoinError) {
    const counts = plan.standing !== "pending" && !isOfPeer(result, subjects);
    const refused = settle(unfinished(result), counts, faultFinding(result, reader));
    return result.retryable ? refused : blocked(refused);
  }
  const isNew = result === true && plan.action !== undefined;
  const outcome = isNew ? outcomeOf(plan.action) : "unchanged";
  switch (plan.standing) {
    case "excluded":
      return settle(outcome, true);
    case "pending":
      if (isNew) return settle(outcome, true);
      // It holds up no other member: there is no pair yet that could be hurt.
      return plan.isClosed === true
        ? blocked(settle("waiting", subjects.has(target)))
        : settle("waiting", false);
    case "blocked":
      return blocked(settle("failed", true));
    case "current":
    case "connect": {
      const look = evidence.get(reader);
      const holder = look?.heldBy.get(target)?.split("/").at(-1);
      if (holder !== undefined) {
        const found = foreignRemoteSecret(plan.readerRef, target, { name: holder, isRead: true });
        return blocked(settle("failed", true, found));
      }
      const status = look === undefined ? "unknown" : look.unsynced.get(target);
      const unknownNetwork = look?.withoutGateway.get(target);
      if (unknownNetwork !== undefined)
        return withSync(true, settle("waiting", true, gatewayNotListed(plan, unknownNetwork)));
      if (status === undefined) return withSync(true, settle(outcome, true));
      const error = look?.error;
      const counts = error === undefined || !isOfPeer(error, subjects);
      const found = error === undefined ? notSynced(plan, status) : notAsked(plan, error);
      const verdict = settle(unfinished(error), counts, found);
      return look === undefined || error !== undefined ? verdict : withSync(false, verdict);
    }
  }
}

function blocked({ pair, ...rest }: PairJudgement): PairJudgement {
  return { ...rest, pair: { ...pair, isBlocked: true } };
}

/** Only for what istiod itself has shown. */
function withSync(isSynced: boolean, { pair, ...rest }: PairJudgement): PairJudgement {
  return { ...rest, pair: { ...pair, isSynced } };
}

/** Of a thing that is not as it should be: time mends it, unless the error says otherwise. */
export function unfinished(error: { readonly retryable: boolean } | undefined): Outcome {
  return error?.retryable === false ? "failed" : "waiting";
}

/** Whether the error is of an unreachable cluster that is no subject: the full run has it (design rule 9). */
function isOfPeer(error: MeshjoinError, subjects: ReadonlySet<string>): boolean {
  return isOutOfReach(error) && !subjects.has(String(error.fields["clusterId"]));
}

function notSynced({ reader, readerRef, target }: PairPlan, status: string): Finding {
  return finding(
    "PairNotSynced",
    `istiod of ${reader} does not show ${target} as synced; it lists it as ${status}`,
    `check that pods of ${reader} reach the API server of ${target}; see why: ${kubectlOn(readerRef)} -n istio-system logs deploy/istiod`,
    reader,
  );
}

/** The same for all targets of a reader, so the report says it once. */
function notAsked({ reader, readerRef }: PairPlan, { message }: MeshjoinError): Finding {
  return finding(
    "PairNotSynced",
    `istiod of ${reader} could not be asked which clusters it has synced: ${message}`,
    `check that its pods are ready: ${kubectlOn(readerRef)} -n istio-system get pods -l app=istiod; each full run asks again`,
    reader,
  );
}

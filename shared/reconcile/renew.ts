import type { Run } from "../apply.ts";
import { type Finding, finding } from "../core/finding.ts";
import type { Outcome } from "../core/outcome.ts";
import type { ReconcileRequest } from "../core/request.ts";
import type { MemberSummary } from "../core/summary.ts";
import type { MemberResult } from "./members.ts";
import type { RollOutInput, RollOutResult } from "./roll-out.ts";
import { BEGIN_WITHIN_MS, type TurnFault, turn } from "./turn.ts";

/** What one member of a batch came to. */
interface Turned {
  readonly clusterId: string;
  readonly fault: TurnFault | undefined;
}

/**
 * Another intermediate for every member that is due, a share of them at a time, and none after one that does not come out
 * whole. One that has not loaded its last intermediate counts as such from the start, so that no later run goes on over it; only
 * what is about to expire is renewed all the same.
 */
export async function renewIntermediates(
  run: Run,
  input: Omit<RollOutInput, "isWhole">,
  summaries: readonly MemberSummary[],
  { atOnce = false }: ReconcileRequest,
): Promise<RollOutResult> {
  const outcomes = new Map<string, Outcome>();
  const nothing = { outcomes, findings: [], errors: [], unfinished: false };
  const all = input.results.filter(({ renewal }) => renewal !== undefined);
  const unloaded = summaries.filter(({ findings }) => findings.some(isUnloaded));
  const due = unloaded.length === 0 || atOnce ? all : all.filter(isUrgent);
  if (due.length === 0) {
    const findings = all.length === 0 ? [] : [held(all.length, unloaded)];
    return { ...nothing, findings };
  }
  const size = atOnce ? due.length : Math.max(1, Math.floor(run.spec.rotationShare * input.clusters.length));
  const started = performance.now();
  for (let begin = 0; begin < due.length; begin += size) {
    if (run.signal.aborted || performance.now() - started > BEGIN_WITHIN_MS) {
      return { ...nothing, unfinished: true };
    }
    const batch = due.slice(begin, begin + size);
    const turned = await Promise.all(batch.map((result) => oneTurn(run, input, result)));
    for (const { clusterId, fault } of turned) outcomes.set(clusterId, fault?.outcome ?? "updated");
    const faults = turned.flatMap(({ fault }) => fault ?? []);
    if (faults.length > 0) {
      const left = all.length - begin - batch.length;
      const failed = faults.some(({ outcome }) => outcome === "failed");
      const names = turned.flatMap(({ clusterId, fault }) => (fault === undefined ? [] : [clusterId]));
      return {
        outcomes,
        findings: [
          ...(failed && left > 0 ? [stopped(names, left)] : []),
          ...faults.flatMap(({ findings }) => findings),
        ],
        errors: faults.flatMap(({ errors }) => errors),
        unfinished: !failed,
      };
    }
  }
  return nothing;
}

async function oneTurn(
  run: Run,
  input: Omit<RollOutInput, "isWhole">,
  result: MemberResult,
): Promise<Turned> {
  const { clusterId, renewal } = result;
  return { clusterId, fault: renewal && (await turn(run, input, result, renewal)) };
}

function isUnloaded({ reason }: Finding): boolean {
  return reason === "CertificateNotLoaded" || reason === "CertificateLoading";
}

function isUrgent({ findings }: MemberResult): boolean {
  return findings.some(({ reason }) => reason === "CertificateExpiring");
}

function held(count: number, unloaded: readonly MemberSummary[]): Finding {
  const names = unloaded.map(({ clusterId }) => clusterId).join(", ");
  return finding(
    "RotationHeld",
    `${count} members wait for another intermediate until ${names} serves the one that was written for it`,
    "see what the finding of that member says; the next full run goes on",
  );
}

function stopped(names: readonly string[], left: number): Finding {
  return finding(
    "RotationStopped",
    `the rotation of intermediates stopped at ${names.join(", ")}; ${left} members keep theirs for now`,
    "mend what its findings name; the next full run goes on",
  );
}

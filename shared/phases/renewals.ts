import type { Run } from "../apply.ts";
import { type Finding, finding } from "../core/finding.ts";
import type { Outcome } from "../core/outcome.ts";
import type { ReconcileRequest } from "../core/request.ts";
import type { MemberResult } from "./own-halves.ts";
import type { RollOutInput, RollOutResult } from "./roll-out.ts";
import { BEGIN_WITHIN_MS, type TurnFault, turn } from "./turn.ts";

/** What one member of a batch came to. */
interface Turned {
  readonly clusterId: string;
  readonly fault: TurnFault | undefined;
}

/**
 * Another intermediate for every member that is due, a share of them at a time, and none after one that does not come out
 * whole. Those that do not serve the intermediate that they have (`unloaded`, cluster IDs) count as such from the start, so that no
 * later run goes on over them; only what is about to expire is renewed all the same.
 */
export async function renewIntermediates(
  run: Run,
  input: Omit<RollOutInput, "isWhole">,
  unloaded: readonly string[],
  { atOnce = false }: ReconcileRequest,
): Promise<RollOutResult> {
  const outcomes = new Map<string, Outcome>();
  const due = input.results.filter(({ renewal }) => renewal !== undefined);
  const begun = unloaded.length === 0 || atOnce ? due : due.filter(isUrgent);
  const size = atOnce ? due.length : Math.max(1, Math.floor(run.spec.rotationShare * input.clusters.length));
  const started = performance.now();
  const faults: (TurnFault & { readonly clusterId: string })[] = [];
  let left = begun;
  while (left.length > 0) {
    if (run.signal.aborted || performance.now() - started > BEGIN_WITHIN_MS) break;
    const batch = left.slice(0, size);
    const turned = await Promise.all(batch.map((result) => oneTurn(run, input, result)));
    for (const { clusterId, fault } of turned) outcomes.set(clusterId, fault?.outcome ?? "updated");
    faults.push(...turned.flatMap(({ clusterId, fault }) => (fault ? [{ clusterId, ...fault }] : [])));
    left = left.slice(size).filter((result) => faults.length === 0 || isUrgent(result));
  }
  const kept = due.length - outcomes.size;
  const isStopped = faults.some(({ outcome }) => outcome === "failed");
  return {
    outcomes,
    findings: [
      ...(kept > 0 && begun.length < due.length ? [held(kept, unloaded)] : []),
      ...(kept > 0 && isStopped ? [stopped(faults, kept)] : []),
      ...faults.flatMap(({ findings }) => findings),
    ],
    errors: faults.flatMap(({ errors }) => errors),
    unfinished: left.length > 0 || (faults.length > 0 && !isStopped),
  };
}

async function oneTurn(
  run: Run,
  input: Omit<RollOutInput, "isWhole">,
  result: MemberResult,
): Promise<Turned> {
  const { clusterId, renewal } = result;
  return { clusterId, fault: renewal && (await turn(run, input, result, renewal)) };
}

function isUrgent({ findings }: MemberResult): boolean {
  return findings.some(({ reason }) => reason === "CertificateExpiring");
}

function held(count: number, unloaded: readonly string[]): Finding {
  return finding(
    "RotationHeld",
    `${count} members wait for another intermediate until ${unloaded.join(", ")} serves the one that was written for it`,
    "see what the finding of that member says; the next full run goes on",
  );
}

function stopped(faults: readonly { readonly clusterId: string }[], left: number): Finding {
  const names = faults.map(({ clusterId }) => clusterId).join(", ");
  return finding(
    "RotationStopped",
    `the rotation of intermediates stopped at ${names}; ${left} members keep theirs for now`,
    "mend what its findings name; the next full run goes on",
  );
}

import type { Reason } from "../shared/core/answers/reasons.ts";
import type { Summary } from "../shared/core/answers/summary.ts";
import { type Place, placeOf } from "../shared/core/cluster/sources.ts";
import type { NamedCluster } from "../shared/core/member/observation.ts";
import { MeshjoinError } from "../shared/errors.ts";
import type { OperatorRun } from "../shared/operator.ts";
import type { Reconciled } from "../shared/reconcile.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { renderSummary } from "./render/summary.ts";
import { namesFor } from "./screen.ts";
import { errorText, type Session } from "./session.ts";

/** Of these no run does anything before a person has decided: a run that finds one has failed. */
const UNDECIDED = ["MassLeave", "NotConfigured", "MassDrain"] as const;
/** Nor may a script go on after these. */
const NEED_A_PERSON: readonly Reason[] = [...UNDECIDED, "DrainsTogether"];
/** Findings that a person may confirm to `sync`, which never begins another version of Istio. */
export const CONFIRMABLE = [
  ...UNDECIDED,
  "NetworkChanges",
  "GatewayInUse",
  "IngressInUse",
  "TrafficDefaultsDiffer",
  "RollOutWaits",
] as const;
export type Confirmable = (typeof CONFIRMABLE)[number];

/** `sync --yes` confirms these. A project that the configuration leaves out must be confirmed by name. */
export const CONFIRMED_BY_YES: readonly Confirmable[] = ["MassLeave"];

/** Shows the result of a run. */
export function showReconciled(session: Session, reconciled: Reconciled): void {
  sayErrors(session, reconciled);
  session.show(reconciled.summary, (summary, screen) =>
    renderSummary(summary, screen, namesFor(screen, reconciled.members.map(placed))),
  );
}

/**
 * A look at the world after a run, with a deadline of its own. Where it fails, the result of the run is shown
 * without it.
 */
export async function lookAfter<T>(
  session: Session,
  reconciled: Reconciled,
  look: (run: OperatorRun) => Promise<T>,
): Promise<T | undefined> {
  try {
    const seen = await session.withRun(look);
    sayErrors(session, reconciled);
    return seen;
  } catch (error) {
    if (!(error instanceof MeshjoinError)) throw error;
    session.say(errorText(error, session.verbose));
    showReconciled(session, reconciled);
    return undefined;
  }
}

/** A member with its place, which gives its short name. */
export function placed({ clusterId, cluster }: NamedCluster): Place & { readonly clusterId: string } {
  return { clusterId, ...placeOf(cluster.ref) };
}

/** The errors of a run that no finding quotes; all of them where a person wants to know more. */
function sayErrors(session: Session, { summary, errors }: Reconciled): void {
  const { verbose } = session;
  const quoted = new Set(verbose ? [] : findingsOf(summary).map(({ message }) => message));
  for (const error of errors.filter(({ message }) => !quoted.has(message)))
    session.say(errorText(error, verbose));
}

export function exitCodeOfRun({ summary, retry }: Reconciled): ExitCode {
  if (summary.outcome === "failed" || waitsForPerson(summary)) return EXIT.failed;
  return retry ? EXIT.retry : EXIT.done;
}

/** Of a command that has looked at the world after its run: it is done only where all is as it should be. */
export function exitCodeIf(isThere: boolean, reconciled: Reconciled): ExitCode {
  const code = exitCodeOfRun(reconciled);
  return code === EXIT.done && !isThere ? EXIT.retry : code;
}

function waitsForPerson({ findings }: Summary): boolean {
  return findings.some(({ reason }) => NEED_A_PERSON.includes(reason));
}

function findingsOf({ members, findings }: Summary) {
  return [...members.flatMap((member) => member.findings), ...findings];
}

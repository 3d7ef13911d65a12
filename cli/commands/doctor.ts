import { type Diagnosis, worstState } from "../../shared/core/check.ts";
import { diagnose } from "../doctor/diagnose.ts";
import { functionsView } from "../doctor/functions-view.ts";
import { diagnoseProjects } from "../doctor/preflight/diagnose-projects.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { functionUrl } from "../function-url.ts";
import { renderDiagnosis } from "../render/diagnosis.ts";
import type { Session } from "../session.ts";

export async function doctor(session: Session, url: string | undefined): Promise<ExitCode> {
  const { host } = session;
  const target = url === undefined ? undefined : functionUrl(url);
  const [{ checks: own }, theirs] = await Promise.all([
    diagnose(host),
    target === undefined ? [] : functionsView(host, target),
  ]);
  const diagnosis: Diagnosis = { checks: [...own, ...theirs] };
  session.show(diagnosis, renderDiagnosis);
  return exitCodeOf(diagnosis);
}

/** Before anything is deployed: what a first apply needs. */
export async function preflight(session: Session, region: string): Promise<ExitCode> {
  const diagnosis = await diagnoseProjects(session.host, { region });
  session.show(diagnosis, renderDiagnosis);
  return exitCodeOf(diagnosis);
}

function exitCodeOf({ checks }: Diagnosis): ExitCode {
  const misconfigured = checks.some(({ name, state }) => name === "configuration" && state === "fault");
  if (misconfigured) return EXIT.usage;
  return { ok: EXIT.done, fault: EXIT.failed, unknown: EXIT.retry }[worstState(checks)];
}

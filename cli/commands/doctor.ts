import { type Diagnosis, worstState } from "../../shared/core/check.ts";
import { diagnose } from "../doctor/diagnose.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { renderDiagnosis } from "../render/diagnosis.ts";
import type { Session } from "../session.ts";

export async function doctor(session: Session): Promise<ExitCode> {
  const diagnosis = await diagnose(session.host);
  session.show(diagnosis, renderDiagnosis);
  return exitCodeOf(diagnosis);
}

function exitCodeOf({ checks }: Diagnosis): ExitCode {
  const misconfigured = checks.some(({ name, state }) => name === "configuration" && state === "fault");
  if (misconfigured) return EXIT.usage;
  return { ok: EXIT.done, fault: EXIT.failed, unknown: EXIT.retry }[worstState(checks)];
}

import { diagnose } from "../doctor/diagnose.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { renderDiagnosis } from "../render/diagnosis.ts";
import type { Session } from "../session.ts";

export async function doctor(session: Session): Promise<ExitCode> {
  const diagnosis = await diagnose(session.host);
  session.show(diagnosis, renderDiagnosis);
  if (diagnosis.ok) return EXIT.done;
  const misconfigured = diagnosis.checks.some(({ check, ok }) => check === "configuration" && !ok);
  return misconfigured ? EXIT.usage : EXIT.failed;
}

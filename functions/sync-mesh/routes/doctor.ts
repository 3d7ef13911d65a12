import type { Diagnosis } from "../../../shared/core/answers/check.ts";
import { examineReconciler } from "../../../shared/doctor/examine.ts";
import { examineElsewhere } from "../../../shared/doctor/other-accounts.ts";
import type { Answer } from "../../http/answer.ts";
import { parseDoctorQuery } from "../../http/doctor-query.ts";
import type { Exchange } from "../../http/serve.ts";
import type { Instance } from "../instance.ts";

/** `GET /doctor`: the reconciler's own checks, and those that the other functions report. */
export async function getDoctor({ runtime, withRun }: Instance, { query, log }: Exchange): Promise<Answer> {
  const member = parseDoctorQuery(query);
  const { signerUrl } = runtime;
  const checks = await withRun(log, ({ ports, spec, signal }) =>
    Promise.all([
      examineReconciler({ ports, spec, signerUrl, member, signal }),
      examineElsewhere(ports.examiners, member, signal),
    ]),
  );
  return { status: 200, body: { checks: checks.flat() } satisfies Diagnosis };
}

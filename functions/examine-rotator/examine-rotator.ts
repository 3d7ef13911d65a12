import type { Diagnosis } from "../../shared/core/answers/check.ts";
import { examineRotator } from "../../shared/doctor/examine.ts";
import type { RotatorRun } from "../../shared/rotate/change-roots.ts";
import { logProgress } from "../../shared/run-log.ts";
import type { Runtime } from "../../shared/runtime.ts";
import { type Answer, loggedErrorAnswer } from "../http/answer.ts";
import { parseDoctorQuery } from "../http/doctor-query.ts";
import type { HttpRequest } from "../http/request.ts";
import { type Handler, serve } from "../http/serve.ts";

/**
 * The checks of the rotator under its own account. A caller of `on-rotation-request` may order a rotation, so
 * this is a function of its own, which orders and changes nothing. IAM admits the reconciler alone. It never
 * throws.
 */
export function rotatorExamination(
  runtime: Runtime<RotatorRun>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): (request: HttpRequest) => Promise<Answer> {
  const doctor: Handler = async ({ query, log }) => {
    const member = parseDoctorQuery(query);
    const { signerUrl } = runtime;
    const checks = await runtime.withRun(logProgress(log), ({ ports, spec, signal }) =>
      examineRotator({ ports, spec, signerUrl, member, signal }),
    );
    return { status: 200, body: { checks } satisfies Diagnosis };
  };
  const routes = { "/doctor": { GET: doctor } };
  return serve(routes, { log: runtime.log, environment, answerError: loggedErrorAnswer });
}

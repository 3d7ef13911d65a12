import type { Diagnosis } from "../shared/core/check.ts";
import { examineRotator } from "../shared/doctor/examine.ts";
import { InputError } from "../shared/errors.ts";
import { traceFields } from "../shared/log.ts";
import type { RotatorRun } from "../shared/rotate/change-roots.ts";
import { logProgress } from "../shared/run-log.ts";
import type { Runtime } from "../shared/runtime.ts";
import { type Answer, errorAnswer } from "./http/answer.ts";
import { parseDoctorQuery } from "./http/input.ts";
import { levelOf } from "./http/level.ts";
import { type HttpRequest, header, type Routes, refuseUnrouted } from "./http/request.ts";

const ROUTES: Routes = { "/doctor": ["GET"] };

/**
 * What the rotator is allowed, under its own account. `on-rotation-request` takes messages, and who may call it may order a
 * rotation; so this is a function of its own, which orders nothing and changes nothing. It sits behind IAM, which lets in the
 * reconciler. It never throws.
 */
export function rotatorExamination(
  runtime: Runtime<RotatorRun>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): (request: HttpRequest) => Promise<Answer> {
  return async (request) => {
    const url = new URL(request.url, "http://localhost");
    const refused = refuseUnrouted(request, url.pathname, ROUTES);
    if (refused !== undefined) return refused;
    const trace = traceFields(header(request, "traceparent"), environment["GOOGLE_CLOUD_PROJECT"]);
    const log = runtime.log.child(trace);
    try {
      const member = parseDoctorQuery(url.searchParams);
      const { signerUrl } = runtime;
      const checks = await runtime.withRun(logProgress(log), ({ ports, spec, signal }) =>
        examineRotator({ ports, spec, signerUrl, member, signal }),
      );
      return { status: 200, body: { checks } satisfies Diagnosis };
    } catch (error) {
      if (!(error instanceof InputError)) log[levelOf(error)]({ err: error }, "request failed");
      return errorAnswer(error);
    }
  };
}

import type { Diagnosis } from "../shared/core/check.ts";
import { examineSigner } from "../shared/doctor/examine.ts";
import { MeshjoinError, RootError } from "../shared/errors.ts";
import { type Logger, traceFields } from "../shared/log.ts";
import { parseCertificatePem } from "../shared/pki/certificate.ts";
import type { SignerRuntime } from "../shared/runtime.ts";
import { signForMember } from "../shared/signing.ts";
import type { Answer } from "./http/answer.ts";
import { callerOf } from "./http/caller.ts";
import { type HttpRequest, header, type Routes, refuseUnrouted } from "./http/request.ts";
import { signErrorAnswer } from "./http/sign-error.ts";
import { parseSign } from "./http/sign-input.ts";
import type { FitnessBody } from "./http/sign-output.ts";

const ROUTES: Routes = { "/sign": ["POST"], "/trust-bundle": ["GET"], "/check": ["GET"], "/doctor": ["GET"] };

/** Callers wait for longer (shared/adapters/sign-intermediate.ts), so that they hear why there is no certificate. */
const DEADLINE_MS = 45_000;

/**
 * The one holder of the root's key over HTTP: a certificate for a member's CSR (`POST /sign`), and what the mesh trusts
 * (`GET /trust-bundle`). It says whether it can sign (`GET /check`) and what it is allowed (`GET /doctor`), too. It sits behind
 * IAM, which lets in the functions that join and rotate; what it signs it decides itself. Every certificate is one line in its log.
 * It never throws.
 */
export function signIntermediate(
  runtime: SignerRuntime,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): (request: HttpRequest) => Promise<Answer> {
  const project = environment["GOOGLE_CLOUD_PROJECT"];

  async function sign(request: HttpRequest, log: Logger, signal: AbortSignal): Promise<Answer> {
    const { clusterId, csr } = parseSign(request.rawBody ?? Buffer.alloc(0), header(request, "content-type"));
    const { spec } = runtime;
    const issued = await signForMember({ ports: await runtime.ports(), spec, signal }, clusterId, csr);
    const { serial, fingerprint, notAfter } = parseCertificatePem(issued.certificate);
    log.info({ clusterId, serial, fingerprint, notAfter: notAfter.toISOString() }, "intermediate issued");
    return { status: 200, body: issued };
  }

  async function trustBundle(signal: AbortSignal): Promise<Answer> {
    const { authority } = await runtime.ports();
    return { status: 200, body: await authority.trustBundle(signal) };
  }

  async function check(signal: AbortSignal): Promise<Answer> {
    const { authority } = await runtime.ports();
    const { rootVersions, signsUntil } = await authority.check(signal);
    return {
      status: 200,
      body: { rootVersions, signsUntil: signsUntil.toISOString() } satisfies FitnessBody,
    };
  }

  async function doctor(signal: AbortSignal): Promise<Answer> {
    const checks = await examineSigner({ ports: await runtime.ports(), spec: runtime.spec, signal });
    return { status: 200, body: { checks } satisfies Diagnosis };
  }

  return async (request) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const refused = refuseUnrouted(request, pathname, ROUTES);
    if (refused !== undefined) return refused;
    const trace = traceFields(header(request, "traceparent"), project);
    const log = runtime.log.child({ ...trace, caller: callerOf(request) });
    const signal = AbortSignal.timeout(DEADLINE_MS);
    try {
      if (pathname === "/doctor") return await doctor(signal);
      if (pathname === "/check") return await check(signal);
      return await (pathname === "/sign" ? sign(request, log, signal) : trustBundle(signal));
    } catch (error) {
      log[levelOf(error)]({ err: error }, "request failed");
      return signErrorAnswer(error);
    }
  };
}

/** An operator has to do something about a root, and about what nobody expects. A refused caller is told itself. */
function levelOf(error: unknown): "warn" | "error" {
  return error instanceof RootError || !(error instanceof MeshjoinError) ? "error" : "warn";
}

import type { Diagnosis } from "../../shared/core/answers/check.ts";
import { examineSigner } from "../../shared/doctor/examine.ts";
import { MeshjoinError, RootError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import { parseCertificatePem } from "../../shared/pki/certificate.ts";
import type { Fitness } from "../../shared/ports/root-authority.ts";
import type { SignerRuntime } from "../../shared/runtime.ts";
import { signForMember } from "../../shared/sign-for-member.ts";
import type { Answer } from "../http/answer.ts";
import { bodyOf, type HttpRequest, header } from "../http/request.ts";
import { type Exchange, type Handler, serve } from "../http/serve.ts";
import { callerOf } from "./caller.ts";
import { signErrorAnswer } from "./error.ts";
import { parseSign } from "./input.ts";

/** A time is RFC 3339. */
export interface FitnessBody extends Pick<Fitness, "rootVersions"> {
  readonly signsUntil: string;
}

/** Callers wait longer (shared/adapters/root-authority.ts), so they learn why there is no certificate. */
const DEADLINE_MS = 45_000;

/**
 * The only holder of the root's key, over HTTP: a certificate for a member's CSR (`POST /sign`), the trust
 * bundle (`GET /trust-bundle`), whether it can sign (`GET /check`), and the checks of its account (`GET
 * /doctor`). IAM admits the functions that join and rotate; the signer itself decides what to sign. Every
 * certificate is one line in its log. It never throws.
 */
export function signIntermediate(
  runtime: SignerRuntime,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): (request: HttpRequest) => Promise<Answer> {
  const by =
    (handle: (runtime: SignerRuntime, exchange: Exchange, signal: AbortSignal) => Promise<Answer>): Handler =>
    async (exchange) =>
      await handle(runtime, exchange, AbortSignal.timeout(DEADLINE_MS));
  const routes = {
    "/sign": { POST: by(sign) },
    "/trust-bundle": { GET: by(trustBundle) },
    "/check": { GET: by(check) },
    "/doctor": { GET: by(doctor) },
  };
  return serve(routes, {
    log: runtime.log,
    environment,
    fieldsOf: (request) => ({ caller: callerOf(request) }),
    answerError: logAndAnswer,
  });
}

async function sign(
  runtime: SignerRuntime,
  { request, log }: Exchange,
  signal: AbortSignal,
): Promise<Answer> {
  const { clusterId, csr } = parseSign(bodyOf(request), header(request, "content-type"));
  const { spec } = runtime;
  const issued = await signForMember({ ports: await runtime.ports(), spec, signal }, clusterId, csr);
  const { serial, fingerprint, notAfter } = parseCertificatePem(issued.certificate);
  log.info({ clusterId, serial, fingerprint, notAfter: notAfter.toISOString() }, "intermediate issued");
  return { status: 200, body: issued };
}

async function trustBundle(runtime: SignerRuntime, _: Exchange, signal: AbortSignal): Promise<Answer> {
  const { authority } = await runtime.ports();
  return { status: 200, body: await authority.trustBundle(signal) };
}

async function check(runtime: SignerRuntime, _: Exchange, signal: AbortSignal): Promise<Answer> {
  const { authority } = await runtime.ports();
  const { rootVersions, signsUntil } = await authority.check(signal);
  return {
    status: 200,
    body: { rootVersions, signsUntil: signsUntil.toISOString() } satisfies FitnessBody,
  };
}

async function doctor(runtime: SignerRuntime, _: Exchange, signal: AbortSignal): Promise<Answer> {
  const checks = await examineSigner({ ports: await runtime.ports(), spec: runtime.spec, signal });
  return { status: 200, body: { checks } satisfies Diagnosis };
}

/** An operator must mend a root or an unexpected error; any other error is the caller's. */
function logAndAnswer(error: unknown, log: Logger): Answer {
  const isOperators = error instanceof RootError || !(error instanceof MeshjoinError);
  log[isOperators ? "error" : "warn"]({ err: error }, "request failed");
  return signErrorAnswer(error);
}

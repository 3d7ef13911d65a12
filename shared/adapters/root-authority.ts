import { clusterId } from "../core/names.ts";
import { ROOT_ROLES, type RootVersions } from "../core/roots/state.ts";
import { RootError } from "../errors.ts";
import type { Fitness, IssuedCertificate, RootAuthority, TrustBundle } from "../ports/root-authority.ts";
import { property } from "./google-client.ts";
import { notSent, type SignerAnswer, toError } from "./signer-errors.ts";

export interface SignerOptions {
  /** Of the function, without a slash at the end; it is the audience of the tokens, too. */
  readonly url: string;
  readonly identityToken: (audience: string) => Promise<string>;
  readonly timeoutMs?: number;
}

/** Longer than the function gives itself, so that its own word arrives. */
const TIMEOUT_MS = 60_000;
const CERTIFICATE = /^-----BEGIN CERTIFICATE-----\s/;

/**
 * The function `sign-intermediate` as a RootAuthority: a CSR goes out and a certificate comes back, no key travels.
 * What the function fails with is thrown here as the same class, code and message; fields and cause stay in its log.
 * Besides those: RootError `SignerAccessDenied` and `SignerMisplaced`, UnavailableError `SignerUnavailable` and
 * `Cancelled`, and what `identityToken` fails with. Nothing is sent twice: a run is repeated as a whole.
 */
export function signIntermediateAuthority(options: SignerOptions): RootAuthority {
  return {
    async trustBundle(signal) {
      return toTrustBundle(
        await call(options, { method: "GET", path: "/trust-bundle", signal }),
        options.url,
      );
    },
    async check(signal) {
      return toFitness(await call(options, { method: "GET", path: "/check", signal }), options.url);
    },
    async issue(csr, member, signal) {
      const body = JSON.stringify({ clusterId: clusterId(member), csr });
      return toIssued(await call(options, { method: "POST", path: "/sign", body, signal }), options.url);
    },
  };
}

interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: string;
  readonly signal: AbortSignal | undefined;
}

async function call(options: SignerOptions, request: Call): Promise<unknown> {
  const { url } = options;
  const answer = await send(options, request);
  if (answer.status !== 200) throw toError(answer, url);
  return answer.body;
}

async function send(
  { url, identityToken, timeoutMs = TIMEOUT_MS }: SignerOptions,
  { method, path, body, signal }: Call,
): Promise<SignerAnswer> {
  const authorization = `Bearer ${await identityToken(url)}`;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url + path, {
      method,
      headers: { authorization, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body }),
      // The token is for this address alone.
      redirect: "manual",
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    return { status: response.status, body: parsed(await response.text()) };
  } catch (error) {
    throw notSent(error, url, signal);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toTrustBundle(body: unknown, url: string): TrustBundle {
  const trustBundle = property(body, "trustBundle");
  const rootVersions = toVersions(property(body, "rootVersions"));
  if (!isCertificate(trustBundle) || rootVersions === undefined) throw unintelligible(url);
  return { trustBundle, rootVersions };
}

function toFitness(body: unknown, url: string): Fitness {
  const rootVersions = toVersions(property(body, "rootVersions"));
  const signsUntil = new Date(String(property(body, "signsUntil")));
  if (rootVersions === undefined || Number.isNaN(signsUntil.getTime())) throw unintelligible(url);
  return { rootVersions, signsUntil };
}

function toIssued(body: unknown, url: string): IssuedCertificate {
  const certificate = property(body, "certificate");
  if (!isCertificate(certificate)) throw unintelligible(url);
  return { certificate, ...toTrustBundle(body, url) };
}

/** Undefined unless one of them signs: no authority answers with less. */
function toVersions(value: unknown): RootVersions | undefined {
  const versions: RootVersions = Object.fromEntries(
    ROOT_ROLES.map((role) => [role, property(value, role)]).filter(([, version]) => version !== undefined),
  );
  const sound = Object.values(versions).every((version) => Number.isSafeInteger(version) && version > 0);
  return sound && versions.signing !== undefined ? versions : undefined;
}

function isCertificate(value: unknown): value is string {
  return typeof value === "string" && CERTIFICATE.test(value);
}

function unintelligible(url: string): RootError {
  return new RootError(`what ${url} answers is no answer of the function sign-intermediate`, {
    code: "SignerMisplaced",
    cure: "set MESHJOIN_SIGNER_URL to its URL, and deploy both from one build",
    fields: { url },
  });
}

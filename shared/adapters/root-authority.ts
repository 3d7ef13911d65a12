import { clusterId } from "../core/names.ts";
import { ROOT_ROLES, type RootVersions } from "../core/roots/state.ts";
import { RootError } from "../errors.ts";
import type { Fitness, IssuedCertificate, RootAuthority, TrustBundle } from "../ports/root-authority.ts";
import { property } from "./google-client.ts";
import { notSent, type SignerAnswer, toError } from "./signer-errors.ts";

export interface SignerOptions {
  /** The function's URL, without a slash at the end; also the audience of the tokens. */
  readonly url: string;
  readonly identityToken: (audience: string) => Promise<string>;
  readonly timeoutMs?: number;
}

/** Longer than the function's own deadline, so that its answer arrives. */
const TIMEOUT_MS = 60_000;
const CERTIFICATE = /^-----BEGIN CERTIFICATE-----\s/;

/**
 * The function `sign-intermediate` as a RootAuthority: a CSR goes out, a certificate comes back, no key
 * travels. An error of the function is thrown here with the same class, code and message; fields and cause
 * stay in the function's log. Its own errors are RootError `SignerAccessDenied` and `SignerMisplaced`,
 * UnavailableError `SignerUnavailable` and `Cancelled`, and those of `identityToken`. It repeats no request:
 * a run is repeated as a whole.
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

/** Undefined unless one of the versions signs: an authority always has one. */
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
  return new RootError(`the answer of ${url} is not one of the function sign-intermediate`, {
    code: "SignerMisplaced",
    cure: "set MESHJOIN_SIGNER_URL to its URL, and deploy both from one build",
    fields: { url },
  });
}

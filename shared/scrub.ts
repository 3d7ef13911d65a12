const REDACTED = "[redacted]";

/**
 * What must never be read in a log or an answer, in plain text as well as inside JSON, where a line break is `\n`
 * and an escaped quote must keep its backslash: PEM blocks (cut off ones too), PEM in base64, JWTs, Google's
 * access tokens, and whatever an `Authorization` header carries.
 */
const SECRETS: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]+-----(?:[^"\\]|\\[^"])*?(?:-----END [A-Z0-9 ]+-----|(?=\\?"|$))/g,
  /LS0tLS1CRUdJTi[A-Za-z0-9+/=_-]*/g,
  /\beyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,4}/g,
  /\bya29\.[A-Za-z0-9._-]+/g,
  /(?<=\bbearer\s+)[^\s"\\,;]+/gi,
];

/** The text without key material; what is left stays valid JSON if it was. */
export function scrub(text: string): string {
  return SECRETS.reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text);
}

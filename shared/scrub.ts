export const REDACTED = "[redacted]";

/** Of JSON. A secret may stand right behind one, and may not take its last letter along. */
const ESCAPE = String.raw`\\(?:u[\dA-Fa-f]{4}|["\\/bfnrt])`;

/** With the line breaks that `base64` puts in, which are two characters each inside JSON. */
const BASE64 = new RegExp(
  `${ESCAPE}|${String.raw`[A-Za-z0-9+/_-]{24,}={0,2}(?:(?:\\[rn]|[\r\n])+[A-Za-z0-9+/_-]+={0,2}(?=["\\\s]|$))*`}`,
  "g",
);
/** Base64 in base64 is a Secret inside one; more has nobody seen. */
const LAYERS = 2;

/** What must never be read in a log or an answer, wherever it stands in a word. */
const SECRETS: readonly RegExp[] = [
  // PEM, cut off too.
  /-----BEGIN [A-Z0-9 ]+-----(?:[^"\\]|\\[^"])*?(?:-----END [A-Z0-9 ]+-----|(?=\\?"|$))/g,
  // PEM in base64, cut off before it is long enough to be decoded.
  /LS0tLS1CRUdJTi[A-Za-z0-9+/=_-]*/g,
  // JWTs, and Google's access tokens.
  new RegExp(
    `${ESCAPE}|${String.raw`eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,4}`}|${String.raw`ya29\.[A-Za-z0-9._-]+`}`,
    "g",
  ),
  // What an `Authorization` header carries. No lookbehind: one that repeats takes quadratic time.
  /(?<scheme>bearer\s+)[^\s"\\,;]+/gi,
];

/** In what was decoded, a name is enough. */
const SECRET_NAME = /(?:client-key-data|token|password)["']?\s*:/i;

/**
 * The text without key material, in plain text as well as inside JSON; what is left stays valid JSON if it was. Takes time in
 * proportion to the text.
 */
export function scrub(text: string): string {
  return scrubLayer(text, LAYERS);
}

function scrubLayer(text: string, layers: number): string {
  const rest = layers === 0 ? text : text.replaceAll(BASE64, (run) => scrubBase64(run, layers));
  return SECRETS.reduce((scrubbed, secret) => scrubbed.replaceAll(secret, redact), rest);
}

/** Decoded from each of its first characters: what stands right before it may look like a part of it. */
function scrubBase64(run: string, layers: number): string {
  if (run.startsWith("\\")) return run;
  const encoded = run.replaceAll(/\\[rn]|[\r\n]/g, "");
  const hidesSecret = [0, 1, 2, 3].some((start) => {
    const decoded = Buffer.from(encoded.slice(start), "base64").toString("latin1");
    return SECRET_NAME.test(decoded) || scrubLayer(decoded, layers - 1) !== decoded;
  });
  return hidesSecret ? REDACTED : run;
}

function redact(found: string, ...groups: readonly unknown[]): string {
  if (/^\\[^-]/.test(found)) return found;
  const named = groups.at(-1);
  const scheme = typeof named === "object" && named !== null ? Reflect.get(named, "scheme") : undefined;
  return `${typeof scheme === "string" ? scheme : ""}${REDACTED}`;
}

export const REDACTED = "[redacted]";

/** An escape of JSON. A secret may follow it, and its last letter must not count as part of the secret. */
const ESCAPE = String.raw`\\(?:u[\dA-Fa-f]{4}|["\\/bfnrt])`;

/** With the line breaks of `base64`, which are two characters each inside JSON. */
const BASE64 = new RegExp(
  `${ESCAPE}|${String.raw`[A-Za-z0-9+/_-]{24,}={0,2}(?:(?:\\[rn]|[\r\n])+[A-Za-z0-9+/_-]+={0,2}(?=["\\\s]|$))*`}`,
  "g",
);
/** Base64 in base64 is a Secret inside one. Deeper nesting does not occur. */
const LAYERS = 2;

/** Patterns that no log and no answer may show, even inside a word. */
const SECRETS: readonly RegExp[] = [
  // PEM, even cut off.
  /-----BEGIN [A-Z0-9 ]+-----(?:[^"\\]|\\[^"])*?(?:-----END [A-Z0-9 ]+-----|(?=\\?"|$))/g,
  // PEM in base64, cut off too early to be decoded.
  /LS0tLS1CRUdJTi[A-Za-z0-9+/=_-]*/g,
  // JWTs, and Google's access tokens.
  new RegExp(
    `${ESCAPE}|${String.raw`eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,4}`}|${String.raw`ya29\.[A-Za-z0-9._-]+`}`,
    "g",
  ),
  // The value of an `Authorization` header. No lookbehind: a repeated one takes quadratic time.
  /(?<scheme>bearer\s+)[^\s"\\,;]+/gi,
];

/** In decoded text a name is enough. */
const SECRET_NAME = /(?:client-key-data|token|password)["']?\s*:/i;

/** Removes key material from a text. JSON stays valid JSON. Takes time in proportion to the length. */
export function scrub(text: string): string {
  return scrubLayer(text, LAYERS);
}

function scrubLayer(text: string, layers: number): string {
  const rest = layers === 0 ? text : text.replaceAll(BASE64, (run) => scrubBase64(run, layers));
  return SECRETS.reduce((scrubbed, secret) => scrubbed.replaceAll(secret, redact), rest);
}

/** Decodes from each of the first four characters: text before the base64 may look like a part of it. */
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

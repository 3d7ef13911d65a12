import { createPrivateKey } from "node:crypto";

/** Something that Meshjoin has said, and where. */
export interface Said {
  readonly where: string;
  readonly text: string;
}

/** Of a key: so many characters in a row, in any of its forms, are too many. */
const WINDOW = 24;
const PRIVATE_KEY = /-----BEGIN (?:RSA |EC )?PRIVATE KEY-----[^-]+-----END (?:RSA |EC )?PRIVATE KEY-----\n?/g;

/** What must never be read outside a root payload and the Secrets of a member. */
export interface Canaries {
  /** Every private key in the text, PEM, is one from now on. */
  addKeys(text: string): void;
  addToken(token: string): void;
  readonly keys: ReadonlySet<string>;
  readonly tokens: ReadonlySet<string>;
  /** Where Meshjoin has said a secret, and of what kind it is: not the secret itself. */
  leaks(said: Iterable<Said>): string[];
}

export function canaries(): Canaries {
  const keys = new Set<string>();
  const tokens = new Set<string>();
  const fragments = new Set<string>();

  function kindsIn(text: string): string[] {
    return [
      hasFragment(text, fragments) ? ["a piece of a key"] : [],
      [...tokens].some((token) => text.includes(token)) ? ["a token"] : [],
      text.includes("PRIVATE KEY") ? ["the words PRIVATE KEY"] : [],
    ].flat();
  }

  return {
    keys,
    tokens,
    addKeys(text) {
      for (const [pem] of text.matchAll(PRIVATE_KEY)) {
        if (keys.has(pem)) continue;
        keys.add(pem);
        for (const form of formsOf(pem)) for (const piece of windows(form)) fragments.add(piece);
      }
    },
    addToken: (token) => void tokens.add(token),
    leaks(said) {
      return [...said].flatMap(({ where, text }) => kindsIn(text).map((kind) => `${where}: ${kind}`));
    },
  };
}

/** As it stands in PEM; the PEM in base64, wherever in a payload it begins; and the secret number alone. */
function formsOf(pem: string): string[] {
  const d = secretNumber(pem);
  const body = pem.replaceAll(/-----[^-]+-----|\s/g, "");
  const inBase64 = ["", " ", "  "].map((before) =>
    Buffer.from(before + pem)
      .toString("base64")
      .slice(4),
  );
  return [body, ...inBase64, d, Buffer.from(d, "base64url").toString("hex")].map(standard);
}

/** In base64url; nothing of a key that is damaged. */
function secretNumber(pem: string): string {
  try {
    return createPrivateKey(pem).export({ format: "jwk" }).d ?? "";
  } catch {
    return "";
  }
}

/** base64url in the letters of base64. */
function standard(text: string): string {
  return text.replaceAll("-", "+").replaceAll("_", "/");
}

function windows(text: string): string[] {
  const count = Math.max(0, text.length - WINDOW + 1);
  return Array.from({ length: count }, (_, at) => text.slice(at, at + WINDOW));
}

function hasFragment(text: string, fragments: ReadonlySet<string>): boolean {
  const runs = text.match(/[\w+/=-]{24,}/g) ?? [];
  return runs.some((run) => windows(standard(run)).some((piece) => fragments.has(piece)));
}

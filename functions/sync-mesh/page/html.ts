/** JSON holds no symbol, so no value that was read can pass for markup. */
const MARKUP = Symbol("markup");

/** Markup that is safe to send; only `html` makes it. */
export interface Html {
  readonly [MARKUP]: string;
}

/** A value in a template; `undefined` renders as nothing. */
export type Part = Html | string | number | undefined | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Characters that are invisible or change the direction of the text: controls, formats, separators, lone
 * surrogates. Line breaks, tabs and the two joiners of scripts and emoji stay.
 */
const UNSEEN = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Safe as text and in a quoted attribute; shows invisible characters as `\u{202e}`. */
function escaped(text: string): string {
  return text
    .replaceAll(UNSEEN, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

function rendered(part: Part): string {
  if (part === undefined) return "";
  if (typeof part !== "object") return escaped(String(part));
  return MARKUP in part ? part[MARKUP] : part.map(rendered).join("");
}

/** Escapes every part that is not markup. The template itself must quote a value in an attribute. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { [MARKUP]: strings.map((text, index) => text + rendered(parts[index])).join("") };
}

/** The text to send. */
export function source(markup: Html): string {
  return markup[MARKUP];
}

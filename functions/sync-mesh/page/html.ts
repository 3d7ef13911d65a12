/** No JSON holds a symbol: nothing that was read from somewhere passes for markup. */
const MARKUP = Symbol("markup");

/** Markup that may be sent as it is; only `html` makes it. */
export interface Html {
  readonly [MARKUP]: string;
}

/** What may stand in a template; `undefined` stands for nothing. */
export type Part = Html | string | number | undefined | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * What shows nothing by itself, or turns the direction of what follows: controls, formats, separators, halves of
 * characters. Line breaks and tabs stay, and so do the two joiners that scripts and emoji are written with.
 */
const UNSEEN = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Safe as text and within a quoted attribute; what cannot be seen is named, as `\u{202e}`. */
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

/** Everything is escaped but other markup. A value in an attribute stands between quotes, in the template. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { [MARKUP]: strings.map((text, index) => text + rendered(parts[index])).join("") };
}

/** The text to send. */
export function source(markup: Html): string {
  return markup[MARKUP];
}

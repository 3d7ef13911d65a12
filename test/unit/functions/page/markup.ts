/** One tag of a document, as it is written. */
export interface Tag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly kind: "open" | "close" | "empty";
}

const TAG =
  /^<(?<close>\/?)(?<name>[a-zA-Z][a-zA-Z0-9]*)(?<attributes>(?:\s+[-a-zA-Z]+(?:="[^"<>]*")?)*)\s*(?<empty>\/?)>/;
const ATTRIBUTE = /(?<name>[-a-zA-Z]+)(?:="(?<value>[^"]*)")?/g;
/** https://html.spec.whatwg.org/multipage/syntax.html#void-elements */
const VOID = ["br", "input", "link", "meta"];

function attributesOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(ATTRIBUTE)].map(({ groups = {} }) => [groups["name"] ?? "", groups["value"] ?? ""]),
  );
}

/**
 * Every tag in turn; fails on a `<` or `>` that belongs to none, and on an attribute without double quotes.
 */
export function tagsOf(document: string): Tag[] {
  const tags: Tag[] = [];
  const body = document.replace("<!doctype html>", "").replace(/<(style|script)>[^<]*<\/\1>/g, "");
  for (const part of body.split(/(?=<)/).slice(1)) {
    const match = TAG.exec(part);
    const rest = part.slice(match?.[0].length ?? 0);
    if (match?.groups === undefined || /[<>]/.test(rest)) throw new Error(`no tag: ${part.slice(0, 200)}`);
    const { close, name = "", attributes = "", empty } = match.groups;
    const isEmpty = empty !== "" || VOID.includes(name);
    tags.push({
      name,
      attributes: attributesOf(attributes),
      kind: close !== "" ? "close" : isEmpty ? "empty" : "open",
    });
  }
  return tags;
}

/** The elements and the names of their attributes, without any text: what a hostile text must not change. */
export function skeletonOf(document: string): string[] {
  return tagsOf(document).map(({ name, attributes, kind }) => [kind, name, ...attributes.keys()].join(" "));
}

/** Elements that are closed by another, or not at all; none for a document in order. */
export function unbalanced(document: string): string[] {
  const open: string[] = [];
  const faults: string[] = [];
  for (const { name, kind } of tagsOf(document)) {
    if (kind === "open") open.push(name);
    if (kind !== "close") continue;
    const last = open.pop();
    if (last !== name) faults.push(`<${last ?? "nothing"}> is closed by </${name}>`);
  }
  return [...faults, ...open.map((name) => `<${name}> is not closed`)];
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
};

/** What a person reads in a part of a document: no tags, and every run of blanks as one. */
export function textOf(markup: string): string {
  const body = markup.replace(/<(style|script|title)>[^<]*<\/\1>/g, " ");
  return body
    .replace(/<\/?(?:a|strong|code|small|span|time|b)\b[^>]*>/g, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? "")
    .replace(/\s+/g, " ")
    .trim();
}

/** The section of that ID as it is written; empty if there is none. */
export function sectionOf(document: string, id: string): string {
  const from = document.indexOf(`<section id="${id}"`);
  return from === -1 ? "" : document.slice(from, document.indexOf("</section>", from));
}

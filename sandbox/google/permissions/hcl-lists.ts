/** What a reader of lists needs of HCL: no arithmetic, no conditions, no templates. */
interface Token {
  readonly kind: "text" | "name" | "sign";
  readonly value: string;
}

type Tokens = readonly Token[];

const TOKEN =
  /(?<space>\s+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|"(?<text>(?:[^"\\]|\\.)*)"|(?<name>[A-Za-z_][\w.-]*)|(?<sign>[^\s])/y;

/** Comments and white space left out. */
function tokensOf(hcl: string): Token[] {
  const tokens: Token[] = [];
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < hcl.length; ) {
    const groups = TOKEN.exec(hcl)?.groups ?? {};
    const kind = (["text", "name", "sign"] as const).find((each) => groups[each] !== undefined);
    if (kind !== undefined) tokens.push({ kind, value: groups[kind] ?? "" });
  }
  return tokens;
}

/**
 * The local value `name` of a Terraform file: an object of lists of texts, by key. Lists may be other locals
 * of the file, or several in `concat(…)`. Anything else fails: a list that was read in part would prove
 * nothing.
 */
export function readLists(hcl: string, name: string): ReadonlyMap<string, readonly string[]> {
  const tokens = tokensOf(hcl);
  let at = definitionOf(tokens, name);
  if (tokens[at]?.value !== "{") throw unreadable(tokens, at);
  const lists = new Map<string, readonly string[]>();
  for (at += 1; tokens[at]?.value !== "}"; ) {
    const key = tokens[at];
    if (key === undefined || key.kind === "sign" || tokens[at + 1]?.value !== "=")
      throw unreadable(tokens, at);
    const list = readList(tokens, at + 2);
    lists.set(key.value, list.texts);
    at = list.end;
  }
  return lists;
}

function definitionOf(tokens: Tokens, name: string): number {
  const at = tokens.findIndex(
    ({ kind, value }, index) => kind === "name" && value === name && tokens[index + 1]?.value === "=",
  );
  if (at !== -1) return at + 2;
  throw new Error(`there is no local.${name} in the file of the permissions; define it there`);
}

interface Texts {
  readonly texts: readonly string[];
  /** Where the expression ends. */
  readonly end: number;
}

function readList(tokens: Tokens, start: number): Texts {
  const first = tokens[start];
  if (first?.kind === "name" && first.value.startsWith("local.")) {
    const { texts } = readList(tokens, definitionOf(tokens, first.value.slice("local.".length)));
    return { texts, end: start + 1 };
  }
  if (first?.value === "concat") return readItems(tokens, start + 2, ")", (at) => readList(tokens, at));
  if (first?.value === "[") return readItems(tokens, start + 1, "]", (at) => readText(tokens, at));
  throw unreadable(tokens, start);
}

function readText(tokens: Tokens, at: number): Texts {
  const item = tokens[at];
  if (item?.kind === "text" && !item.value.includes("${")) return { texts: [item.value], end: at + 1 };
  throw unreadable(tokens, at);
}

function readItems(tokens: Tokens, start: number, close: string, readItem: (at: number) => Texts): Texts {
  const texts: string[] = [];
  let at = start;
  while (tokens[at]?.value !== close) {
    const item = readItem(at);
    texts.push(...item.texts);
    at = item.end;
    if (tokens[at]?.value === ",") at += 1;
    else if (tokens[at]?.value !== close) throw unreadable(tokens, at);
  }
  return { texts, end: at + 1 };
}

function unreadable(tokens: Tokens, at: number): Error {
  const near = tokens.slice(Math.max(at - 3, 0), at + 3).map(({ value }) => value);
  return new Error(`permissions near "${near.join(" ")}" cannot be read; write them as a list of texts`);
}

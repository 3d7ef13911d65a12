/** A filter of the Logging query language, as far as it is used here. */
export type Query =
  | { readonly kind: "and" | "or"; readonly of: readonly Query[] }
  | { readonly kind: "not"; readonly of: Query }
  | { readonly kind: "log"; readonly id: string }
  | {
      readonly kind: "comparison";
      readonly path: string;
      readonly operator: string;
      readonly values: readonly string[];
    };

interface Token {
  readonly kind: "string" | "word" | "sign";
  readonly text: string;
}

const TOKEN = /\s*(?:"(?<string>(?:[^"\\]|\\.)*)"|(?<sign>=~|!~|!=|>=|<=|[=<>:()*])|(?<word>[\w.-]+))/y;

function tokensOf(filter: string): Token[] {
  const pattern = new RegExp(TOKEN);
  const text = filter.trim();
  const tokens: Token[] = [];
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const groups = pattern.exec(text)?.groups;
    if (groups === undefined) throw new Error(`cannot be read from here on: ${text.slice(at, at + 40)}`);
    const kind = (["string", "sign", "word"] as const).find((each) => groups[each] !== undefined) ?? "word";
    tokens.push({ kind, text: unescaped(kind, groups[kind] ?? "") });
  }
  return tokens;
}

function unescaped(kind: Token["kind"], text: string): string {
  return kind === "string" ? text.replaceAll(/\\(["\\])/g, "$1") : text;
}

/** NOT binds closest, then OR, then AND, which may also be left out. Fails on any other text. */
export function parseQuery(filter: string): Query {
  const tokens = tokensOf(filter);
  const peek = (text: string) => tokens[0]?.kind !== "string" && tokens[0]?.text === text;
  const accept = (text: string) => peek(text) && tokens.shift() !== undefined;
  const expect = (text: string) => {
    if (!accept(text)) throw new Error(`${text} was expected before ${tokens[0]?.text ?? "the end"}`);
  };

  function conjunction(): Query {
    const of = [disjunction()];
    while (tokens.length > 0 && !peek(")")) {
      accept("AND");
      of.push(disjunction());
    }
    return of.length === 1 && of[0] !== undefined ? of[0] : { kind: "and", of };
  }

  function disjunction(): Query {
    const of = [negation()];
    while (accept("OR")) of.push(negation());
    return of.length === 1 && of[0] !== undefined ? of[0] : { kind: "or", of };
  }

  function negation(): Query {
    return accept("NOT") ? { kind: "not", of: negation() } : primary();
  }

  function primary(): Query {
    if (accept("(")) {
      const inner = conjunction();
      expect(")");
      return inner;
    }
    const path = next("word");
    if (path === "log_id") return logId();
    const operator = next("sign");
    return { kind: "comparison", path, operator, values: values() };
  }

  function logId(): Query {
    expect("(");
    const id = next("string");
    expect(")");
    return { kind: "log", id };
  }

  /** One, or several in parentheses with OR between them. */
  function values(): string[] {
    if (!accept("(")) return [value()];
    const all = [value()];
    while (accept("OR")) all.push(value());
    expect(")");
    return all;
  }

  function value(): string {
    const token = tokens.shift();
    if (token === undefined || (token.kind === "sign" && token.text !== "*")) {
      throw new Error(`a value was expected before ${token?.text ?? "the end"}`);
    }
    return token.text;
  }

  function next(kind: Token["kind"]): string {
    const token = tokens.shift();
    if (token?.kind !== kind)
      throw new Error(`a ${kind} was expected, and there is ${token?.text ?? "nothing"}`);
    return token.text;
  }

  const query = conjunction();
  if (tokens.length > 0) throw new Error(`nothing was expected any more before ${tokens[0]?.text}`);
  return query;
}

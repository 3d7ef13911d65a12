import { parseQuery, type Query } from "./parse.ts";

/** A `LogEntry` of Cloud Logging. */
export type Entry = Readonly<Record<string, unknown>>;

/** https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#LogSeverity */
const SEVERITIES = [
  "DEFAULT",
  "DEBUG",
  "INFO",
  "NOTICE",
  "WARNING",
  "ERROR",
  "CRITICAL",
  "ALERT",
  "EMERGENCY",
];

/**
 * Whether a filter in the Logging query language lets an entry through, for the part of the language that
 * `terraform/` and `docs/runbook.md` use; the rest is refused, not guessed.
 * https://cloud.google.com/logging/docs/view/logging-query-language
 */
export function matches(filter: string, entry: Entry): boolean {
  return holds(parseQuery(filter), entry);
}

function holds(query: Query, entry: Entry): boolean {
  switch (query.kind) {
    case "and":
      return query.of.every((each) => holds(each, entry));
    case "or":
      return query.of.some((each) => holds(each, entry));
    case "not":
      return !holds(query.of, entry);
    case "log":
      return isOfLog(entry, query.id);
    case "comparison":
      // A field that is not there makes every comparison false.
      return valuesAt(entry, query.path.split(".")).some((value) =>
        query.values.some((wanted) => compare(value, { ...query, wanted })),
      );
  }
}

function isOfLog({ logName }: Entry, id: string): boolean {
  return typeof logName === "string" && logName.endsWith(`/logs/${encodeURIComponent(id)}`);
}

/** All elements of a repeated field count. */
function valuesAt(value: unknown, path: readonly string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((each) => valuesAt(each, path));
  const [step, ...rest] = path;
  if (value === undefined || value === null) return [];
  if (step === undefined) return [value];
  return typeof value === "object" ? valuesAt(Reflect.get(value, step), rest) : [];
}

interface Comparison {
  readonly path: string;
  readonly operator: string;
  readonly wanted: string;
}

function compare(value: unknown, { path, operator, wanted }: Comparison): boolean {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  switch (operator) {
    case ":":
      if (wanted !== "*") throw new Error(`${path}:${wanted} is not understood here: only ${path}:* is`);
      return true;
    case "=":
      return text.toLowerCase() === wanted.toLowerCase();
    case "=~":
      return new RegExp(wanted, "u").test(text);
    case ">":
      return order(path, text) > order(path, wanted);
    case ">=":
      return order(path, text) >= order(path, wanted);
    default:
      throw new Error(`operator ${operator} is not understood here`);
  }
}

function order(path: string, value: string): number {
  if (path === "severity") return SEVERITIES.indexOf(value);
  return path === "timestamp" ? Date.parse(value) : Number(value);
}

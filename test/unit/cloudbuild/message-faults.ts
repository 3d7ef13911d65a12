import { nearest } from "../../../shared/nearest.ts";

interface Field {
  readonly type: string;
  readonly list?: boolean;
  /** From texts to `type`. */
  readonly map?: boolean;
  /** The API fills it in. */
  readonly output?: boolean;
}

/** Messages and enums by name; test/support/fixtures/cloudbuild/messages.json. */
export type Messages = Readonly<
  Record<string, { readonly fields?: Readonly<Record<string, Field>>; readonly values?: readonly string[] }>
>;

/** Of protobuf's JSON form; https://protobuf.dev/programming-guides/json/ */
const SCALARS: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  bytes: (value) => typeof value === "string",
  bool: (value) => typeof value === "boolean",
  int32: Number.isInteger,
  int64: (value) => Number.isInteger(value) || (typeof value === "string" && /^-?\d+$/.test(value)),
  "google.protobuf.Duration": (value) => typeof value === "string" && /^\d+(?:\.\d{1,9})?s$/.test(value),
};

/** Every key that the message does not have, and every value of another shape, by its path. */
export function messageFaults(messages: Messages, type: string, value: unknown, path = ""): string[] {
  const { fields } = messages[type] ?? {};
  if (fields === undefined) return valueFaults(messages, type, value, path);
  if (!isObject(value)) return [`${path || type}: this is no ${type}`];
  return Object.entries(value).flatMap(([key, each]) => {
    const at = path === "" ? key : `${path}.${key}`;
    const field = fields[key];
    if (field === undefined) return [`${at}: ${type} has no such field${hint(key, Object.keys(fields))}`];
    if (field.output === true) return [`${at}: only Cloud Build sets it`];
    return fieldFaults(messages, field, each, at);
  });
}

function fieldFaults(messages: Messages, { type, list, map }: Field, value: unknown, at: string): string[] {
  if (list === true) {
    if (!Array.isArray(value)) return [`${at}: this is no list`];
    return value.flatMap((item, index) => messageFaults(messages, type, item, `${at}[${index}]`));
  }
  if (map === true) {
    if (!isObject(value)) return [`${at}: this is no map`];
    return Object.entries(value).flatMap(([key, item]) =>
      messageFaults(messages, type, item, `${at}.${key}`),
    );
  }
  return messageFaults(messages, type, value, at);
}

function valueFaults(messages: Messages, type: string, value: unknown, at: string): string[] {
  const { values } = messages[type] ?? {};
  if (values !== undefined) {
    if (typeof value === "string" && values.includes(value)) return [];
    return [`${at}: ${JSON.stringify(value)} is none of ${type}${hint(String(value), values)}`];
  }
  const fits = SCALARS[type];
  if (fits === undefined) return [`${at}: the type ${type} is not known here`];
  return fits(value) ? [] : [`${at}: ${JSON.stringify(value)} is no ${type}`];
}

function hint(word: string, known: readonly string[]): string {
  const close = nearest(word, known);
  return close === undefined ? "" : `; is it ${close}?`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

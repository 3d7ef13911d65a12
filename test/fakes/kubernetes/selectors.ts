import type { KubernetesObject, ObjectQuery } from "../../../shared/ports.ts";

export function matches(object: KubernetesObject, query: ObjectQuery): boolean {
  const { metadata } = object;
  return (
    object.kind === query.kind &&
    (query.namespace === undefined || metadata.namespace === query.namespace) &&
    requirements(query.labelSelector).every((term) => hasLabel(metadata.labels ?? {}, term)) &&
    requirements(query.fieldSelector).every((term) => hasField(object, term))
  );
}

function requirements(selector: string | undefined): string[] {
  return selector === undefined || selector === "" ? [] : selector.split(",").map((term) => term.trim());
}

const TERM = /^(?<key>[^=!\s]+)(?:(?<operator>!=|==?)(?<value>[^=!]*))?$/;

function hasLabel(labels: Readonly<Record<string, string>>, term: string): boolean {
  const { key = "", operator, value = "" } = parse(term);
  if (operator === undefined) return key in labels;
  return (labels[key] === value) === (operator !== "!=");
}

/** Every kind has these two. */
const FIELDS = { "metadata.name": "name", "metadata.namespace": "namespace" } as const;

function hasField(object: KubernetesObject, term: string): boolean {
  const { key = "", operator, value = "" } = parse(term);
  const { kind, metadata } = object;
  if (kind === "Event" && key === "reason") return (object["reason"] === value) === (operator !== "!=");
  if (operator === undefined || !(key in FIELDS)) throw new TypeError(`no field selector ${term} here`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just looked up
  const actual = metadata[FIELDS[key as keyof typeof FIELDS]];
  return (actual === value) === (operator !== "!=");
}

function parse(term: string): Partial<Record<"key" | "operator" | "value", string>> {
  const groups = TERM.exec(term)?.groups;
  if (groups === undefined) throw new TypeError(`no selector ${term} here`);
  return groups;
}

import type { KubernetesObject } from "../../../../shared/ports/kubernetes-object.ts";
import type { ObjectQuery } from "../../../../shared/ports/member-api.ts";

/** The selectors are read once, however many objects they are held against. */
export function matcher(query: ObjectQuery): (object: KubernetesObject) => boolean {
  const labels = requirements(query.labelSelector);
  const fields = requirements(query.fieldSelector);
  return (object) =>
    object.kind === query.kind &&
    (query.namespace === undefined || object.metadata.namespace === query.namespace) &&
    labels.every((term) => hasLabel(object.metadata.labels ?? {}, term)) &&
    fields.every((term) => hasField(object, term));
}

function requirements(selector: string | undefined): Term[] {
  return selector === undefined || selector === ""
    ? []
    : selector.split(",").map((term) => parse(term.trim()));
}

interface Term {
  readonly text: string;
  readonly key: string;
  readonly operator: string | undefined;
  readonly value: string;
}

const TERM = /^(?<key>[^=!\s]+)(?:(?<operator>!=|==?)(?<value>[^=!]*))?$/;

function hasLabel(labels: Readonly<Record<string, string>>, { key, operator, value }: Term): boolean {
  if (operator === undefined) return key in labels;
  return (labels[key] === value) === (operator !== "!=");
}

/** Every kind has these two. */
const FIELDS = { "metadata.name": "name", "metadata.namespace": "namespace" } as const;

function hasField(object: KubernetesObject, { text, key, operator, value }: Term): boolean {
  const { kind, metadata } = object;
  if (kind === "Event" && key === "reason") return (object["reason"] === value) === (operator !== "!=");
  if (kind === "Secret" && key === "type")
    return ((object["type"] ?? "Opaque") === value) === (operator !== "!=");
  if (kind === "Pod" && key === "status.phase") {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 Pod
    const { phase } = (object["status"] ?? {}) as { readonly phase?: string };
    return (phase === value) === (operator !== "!=");
  }
  if (operator === undefined || !(key in FIELDS)) throw new TypeError(`no field selector ${text} here`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just looked up
  const actual = metadata[FIELDS[key as keyof typeof FIELDS]];
  return (actual === value) === (operator !== "!=");
}

function parse(text: string): Term {
  const groups = TERM.exec(text)?.groups;
  if (groups === undefined) throw new TypeError(`no selector ${text} here`);
  const { key = "", operator, value = "" } = groups;
  return { text, key, operator, value };
}

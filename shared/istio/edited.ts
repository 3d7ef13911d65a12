import { annotation, FIELD_MANAGER } from "../core/names.ts";
import { remembering } from "../core/remembering.ts";
import type { ManagedFields, ObjectMeta } from "../ports/kubernetes-object.ts";

/** What was written with one request, as paths into `managedFields`. */
export interface WrittenObject {
  /** Keys of the Secret's data. */
  readonly data: readonly string[];
  /** Keys of Meshjoin's own annotations, without their prefix. */
  readonly annotations: readonly string[];
  readonly at: Date | undefined;
}

/** Between our clock and the API server's, and between a note of the time and the write that carries it. */
const TOLERANCE_MS = 5 * 60_000;
/** Who took a field away leaves no name behind. */
const SOMEBODY = "somebody";

/**
 * Who has changed a Secret since Meshjoin wrote it whole, by field manager; undefined if nobody has. It shows in the
 * metadata alone: whoever changes a field takes it from its owner, and who writes under our name does so at another time.
 * Somebody who merely agrees on a value owns it too, and has changed nothing.
 */
export function editorOf(
  { managedFields = [] }: ObjectMeta,
  { data, annotations, at }: WrittenObject,
): string | undefined {
  const mine = managedFields.find(
    ({ manager, operation }) => manager === FIELD_MANAGER && operation === "Update",
  );
  const ours = [
    ...data.map((key) => ({ path: DATA, field: FIELD + key })),
    ...annotations.map((key) => ({ path: ANNOTATIONS, field: annotationField(key) })),
  ];
  const added = managedFields.find((entry) => ownsOther(entry, data));
  if (added !== undefined) return added.manager ?? SOMEBODY;
  for (const { path, field } of ours) {
    if (mine !== undefined && owns(mine, path, field)) continue;
    const owner = managedFields.find((entry) => owns(entry, path, field));
    if (!stoodThereBefore(owner, mine)) return owner?.manager ?? SOMEBODY;
  }
  const late = at !== undefined && Date.parse(mine?.time ?? "") > at.getTime() + TOLERANCE_MS;
  return late ? FIELD_MANAGER : undefined;
}

/** A write that leaves a value as it was leaves it to whoever had set it; both times are the API server's. */
function stoodThereBefore(owner: ManagedFields | undefined, mine: ManagedFields | undefined): boolean {
  return Date.parse(owner?.time ?? "") < Date.parse(mine?.time ?? "");
}

const DATA = ["f:data"];
const ANNOTATIONS = ["f:metadata", "f:annotations"];

/** Whether it owns this field of the map at the path. */
function owns(entry: ManagedFields, path: readonly string[], field: string): boolean {
  return Object.hasOwn(fieldsAt(entry, path), field);
}

/** Whether it owns data under any other key. */
function ownsOther(entry: ManagedFields, data: readonly string[]): boolean {
  return Object.keys(fieldsAt(entry, DATA)).some(
    (field) => field.startsWith(FIELD) && !data.includes(field.slice(FIELD.length)),
  );
}

/** How `managedFields` marks a key of a map. */
const FIELD = "f:";
const annotationField = remembering((key) => FIELD + annotation(key));
const NONE = {};

function fieldsAt({ fieldsV1 }: ManagedFields, path: readonly string[]): object {
  let node: unknown = fieldsV1;
  for (const step of path)
    node = typeof node === "object" && node !== null ? Reflect.get(node, step) : undefined;
  return typeof node === "object" && node !== null ? node : NONE;
}

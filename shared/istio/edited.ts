import { annotation, FIELD_MANAGER } from "../core/names.ts";
import { remembering } from "../core/remembering.ts";
import type { ManagedFields, ObjectMeta } from "../ports/kubernetes-object.ts";

/** The fields that Meshjoin wrote with one request, as paths into `managedFields`. */
export interface WrittenObject {
  /** Keys of the Secret's data. */
  readonly data: readonly string[];
  /** Keys of Meshjoin's own annotations, without their prefix. */
  readonly annotations: readonly string[];
  readonly at: Date | undefined;
}

/** For the skew between Meshjoin's and the API server's clock, and the time between a note and its write. */
const TOLERANCE_MS = 5 * 60_000;
/** A manager that removes a field leaves no name behind. */
const UNKNOWN_MANAGER = "another manager";

/**
 * The field manager that has changed a Secret since Meshjoin wrote it whole; undefined if none has. The
 * metadata tells: a change takes a field from its owner, and a write under Meshjoin's name has another time.
 * A manager that applies an equal value owns the field, too, and has changed nothing.
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
  const adder = managedFields.find((entry) => ownsOther(entry, data));
  if (adder !== undefined) return adder.manager ?? UNKNOWN_MANAGER;
  for (const { path, field } of ours) {
    if (mine !== undefined && owns(mine, path, field)) continue;
    const owner = managedFields.find((entry) => owns(entry, path, field));
    if (!isOlderOwner(owner, mine)) return owner?.manager ?? UNKNOWN_MANAGER;
  }
  const late = at !== undefined && Date.parse(mine?.time ?? "") > at.getTime() + TOLERANCE_MS;
  return late ? FIELD_MANAGER : undefined;
}

/** Whether the owner set the field before Meshjoin wrote an equal value; by the API server's clock. */
function isOlderOwner(owner: ManagedFields | undefined, mine: ManagedFields | undefined): boolean {
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

/** The prefix of a map's key in `managedFields`. */
const FIELD = "f:";
const annotationField = remembering((key) => FIELD + annotation(key));
const NONE = {};

function fieldsAt({ fieldsV1 }: ManagedFields, path: readonly string[]): object {
  let node: unknown = fieldsV1;
  for (const step of path)
    node = typeof node === "object" && node !== null ? Reflect.get(node, step) : undefined;
  return typeof node === "object" && node !== null ? node : NONE;
}

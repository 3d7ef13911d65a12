/** JSON as the API server keeps it: plain objects, arrays and scalars. */
export type JsonObject = { [field: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Equal as JSON, with keys in any order. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  return isContainer(a) && isContainer(b) && canonical(a) === canonical(b);
}

function isContainer(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    isObject(each) ? Object.fromEntries(Object.entries(each).toSorted(([x], [y]) => (x < y ? -1 : 1))) : each,
  );
}

/** The object at `path`, made where it is missing. */
export function objectAt(root: JsonObject, ...path: readonly string[]): JsonObject {
  let node = root;
  for (const key of path) {
    const next = node[key];
    const child: JsonObject = isObject(next) ? next : {};
    node[key] = child;
    node = child;
  }
  return node;
}

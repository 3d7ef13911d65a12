import { copyOf, isObject, type JsonObject } from "./json.ts";

/**
 * An object taken apart into its leaves, by path. A list whose items all have a name is a map keyed by it, as
 * containers, environment variables and webhooks are in Kubernetes; every other list is one leaf.
 */
export type Leaves = Map<string, unknown>;

type Step = string;
const ITEM = "\0";

/** What a field manager can own: not what identifies the object, not what the server keeps itself. */
const MANAGED_METADATA = ["labels", "annotations", "finalizers", "ownerReferences"];

export function leavesOf(object: JsonObject): Leaves {
  const { apiVersion: _, kind: __, status: ___, metadata, ...rest } = object;
  const managed = Object.entries(isObject(metadata) ? metadata : {}).filter(([key]) =>
    MANAGED_METADATA.includes(key),
  );
  const leaves: Leaves = new Map();
  collect({ ...rest, ...(managed.length > 0 ? { metadata: Object.fromEntries(managed) } : {}) }, [], leaves);
  return leaves;
}

function collect(node: unknown, path: readonly Step[], leaves: Leaves): void {
  const children = childrenOf(node);
  if (children === undefined || children.length === 0) {
    if (path.length > 0) leaves.set(JSON.stringify(path), node);
    return;
  }
  for (const [step, child] of children) collect(child, [...path, step], leaves);
}

function childrenOf(node: unknown): [Step, unknown][] | undefined {
  if (isObject(node)) return Object.entries(node);
  return isKeyed(node) ? node.map((item) => [ITEM + item.name, item]) : undefined;
}

function isKeyed(node: unknown): node is (JsonObject & { name: string })[] {
  return (
    Array.isArray(node) &&
    node.length > 0 &&
    node.every((item) => isObject(item) && typeof item["name"] === "string")
  );
}

export function setLeaf(root: JsonObject, path: string, value: unknown): void {
  const steps = stepsOf(path);
  let node: JsonObject | JsonObject[] = root;
  for (const [index, step] of steps.entries()) {
    if (index === steps.length - 1) {
      if (!Array.isArray(node) && !(isEmpty(value) && isObject(node[step]))) node[step] = copyOf(value);
      return;
    }
    node = descend(node, step, steps[index + 1]?.startsWith(ITEM) === true);
  }
}

function descend(node: JsonObject | JsonObject[], step: Step, intoList: boolean): JsonObject | JsonObject[] {
  if (Array.isArray(node)) {
    const name = step.slice(ITEM.length);
    const found = node.find((item) => item["name"] === name);
    if (found !== undefined) return found;
    const added: JsonObject = { name };
    node.push(added);
    return added;
  }
  const existing = node[step];
  if (intoList ? Array.isArray(existing) : isObject(existing)) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just looked at
    return existing as JsonObject | JsonObject[];
  }
  const made = intoList ? [] : {};
  node[step] = made;
  return made;
}

/** An item of a list is found by its name, so that goes after what is in it. */
export function deepestFirst(paths: Iterable<string>): string[] {
  const isName = (path: string) => Number(stepsOf(path).at(-1) === "name");
  const depth = (path: string) => stepsOf(path).length;
  return [...paths].toSorted((a, b) => isName(a) - isName(b) || depth(b) - depth(a));
}

/** Containers that are empty afterwards go with it. */
export function removeLeaf(root: JsonObject, path: string): void {
  remove(root, stepsOf(path));
}

function remove(node: unknown, [step, ...rest]: readonly Step[]): void {
  if (step === undefined) return;
  if (Array.isArray(node)) {
    const index = node.findIndex((item) => isObject(item) && item["name"] === step.slice(ITEM.length));
    if (index === -1) return;
    remove(node[index], rest);
    if (isEmpty(node[index])) node.splice(index, 1);
    return;
  }
  if (!isObject(node) || !(step in node)) return;
  if (rest.length > 0) remove(node[step], rest);
  if (rest.length === 0 || isEmpty(node[step])) Reflect.deleteProperty(node, step);
}

/** Paths as the tree that `managedFields` has; https://github.com/kubernetes-sigs/structured-merge-diff */
export function treeOf(paths: Iterable<string>): JsonObject {
  const root: JsonObject = {};
  for (const path of paths) {
    let node = root;
    for (const step of stepsOf(path)) {
      const key = step.startsWith(ITEM) ? `k:${JSON.stringify({ name: step.slice(1) })}` : `f:${step}`;
      const next = isObject(node[key]) ? node[key] : {};
      node[key] = next;
      node = next;
    }
  }
  return root;
}

function isEmpty(node: unknown): boolean {
  return Array.isArray(node) ? node.length === 0 : isObject(node) && Object.keys(node).length === 0;
}

const known = new Map<string, readonly Step[]>();

function stepsOf(path: string): readonly Step[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `collect`
  const steps = known.get(path) ?? (JSON.parse(path) as Step[]);
  known.set(path, steps);
  return steps;
}

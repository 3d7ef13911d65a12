import type { ManagedFields } from "../../../../shared/ports/kubernetes-object.ts";
import { deepestFirst, type Leaves, leavesOf, removeLeaf, setLeaf, treeOf } from "./fields.ts";
import { copyOf, type JsonObject, sameJson } from "./json.ts";

/**
 * Who owns which leaf. As in Kubernetes, what a manager applied and what it wrote otherwise are two sets.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export type Ownership = ReadonlyMap<string, ReadonlySet<string>>;

export interface Owned {
  readonly object: JsonObject;
  readonly owners: Ownership;
}

/** As the API server tells it. `times` are of each owner's last change. */
export function managedFields(owners: Ownership, times: ReadonlyMap<string, string>): ManagedFields[] {
  return [...owners]
    .filter(([, paths]) => paths.size > 0)
    .map(([owner, paths]) => ({
      manager: owner.slice(owner.indexOf(" ") + 1),
      operation: owner.slice(0, owner.indexOf(" ")),
      time: times.get(owner) ?? "",
      fieldsV1: treeOf(paths),
    }));
}

const applied = (manager: string) => `Apply ${manager}`;
const updated = (manager: string) => `Update ${manager}`;

/** POST and PUT: the manager owns what it changed, and no other manager owns it any more. */
export function update(before: Owned | undefined, object: JsonObject, manager: string): Owned {
  const was: Leaves = before === undefined ? new Map() : leavesOf(before.object);
  const is = leavesOf(object);
  const changed = new Set([...is].filter(([path, value]) => !sameJson(was.get(path), value)).map(([p]) => p));
  const owners = new Map<string, ReadonlySet<string>>();
  for (const [owner, paths] of before?.owners ?? []) {
    owners.set(owner, new Set([...paths].filter((path) => is.has(path) && !changed.has(path))));
  }
  const mine = owners.get(updated(manager)) ?? new Set();
  owners.set(updated(manager), new Set([...mine, ...changed]));
  return { object, owners };
}

export interface Conflict {
  readonly managers: readonly string[];
}

/**
 * Server-side apply: sets the leaves in `config`, and takes away those that this manager had applied before
 * and no other manager owns. A leaf that another manager owns with another value is a conflict, unless it is
 * forced.
 */
export function apply(
  before: Owned | undefined,
  config: JsonObject,
  manager: string,
  force: boolean,
): Owned | Conflict {
  const wanted = leavesOf(config);
  const live: Leaves = before === undefined ? new Map() : leavesOf(before.object);
  const others = [...(before?.owners ?? [])].filter(([owner]) => owner !== applied(manager));
  const differs = (path: string) => wanted.has(path) && !sameJson(live.get(path), wanted.get(path));
  const conflicting = others.filter(([, paths]) => [...paths].some(differs));
  if (conflicting.length > 0 && !force) {
    return { managers: [...new Set(conflicting.map(([owner]) => owner.slice(owner.indexOf(" ") + 1)))] };
  }

  const object = copyOf(before?.object ?? config);
  for (const path of deepestFirst(before?.owners.get(applied(manager)) ?? [])) {
    if (!wanted.has(path) && !others.some(([, paths]) => paths.has(path))) removeLeaf(object, path);
  }
  for (const [path, value] of wanted) setLeaf(object, path, value);
  const owners = new Map(
    others.map(([owner, paths]) => [owner, new Set([...paths].filter((path) => !differs(path)))] as const),
  );
  return { object, owners: owners.set(applied(manager), new Set(wanted.keys())) };
}

export function sameOwnership(a: Ownership, b: Ownership): boolean {
  const none: ReadonlySet<string> = new Set();
  return [...a.keys(), ...b.keys()].every(
    (owner) => (a.get(owner) ?? none).symmetricDifference(b.get(owner) ?? none).size === 0,
  );
}

import { FIELD_MANAGER } from "../core/names.ts";
import type { ManagedFields, ObjectMeta } from "../ports/kubernetes-object.ts";

/** Who took a field away leaves no name behind. */
const SOMEBODY = "somebody";

/**
 * The field managers from which an apply would take something, by what the server answers to a dry run of it; empty if it
 * would change nothing. No comparison of values: the server alone knows what is equal.
 */
export function newlyOwned(now: ObjectMeta, afterwards: ObjectMeta): string[] {
  const gained = ownedBy(FIELD_MANAGER, afterwards).difference(ownedBy(FIELD_MANAGER, now));
  if (gained.size === 0) return [];
  const losers = (now.managedFields ?? [])
    .filter((entry) => entry.manager !== FIELD_MANAGER && !gained.isDisjointFrom(leavesOf(entry)))
    .map(({ manager }) => manager ?? SOMEBODY);
  return losers.length === 0 ? [SOMEBODY] : [...new Set(losers)].toSorted();
}

function ownedBy(manager: string, { managedFields = [] }: ObjectMeta): Set<string> {
  return new Set(
    managedFields.filter((entry) => entry.manager === manager).flatMap((entry) => [...leavesOf(entry)]),
  );
}

/** Paths of a `fieldsV1` tree; https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
function leavesOf({ fieldsV1 = {} }: ManagedFields): Set<string> {
  const leaves = new Set<string>();
  const walk = (node: unknown, path: string): void => {
    const children = typeof node === "object" && node !== null ? Object.entries(node) : [];
    if (children.length === 0) leaves.add(path);
    for (const [step, child] of children) walk(child, `${path}\n${step}`);
  };
  walk(fieldsV1, "");
  return leaves;
}

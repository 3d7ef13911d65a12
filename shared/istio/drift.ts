import { FIELD_MANAGER } from "../core/names.ts";
import type { ManagedFields, ObjectMeta } from "../ports/kubernetes-object.ts";

/** A manager that removes a field leaves no name behind. */
const UNKNOWN_MANAGER = "another manager";

/**
 * The field managers that an apply would take fields from, by the API server's answer to its dry run; empty
 * if the apply would change nothing. Compares no values: only the server knows which are equal.
 */
export function newlyOwned(now: ObjectMeta, afterwards: ObjectMeta): string[] {
  const gained = ownedBy(FIELD_MANAGER, afterwards).difference(ownedBy(FIELD_MANAGER, now));
  if (gained.size === 0) return [];
  const losers = (now.managedFields ?? [])
    .filter((entry) => entry.manager !== FIELD_MANAGER && !gained.isDisjointFrom(leavesOf(entry)))
    .map(({ manager }) => manager ?? UNKNOWN_MANAGER);
  return losers.length === 0 ? [UNKNOWN_MANAGER] : [...new Set(losers)].toSorted();
}

/** Whether an apply would change the pods of a workload, which start anew then. */
export function restartsPods(now: ObjectMeta, afterwards: ObjectMeta): boolean {
  const gained = ownedBy(FIELD_MANAGER, afterwards).difference(ownedBy(FIELD_MANAGER, now));
  return [...gained].some((path) => path.startsWith("\nf:spec\nf:template\n"));
}

function ownedBy(manager: string, { managedFields = [] }: ObjectMeta): Set<string> {
  return new Set(
    managedFields.filter((entry) => entry.manager === manager).flatMap((entry) => [...leavesOf(entry)]),
  );
}

/** Paths of a `fieldsV1` tree; https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
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

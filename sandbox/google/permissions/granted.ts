import { readFile } from "node:fs/promises";
import { readLists } from "./hcl-lists.ts";

/** Whose permissions Terraform grants by custom roles. */
export const FUNCTION_ROLES = ["reconciler", "rotator", "signer"] as const;
export type FunctionRole = (typeof FUNCTION_ROLES)[number];
export type Granted = Readonly<Record<FunctionRole, readonly string[]>>;

const PERMISSIONS = new URL("../../../terraform/modules/identity/permissions.tf", import.meta.url);
/** Bound on the members' projects, and on the root secret. */
const LISTS = ["cluster_permissions", "root_permissions"] as const;

/** What the custom roles of the Terraform files grant to each function. */
export async function grantedPermissions(file: URL | string = PERMISSIONS): Promise<Granted> {
  const hcl = await readFile(file, "utf8");
  const lists = LISTS.map((name) => readLists(hcl, name));
  const of = (role: FunctionRole) =>
    [...new Set(lists.flatMap((list) => list.get(role) ?? []))].toSorted(byName);
  return { reconciler: of("reconciler"), rotator: of("rotator"), signer: of("signer") };
}

function byName(a: string, b: string): number {
  return a < b ? -1 : 1;
}

import { grantedPermissions } from "../../../sandbox/google/permissions/granted.ts";
import { readAsked } from "./evidence.ts";
import { faultsOf, reportOf } from "./report.ts";

/** What one run of all scenarios proves of the custom roles: a sentence for each fault. */
export async function permissionFaults(): Promise<string[]> {
  return faultsOf(reportOf(await grantedPermissions(), await readAsked()));
}

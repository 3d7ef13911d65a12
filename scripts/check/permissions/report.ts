import {
  FUNCTION_ROLES,
  type FunctionRole,
  type Granted,
} from "../../../sandbox/google/permissions/granted.ts";
import type { Asked } from "../../../sandbox/google/permissions/iam.ts";
import { renderTable } from "../../../shared/table.ts";

export interface Use {
  readonly role: FunctionRole;
  readonly permission: string;
  /** In the order in which they ran; none: it is granted for nothing. */
  readonly scenarios: readonly string[];
}

export interface PermissionReport {
  /** Every granted permission with what needs it. */
  readonly uses: readonly Use[];
  readonly denied: readonly Asked[];
}

export function reportOf(granted: Granted, asked: readonly Asked[]): PermissionReport {
  const uses = FUNCTION_ROLES.flatMap((role) =>
    granted[role].map((permission) => {
      const needing = asked.filter((each) => each.role === role && each.permission === permission);
      return { role, permission, scenarios: [...new Set(needing.map(({ scenario }) => scenario))] };
    }),
  );
  return { uses, denied: asked.filter(({ allowed }) => !allowed) };
}

/**
 * The faults of the grants, a sentence each; none where the grants are exactly those that the scenarios that
 * have run need.
 */
export function faultsOf(report: PermissionReport, notRun: readonly string[] = []): string[] {
  return [...deniedIn(report), ...(notRun.length > 0 ? [] : sparedIn(report))];
}

function deniedIn({ denied }: PermissionReport): string[] {
  return denied.map(
    ({ role, permission, scenario }) => `${role} was denied ${permission} in "${scenario}"; grant it`,
  );
}

function sparedIn({ uses }: PermissionReport): string[] {
  return uses
    .filter(({ scenarios }) => scenarios.length === 0)
    .map(({ role, permission }) => `${role} has ${permission} and no scenario uses it; take it away`);
}

export function renderReport({ uses }: PermissionReport): string {
  const rows = uses.map(({ role, permission, scenarios }) => [
    role,
    permission,
    String(scenarios.length),
    scenarios[0] ?? "",
  ]);
  return renderTable(["function", "permission", "scenarios", "first of them"], rows);
}

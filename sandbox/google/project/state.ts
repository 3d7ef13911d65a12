import type { SandboxProject } from "../projects.ts";

/** How much of a quota there is; without a region everywhere that has no entry of its own. */
export interface QuotaEntry {
  readonly region?: string;
  readonly value: string;
}

/** What a project is and has beside its resources; everything is in order until it is taken away. */
export interface ProjectState {
  readonly projects: readonly SandboxProject[];
  /** As the API has it; undefined where the project has none. */
  billingAccount(project: string): string | undefined;
  bill(project: string, account: string | undefined): void;
  isEnabled(project: string, api: string): boolean;
  enable(project: string, api: string): void;
  disable(project: string, api: string): void;
  /** Whether IAM grants it to people. A permission is granted until it is revoked. */
  isGranted(project: string, permission: string): boolean;
  revoke(project: string, permission: string): void;
  grant(project: string, permission: string): void;
  /** Rules of the effective policy, as the API has them; undefined where no policy was set. */
  rules(project: string, constraint: string): readonly object[] | undefined;
  restrict(project: string, constraint: string, rules: readonly object[]): void;
  /** By quota ID. */
  quota(project: string, quotaId: string): readonly QuotaEntry[] | undefined;
  limit(project: string, quotaId: string, entries: readonly QuotaEntry[]): void;
}

const BILLING_ACCOUNT = "billingAccounts/012345-567890-ABCDEF";

/** Of a new project, as refused deployments name them: thousandths of a CPU, bytes. */
const RUN_QUOTAS: Readonly<Record<string, string>> = {
  CpuAllocPerProjectRegion: "20000",
  MemAllocPerProjectRegion: "42949672960",
};

export function createProjectState(projects: readonly SandboxProject[]): ProjectState {
  const unbilled = new Set<string>();
  const accounts = new Map<string, string>();
  const disabled = new Set<string>();
  const revoked = new Set<string>();
  const policies = new Map<string, readonly object[]>();
  const quotas = new Map<string, readonly QuotaEntry[]>();
  const key = (project: string, name: string) => `${project}/${name}`;
  return {
    projects,
    billingAccount: (project) =>
      unbilled.has(project) ? undefined : (accounts.get(project) ?? BILLING_ACCOUNT),
    bill(project, account) {
      if (account === undefined) unbilled.add(project);
      else {
        unbilled.delete(project);
        accounts.set(project, account);
      }
    },
    isEnabled: (project, api) => !disabled.has(key(project, api)),
    enable: (project, api) => void disabled.delete(key(project, api)),
    disable: (project, api) => void disabled.add(key(project, api)),
    isGranted: (project, permission) => !revoked.has(key(project, permission)),
    revoke: (project, permission) => void revoked.add(key(project, permission)),
    grant: (project, permission) => void revoked.delete(key(project, permission)),
    rules: (project, constraint) => policies.get(key(project, constraint)),
    restrict: (project, constraint, rules) => void policies.set(key(project, constraint), rules),
    quota(project, quotaId) {
      const ample = RUN_QUOTAS[quotaId];
      return quotas.get(key(project, quotaId)) ?? (ample === undefined ? undefined : [{ value: ample }]);
    },
    limit: (project, quotaId, entries) => void quotas.set(key(project, quotaId), entries),
  };
}

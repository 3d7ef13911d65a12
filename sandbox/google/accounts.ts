import type { SecretPermission } from "./secret-manager.ts";

/** The service accounts of docs/design.md; `developer` is whoever uses the sandbox, an owner of its project. */
export const ROLES = ["reconciler", "rotator", "signer", "developer"] as const;
export type Role = (typeof ROLES)[number];

export type Accounts = Readonly<Record<Role, string>>;

export function accountsOf(project: string): Accounts {
  const email = (name: string) => `${name}@${project}.iam.gserviceaccount.com`;
  return {
    reconciler: email("meshjoin-reconciler"),
    rotator: email("meshjoin-rotator"),
    signer: email("meshjoin-signer"),
    developer: email("developer"),
  };
}

const READ_STATE: readonly SecretPermission[] = [
  "secretmanager.secrets.get",
  "secretmanager.versions.get",
  "secretmanager.versions.list",
];
const READ_PAYLOAD: readonly SecretPermission[] = ["secretmanager.versions.access"];
const CHANGE: readonly SecretPermission[] = [
  "secretmanager.secrets.update",
  "secretmanager.versions.add",
  "secretmanager.versions.enable",
  "secretmanager.versions.disable",
];

/**
 * IAM on the root secret. Where no signer runs, whoever reconciles signs in its own process and so has to read
 * payloads too.
 */
export function secretPolicy(
  accounts: Accounts,
  signerRuns: () => boolean,
): (caller: string, permission: SecretPermission) => boolean {
  return (caller, permission) => {
    const inProcess = signerRuns() ? [] : READ_PAYLOAD;
    switch (caller) {
      case accounts.developer:
        return true;
      case accounts.signer:
        return [...READ_STATE, ...READ_PAYLOAD].includes(permission);
      case accounts.rotator:
        return [...READ_STATE, ...CHANGE, ...inProcess].includes(permission);
      case accounts.reconciler:
        return [...READ_STATE, ...inProcess].includes(permission);
      default:
        return false;
    }
  };
}

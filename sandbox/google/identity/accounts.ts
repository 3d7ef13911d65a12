/**
 * The service accounts of docs/design.md. `developer` is the person who uses the sandbox, an owner of its
 * project.
 */
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

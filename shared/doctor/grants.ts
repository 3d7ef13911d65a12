import type { Account } from "../core/answers/check.ts";
import type { ClusterRef } from "../core/cluster/cluster.ts";

const VIEWER = "roles/secretmanager.viewer";
const ACCESSOR = "roles/secretmanager.secretAccessor";

/** The account as IAM writes it; a placeholder if the credentials do not tell it. */
function principal(email: string | undefined): string {
  if (email === undefined) return "user:YOU";
  return `${email.endsWith(".gserviceaccount.com") ? "serviceAccount" : "user"}:${email}`;
}

export interface Secret {
  readonly id: string;
  readonly project: string;
}

/** Cures that give an account the rights it lacks: sentences or commands. */
export interface Grants {
  readonly account: Account;
  readonly onProject: (project: string, role: string) => string;
  /** For all that a run does with a member's objects. */
  readonly clusterAdmin: (ref: ClusterRef) => string;
  /** To read its nodes and pods. */
  readonly clusterView: (ref: ClusterRef) => string;
  /** To read names and aliases of the secret. */
  readonly secretView: (secret: Secret) => string;
  /** To read its payloads. */
  readonly secretAccess: (secret: Secret) => string;
}

/** For a person: commands, with the account as IAM writes it. */
export function callersGrants(email: string | undefined): Grants {
  const member = principal(email);
  return {
    account: "caller",
    onProject: (project, role) => grantOnProject(project, member, role),
    clusterAdmin: ({ project }) => grantOnProject(project, member, "roles/container.admin"),
    clusterView: ({ project }) => grantOnProject(project, member, "roles/container.viewer"),
    secretView: (secret) => grantOnSecret(secret, VIEWER, member),
    secretAccess: (secret) => grantOnSecret(secret, ACCESSOR, member),
  };
}

export type FunctionAccount = Exclude<Account, "caller">;

/** For a function: Terraform alone grants them, because a role that a person binds by hand stays for ever. */
export function functionsGrants(account: FunctionAccount): Grants {
  const roles = (where: string) =>
    `apply Terraform again: terraform/modules/identity/permissions.tf has the permissions of the ${account} ${where}`;
  const onRoot = () => roles("on the root secret");
  const onProject = (project: string) => roles(`in project ${project}`);
  const onCluster = ({ project }: ClusterRef) => onProject(project);
  return {
    account,
    onProject,
    clusterAdmin: onCluster,
    clusterView: onCluster,
    secretView: onRoot,
    secretAccess: onRoot,
  };
}

function grantOnProject(project: string, member: string, role: string): string {
  return `gcloud projects add-iam-policy-binding ${project} --member=${member} --role=${role}`;
}

/** Both roles, for the signer, whose name this process does not know. */
export function grantSecretToSigner(secret: Secret): string {
  const grants = [VIEWER, ACCESSOR].map((role) => grantOnSecret(secret, role, "serviceAccount:SIGNER"));
  return `grant SIGNER, the account that sign-intermediate runs as, what it lacks: ${grants.join(" && ")}`;
}

function grantOnSecret({ id, project }: Secret, role: string, member: string): string {
  return `gcloud secrets add-iam-policy-binding ${id} --project=${project} --member=${member} --role=${role}`;
}

export function enableApi(api: string, project: string): string {
  return `gcloud services enable ${api} --project=${project}`;
}

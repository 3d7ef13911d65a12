import type { Account } from "../core/answers/check.ts";
import type { ClusterRef } from "../core/cluster/cluster.ts";

const VIEWER = "roles/secretmanager.viewer";
const ACCESSOR = "roles/secretmanager.secretAccessor";

/** How IAM writes the account; a placeholder where the credentials do not say who it is. */
function principal(email: string | undefined): string {
  if (email === undefined) return "user:YOU";
  return `${email.endsWith(".gserviceaccount.com") ? "serviceAccount" : "user"}:${email}`;
}

export interface Secret {
  readonly id: string;
  readonly project: string;
}

/** What gives an account the rights that it lacks, in words or as a command. */
export interface Grants {
  readonly account: Account;
  readonly onProject: (project: string, role: string) => string;
  /** To do with a member's objects what a run does. */
  readonly clusterAdmin: (ref: ClusterRef) => string;
  /** To read its nodes and pods. */
  readonly clusterView: (ref: ClusterRef) => string;
  /** To read names and aliases of the secret. */
  readonly secretView: (secret: Secret) => string;
  /** To read its payloads. */
  readonly secretAccess: (secret: Secret) => string;
}

/** A person's are commands, with an account in them as IAM wants it. */
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

/** A function's are Terraform's alone: a role that is bound by hand is one that nobody takes away again. */
export function functionsGrants(account: FunctionAccount): Grants {
  const roles = (where: string) =>
    `apply Terraform again: what the ${account} may do ${where} is in terraform/modules/identity/permissions.tf`;
  const onRoot = () => roles("with the root secret");
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

/** Both, to an account whose name nobody but whoever deployed it knows. */
export function grantSecretToSigner(secret: Secret): string {
  const grants = [VIEWER, ACCESSOR].map((role) => grantOnSecret(secret, role, "serviceAccount:SIGNER"));
  return `what is missing is a grant of SIGNER, the account that sign-intermediate runs as: ${grants.join(" && ")}`;
}

function grantOnSecret({ id, project }: Secret, role: string, member: string): string {
  return `gcloud secrets add-iam-policy-binding ${id} --project=${project} --member=${member} --role=${role}`;
}

export function enableApi(api: string, project: string): string {
  return `gcloud services enable ${api} --project=${project}`;
}

import type { ClusterRef } from "../../shared/core/cluster.ts";

const VIEWER = "roles/secretmanager.viewer";
const ACCESSOR = "roles/secretmanager.secretAccessor";

/** How IAM writes the account; a placeholder where the credentials do not say who it is. */
function principal(email: string | undefined): string {
  if (email === undefined) return "user:YOU";
  return `${email.endsWith(".gserviceaccount.com") ? "serviceAccount" : "user"}:${email}`;
}

export function grantOnProject(project: string, role: string, email: string | undefined): string {
  return `gcloud projects add-iam-policy-binding ${project} --member=${principal(email)} --role=${role}`;
}

interface Secret {
  readonly id: string;
  readonly project: string;
}

/** Names and aliases of the secret. */
export function grantSecretView(secret: Secret, email: string | undefined): string {
  return grantOnSecret(secret, VIEWER, principal(email));
}

/** Its payloads. */
export function grantSecretAccess(secret: Secret, email: string | undefined): string {
  return grantOnSecret(secret, ACCESSOR, principal(email));
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

export function updateCluster({ project, location, name }: ClusterRef, flag: string): string {
  return `gcloud container clusters update ${name} --project=${project} --location=${location} ${flag}`;
}

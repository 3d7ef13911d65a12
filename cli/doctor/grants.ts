import type { ClusterRef } from "../../shared/core/cluster.ts";

/** How IAM writes the account; a placeholder where the credentials do not say who it is. */
function principal(email: string | undefined): string {
  if (email === undefined) return "user:YOU";
  return `${email.endsWith(".gserviceaccount.com") ? "serviceAccount" : "user"}:${email}`;
}

export function grantOnProject(project: string, role: string, email: string | undefined): string {
  return `gcloud projects add-iam-policy-binding ${project} --member=${principal(email)} --role=${role}`;
}

export function grantOnSecret(
  secret: string,
  project: string,
  role: string,
  email: string | undefined,
): string {
  return `gcloud secrets add-iam-policy-binding ${secret} --project=${project} --member=${principal(email)} --role=${role}`;
}

export function enableApi(api: string, project: string): string {
  return `gcloud services enable ${api} --project=${project}`;
}

export function updateCluster({ project, location, name }: ClusterRef, flag: string): string {
  return `gcloud container clusters update ${name} --project=${project} --location=${location} ${flag}`;
}

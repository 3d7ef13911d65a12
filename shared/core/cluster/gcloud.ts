import type { ClusterRef } from "./cluster.ts";

/** The command that changes a cluster by `flag`. */
export function updateClusterCommand({ project, location, name }: ClusterRef, flag: string): string {
  return `gcloud container clusters update ${name} --project=${project} --location=${location} ${flag}`;
}

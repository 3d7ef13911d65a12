import type { ClusterRef } from "./cluster.ts";

export function updateClusterCommand({ project, location, name }: ClusterRef, flag: string): string {
  return `gcloud container clusters update ${name} --project=${project} --location=${location} ${flag}`;
}

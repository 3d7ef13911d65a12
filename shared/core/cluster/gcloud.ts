import type { ClusterRef } from "./cluster.ts";

export function updateClusterCommand({ project, location, name }: ClusterRef, flag: string): string {
  return `gcloud container clusters update ${name} --project=${project} --location=${location} ${flag}`;
}

export function describeCommand({ project, location, name }: ClusterRef): string {
  return `gcloud container clusters describe ${name} --project=${project} --location=${location}`;
}

/** The name that gcloud gives the cluster's context in a kubeconfig. */
function contextName({ project, location, name }: ClusterRef): string {
  return `gke_${project}_${location}_${name}`;
}

/** The beginning of every kubectl command about a cluster: without a context it may be about another one. */
export function kubectlOn(ref: ClusterRef): string {
  return `kubectl --context ${contextName(ref)}`;
}

/** Makes the context that `kubectlOn` names; `dns`: over the cluster's DNS-based endpoint. */
export function contextCommand({ project, location, name }: ClusterRef, dns: boolean): string {
  return `gcloud container clusters get-credentials ${name} --project=${project} --location=${location}${dns ? " --dns-endpoint" : ""}`;
}

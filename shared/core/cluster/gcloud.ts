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

/** No name that an API server lets an object have begins as a flag does, or means anything to a shell. */
const OBJECT_NAME = /^[A-Za-z0-9][\w.:-]*$/;

/** An object's name in a command. Where a cluster gives one that no object can have, a person fills it in. */
export function typedName(name: string): string {
  return OBJECT_NAME.test(name) ? name : "NAME";
}

/** Makes the context that `kubectlOn` names; `dns`: over the cluster's DNS-based endpoint. */
export function contextCommand({ project, location, name }: ClusterRef, dns: boolean): string {
  return `gcloud container clusters get-credentials ${name} --project=${project} --location=${location}${dns ? " --dns-endpoint" : ""}`;
}

import type { ObjectRef } from "../../ports.ts";

interface Resource {
  readonly plural: string;
  readonly namespaced: boolean;
}

const namespaced = (plural: string): Resource => ({ plural, namespaced: true });
const clusterScoped = (plural: string): Resource => ({ plural, namespaced: false });

/**
 * The kinds that Meshjoin touches. Knowing their paths saves a discovery request per API group and cluster; a kind that
 * a newer Istio brings fails loudly here, in the tests of the rendered manifest.
 */
const RESOURCES: Readonly<Record<string, Resource>> = {
  ClusterRole: clusterScoped("clusterroles"),
  ClusterRoleBinding: clusterScoped("clusterrolebindings"),
  ConfigMap: namespaced("configmaps"),
  CustomResourceDefinition: clusterScoped("customresourcedefinitions"),
  Deployment: namespaced("deployments"),
  HorizontalPodAutoscaler: namespaced("horizontalpodautoscalers"),
  MutatingWebhookConfiguration: clusterScoped("mutatingwebhookconfigurations"),
  Namespace: clusterScoped("namespaces"),
  NetworkPolicy: namespaced("networkpolicies"),
  Pod: namespaced("pods"),
  PodDisruptionBudget: namespaced("poddisruptionbudgets"),
  ResourceQuota: namespaced("resourcequotas"),
  Role: namespaced("roles"),
  RoleBinding: namespaced("rolebindings"),
  Secret: namespaced("secrets"),
  Service: namespaced("services"),
  ServiceAccount: namespaced("serviceaccounts"),
  ValidatingAdmissionPolicy: clusterScoped("validatingadmissionpolicies"),
  ValidatingAdmissionPolicyBinding: clusterScoped("validatingadmissionpolicybindings"),
  ValidatingWebhookConfiguration: clusterScoped("validatingwebhookconfigurations"),
};

export function collectionPath(ref: Omit<ObjectRef, "name">): string {
  const resource = RESOURCES[ref.kind];
  if (resource === undefined) throw new TypeError(`no path is known for kind ${ref.kind}`);
  const root = ref.apiVersion.includes("/") ? `/apis/${ref.apiVersion}` : `/api/${ref.apiVersion}`;
  const scope = resource.namespaced && ref.namespace !== undefined ? `/namespaces/${ref.namespace}` : "";
  return `${root}${scope}/${resource.plural}`;
}

export function objectPath(ref: ObjectRef): string {
  return `${collectionPath(ref)}/${encodeURIComponent(ref.name)}`;
}

/** A verb of Kubernetes' authorization: a server-side apply is `patch`, and `create` too where the object is not there. */
export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete";

export interface Resource {
  readonly plural: string;
  readonly namespaced: boolean;
  /** What Meshjoin asks of API servers about this kind; permissions are derived from it. */
  readonly verbs: readonly Verb[];
}

/** Of an object of Istio's manifest: looked at before it is touched, and created or applied. */
const APPLIED: readonly Verb[] = ["get", "create", "patch"];

const namespaced = (plural: string, verbs = APPLIED): Resource => ({ plural, namespaced: true, verbs });
const clusterScoped = (plural: string, verbs = APPLIED): Resource => ({ plural, namespaced: false, verbs });

/**
 * The kinds that Meshjoin touches, and those that other values make Istio's charts render. Knowing their paths saves a
 * discovery request per API group and cluster; a kind that a newer Istio brings is refused by the build (`inventory.json`).
 */
const RESOURCES: Readonly<Record<string, Resource>> = {
  ClusterRole: clusterScoped("clusterroles"),
  ClusterRoleBinding: clusterScoped("clusterrolebindings"),
  ConfigMap: namespaced("configmaps", [...APPLIED, "list"]),
  CustomResourceDefinition: clusterScoped("customresourcedefinitions", ["list", "watch", "create", "patch"]),
  Deployment: namespaced("deployments", [...APPLIED, "list", "watch"]),
  Event: namespaced("events", ["list"]),
  HorizontalPodAutoscaler: namespaced("horizontalpodautoscalers"),
  MutatingWebhookConfiguration: clusterScoped("mutatingwebhookconfigurations"),
  Namespace: clusterScoped("namespaces"),
  NetworkPolicy: namespaced("networkpolicies"),
  Node: clusterScoped("nodes", ["list"]),
  Pod: namespaced("pods", ["list"]),
  PodDisruptionBudget: namespaced("poddisruptionbudgets"),
  ResourceQuota: namespaced("resourcequotas"),
  Role: namespaced("roles"),
  RoleBinding: namespaced("rolebindings"),
  Secret: namespaced("secrets", [...APPLIED, "list", "update", "delete"]),
  Service: namespaced("services"),
  ServiceAccount: namespaced("serviceaccounts"),
  ValidatingAdmissionPolicy: clusterScoped("validatingadmissionpolicies"),
  ValidatingAdmissionPolicyBinding: clusterScoped("validatingadmissionpolicybindings"),
  ValidatingWebhookConfiguration: clusterScoped("validatingwebhookconfigurations"),
};

export function resourceOf(kind: string): Resource {
  const resource = RESOURCES[kind];
  if (resource === undefined) {
    throw new TypeError(
      `no path is known for kind ${kind}: add it to RESOURCES in shared/core/kubernetes-requests.ts`,
    );
  }
  return resource;
}

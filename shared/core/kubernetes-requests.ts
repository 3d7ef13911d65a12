/** A verb of Kubernetes' authorization: a server-side apply is `patch`, and `create` too where the object is not there. */
export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete";

export interface Resource {
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** What Meshjoin asks of API servers about this kind, where Istio's manifest holds it, or where `isOwn`. */
  readonly verbs: readonly Verb[];
  /** Meshjoin's own doing, whatever Istio's manifest holds. */
  readonly isOwn: boolean;
  /** What a deep run asks besides, whatever the manifest holds; a kind of the manifest it lists in any case. */
  readonly deep: readonly Verb[];
}

/** Of an object of Istio's manifest: looked at before it is touched, and created or applied. */
const APPLIED: readonly Verb[] = ["get", "create", "patch"];
/** Of what an earlier manifest may have left over. What is of the whole cluster, and a Deployment, a person deletes. */
const PRUNED: readonly Verb[] = ["list", "delete"];

const ADMISSION = "admissionregistration.k8s.io/v1";
const RBAC = "rbac.authorization.k8s.io/v1";

type Asked = Partial<Pick<Resource, "verbs" | "isOwn" | "deep">>;

function namespaced(apiVersion: string, plural: string, asked: Asked = {}): Resource {
  return { apiVersion, plural, namespaced: true, verbs: APPLIED, isOwn: false, deep: [], ...asked };
}

function clusterScoped(apiVersion: string, plural: string, asked: Asked = {}): Resource {
  return { ...namespaced(apiVersion, plural, asked), namespaced: false };
}

/**
 * The kinds that Meshjoin touches, and those that other values make Istio's charts render. Knowing their paths saves a
 * discovery request per API group and cluster; a kind that a newer Istio brings is refused by the build (`inventory.json`).
 * Permissions, what a deep run lists and what it deletes are derived from it.
 */
export const RESOURCES: Readonly<Record<string, Resource>> = {
  ClusterRole: clusterScoped(RBAC, "clusterroles"),
  ClusterRoleBinding: clusterScoped(RBAC, "clusterrolebindings"),
  ConfigMap: namespaced("v1", "configmaps", { verbs: [...APPLIED, "list"], deep: PRUNED }),
  CustomResourceDefinition: clusterScoped("apiextensions.k8s.io/v1", "customresourcedefinitions", {
    verbs: ["list", "watch", "create", "patch"],
  }),
  Deployment: namespaced("apps/v1", "deployments", { verbs: [...APPLIED, "list", "watch"] }),
  Event: namespaced("v1", "events", { verbs: ["list"], deep: ["list"] }),
  HorizontalPodAutoscaler: namespaced("autoscaling/v2", "horizontalpodautoscalers", { deep: PRUNED }),
  MutatingWebhookConfiguration: clusterScoped(ADMISSION, "mutatingwebhookconfigurations"),
  Namespace: clusterScoped("v1", "namespaces", { isOwn: true }),
  NetworkPolicy: namespaced("networking.k8s.io/v1", "networkpolicies", { deep: PRUNED }),
  Node: clusterScoped("v1", "nodes", { verbs: ["list"] }),
  Pod: namespaced("v1", "pods", { verbs: ["list"], isOwn: true }),
  PodDisruptionBudget: namespaced("policy/v1", "poddisruptionbudgets", { deep: PRUNED }),
  ResourceQuota: namespaced("v1", "resourcequotas", { deep: PRUNED }),
  Role: namespaced(RBAC, "roles", { deep: PRUNED }),
  RoleBinding: namespaced(RBAC, "rolebindings", { deep: PRUNED }),
  Secret: namespaced("v1", "secrets", { verbs: [...APPLIED, "list", "update", "delete"], isOwn: true }),
  Service: namespaced("v1", "services", { deep: PRUNED }),
  ServiceAccount: namespaced("v1", "serviceaccounts", { deep: PRUNED }),
  ValidatingAdmissionPolicy: clusterScoped(ADMISSION, "validatingadmissionpolicies"),
  ValidatingAdmissionPolicyBinding: clusterScoped(ADMISSION, "validatingadmissionpolicybindings"),
  ValidatingWebhookConfiguration: clusterScoped(ADMISSION, "validatingwebhookconfigurations"),
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

import { FAILOVER_RULE } from "./names.ts";
import { PROBE_NAMESPACE } from "./probe/wire.ts";

/** A verb of Kubernetes' authorization. A server-side apply is `patch`, and `create` for a new object. */
export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete";

export interface Resource {
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Requests of every run about this kind, where Istio's manifest holds it, or where `isOwn`. */
  readonly verbs: readonly Verb[];
  /** Meshjoin itself needs the kind; the manifest need not hold it. */
  readonly isOwn: boolean;
  /** Further requests of a deep run, with any manifest. It also lists every kind of the manifest. */
  readonly deep: readonly Verb[];
  /**
   * Who grants the requests: IAM, or a ClusterRole that Meshjoin installs (istio/rights.ts), because IAM has
   * one permission for all custom resources of all clusters.
   */
  readonly grantedBy: "iam" | "clusterRole";
  /**
   * IAM grants the list, though the ClusterRole grants the rest: every look reads the kind, also in a cluster
   * that has no role of Meshjoin's yet.
   */
  readonly isListedByIam: boolean;
  /** The only objects of the kind that Meshjoin deletes; the ClusterRole grants it for these names. */
  readonly deletedNames?: readonly string[];
}

/** For an object of Istio's manifest: Meshjoin reads it first, then creates or applies it. */
const APPLIED: readonly Verb[] = ["get", "create", "patch"];
/** For objects that an earlier manifest left over. Cluster-scoped ones and Deployments a person deletes. */
const PRUNED: readonly Verb[] = ["list", "delete"];

const ADMISSION = "admissionregistration.k8s.io/v1";
const RBAC = "rbac.authorization.k8s.io/v1";
export const ISTIO_NETWORKING = "networking.istio.io/v1";
export const ISTIO_SECURITY = "security.istio.io/v1";

type RequestOptions = Partial<Omit<Resource, "apiVersion" | "plural" | "namespaced">>;

function namespaced(apiVersion: string, plural: string, options: RequestOptions = {}): Resource {
  return {
    apiVersion,
    plural,
    namespaced: true,
    verbs: APPLIED,
    isOwn: false,
    deep: [],
    grantedBy: "iam",
    isListedByIam: false,
    ...options,
  };
}

function clusterScoped(apiVersion: string, plural: string, options: RequestOptions = {}): Resource {
  return { ...namespaced(apiVersion, plural, options), namespaced: false };
}

/** A custom resource that Meshjoin makes itself. */
function custom(apiVersion: string, plural: string, options: RequestOptions = {}): Resource {
  return namespaced(apiVersion, plural, { grantedBy: "clusterRole", ...options });
}

/**
 * The kinds that Meshjoin touches, and those that Istio's charts render with other values. Knowing their
 * paths saves a discovery request per API group and cluster. The build refuses a kind that a newer Istio
 * brings (`inventory.json`). Permissions, and the kinds that a deep run lists and deletes, follow from this
 * table.
 */
export const RESOURCES: Readonly<Record<string, Resource>> = {
  AuthorizationPolicy: custom(ISTIO_SECURITY, "authorizationpolicies"),
  ClusterRole: clusterScoped(RBAC, "clusterroles"),
  ClusterRoleBinding: clusterScoped(RBAC, "clusterrolebindings"),
  ConfigMap: namespaced("v1", "configmaps", { verbs: [...APPLIED, "list"], deep: PRUNED }),
  CustomResourceDefinition: clusterScoped("apiextensions.k8s.io/v1", "customresourcedefinitions", {
    verbs: ["list", "watch", "create", "patch"],
  }),
  Deployment: namespaced("apps/v1", "deployments", { verbs: [...APPLIED, "list", "watch"] }),
  DestinationRule: custom(ISTIO_NETWORKING, "destinationrules", {
    isListedByIam: true,
    deletedNames: [FAILOVER_RULE],
  }),
  EndpointSlice: namespaced("discovery.k8s.io/v1", "endpointslices", {
    verbs: ["list", "watch"],
    isOwn: true,
  }),
  Event: namespaced("v1", "events", { verbs: ["list"], deep: ["list"] }),
  Gateway: custom("gateway.networking.k8s.io/v1", "gateways", { verbs: [...APPLIED, "list", "delete"] }),
  HorizontalPodAutoscaler: namespaced("autoscaling/v2", "horizontalpodautoscalers", { deep: PRUNED }),
  MutatingWebhookConfiguration: clusterScoped(ADMISSION, "mutatingwebhookconfigurations"),
  Namespace: clusterScoped("v1", "namespaces", { isOwn: true, deletedNames: [PROBE_NAMESPACE] }),
  NetworkPolicy: namespaced("networking.k8s.io/v1", "networkpolicies", { deep: PRUNED }),
  Node: clusterScoped("v1", "nodes", { verbs: ["list"] }),
  PeerAuthentication: custom(ISTIO_SECURITY, "peerauthentications"),
  Pod: namespaced("v1", "pods", { verbs: ["list"], isOwn: true }),
  PodDisruptionBudget: namespaced("policy/v1", "poddisruptionbudgets", { deep: PRUNED }),
  ResourceQuota: namespaced("v1", "resourcequotas", { deep: PRUNED }),
  Role: namespaced(RBAC, "roles", { deep: PRUNED }),
  RoleBinding: namespaced(RBAC, "rolebindings", { deep: PRUNED }),
  Secret: namespaced("v1", "secrets", { verbs: [...APPLIED, "list", "update", "delete"], isOwn: true }),
  Service: namespaced("v1", "services", { verbs: [...APPLIED, "list", "watch"], deep: PRUNED }),
  ServiceAccount: namespaced("v1", "serviceaccounts", { deep: PRUNED }),
  Sidecar: custom(ISTIO_NETWORKING, "sidecars"),
  ValidatingAdmissionPolicy: clusterScoped(ADMISSION, "validatingadmissionpolicies"),
  ValidatingAdmissionPolicyBinding: clusterScoped(ADMISSION, "validatingadmissionpolicybindings"),
  ValidatingWebhookConfiguration: clusterScoped(ADMISSION, "validatingwebhookconfigurations"),
  VirtualService: custom(ISTIO_NETWORKING, "virtualservices"),
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

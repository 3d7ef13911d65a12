/** What kube-apiserver asks about; `authorization.k8s.io/v1` ResourceAttributes. */
export interface ResourceAttributes {
  readonly verb: string;
  readonly group?: string | undefined;
  readonly resource: string;
  readonly subresource?: string | undefined;
}

/** Permissions by method and path of the Kubernetes API. */
const API = "https://cloud.google.com/kubernetes-engine/docs/reference/api-permissions";
/** Every permission that there is. */
const LIST = "https://cloud.google.com/iam/docs/roles-permissions/container";
/**
 * GKE names the permission in its refusal: `cannot patch resource "namespaces" … requires one of
 * ["container.namespaces.update"]`.
 */
const REFUSAL = "the refusal of GKE's API server: requires one of [PERMISSION] permission(s)";
/** The verbs that guard RBAC's own objects. */
const RBAC =
  "https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping";

interface VerbLine {
  readonly verbs: readonly string[];
  readonly suffix: string;
  readonly source: string;
}

/** A server-side apply is asked about as `patch`, and as `create` too where the object is not there. */
const VERBS: readonly VerbLine[] = [
  { verbs: ["get"], suffix: "get", source: API },
  // A watch is a GET of the collection.
  { verbs: ["list", "watch"], suffix: "list", source: API },
  { verbs: ["create"], suffix: "create", source: API },
  { verbs: ["update", "patch"], suffix: "update", source: `${API}; ${REFUSAL}` },
  { verbs: ["delete", "deletecollection"], suffix: "delete", source: API },
];

interface CollectionLine {
  readonly group: string;
  readonly resource: string;
  /** `container.COLLECTION.*` */
  readonly collection: string;
  readonly source: string;
}

const collection = (group: string, resource: string, name: string): CollectionLine => ({
  group,
  resource,
  collection: name,
  source: LIST,
});

const COLLECTIONS: readonly CollectionLine[] = [
  collection("", "configmaps", "configMaps"),
  collection("", "events", "events"),
  collection("", "namespaces", "namespaces"),
  collection("", "pods", "pods"),
  collection("", "resourcequotas", "resourceQuotas"),
  collection("", "secrets", "secrets"),
  collection("", "serviceaccounts", "serviceAccounts"),
  collection("", "services", "services"),
  collection(
    "admissionregistration.k8s.io",
    "mutatingwebhookconfigurations",
    "mutatingWebhookConfigurations",
  ),
  collection(
    "admissionregistration.k8s.io",
    "validatingwebhookconfigurations",
    "validatingWebhookConfigurations",
  ),
  collection("apiextensions.k8s.io", "customresourcedefinitions", "customResourceDefinitions"),
  collection("apps", "deployments", "deployments"),
  collection("autoscaling", "horizontalpodautoscalers", "horizontalPodAutoscalers"),
  collection("discovery.k8s.io", "endpointslices", "endpointSlices"),
  collection("networking.k8s.io", "networkpolicies", "networkPolicies"),
  collection("policy", "poddisruptionbudgets", "podDisruptionBudgets"),
  collection("rbac.authorization.k8s.io", "clusterrolebindings", "clusterRoleBindings"),
  collection("rbac.authorization.k8s.io", "clusterroles", "clusterRoles"),
  collection("rbac.authorization.k8s.io", "rolebindings", "roleBindings"),
  collection("rbac.authorization.k8s.io", "roles", "roles"),
];

interface SpecialLine {
  readonly group: string;
  /** With its subresource. */
  readonly resource: string;
  readonly verbs: readonly string[];
  readonly permission: string;
  readonly source: string;
}

const SPECIAL: readonly SpecialLine[] = [
  // An upgrade to WebSocket is a GET, which newer API servers want `create` for as well.
  {
    group: "",
    resource: "pods/portforward",
    verbs: ["get", "create"],
    permission: "container.pods.portForward",
    source: LIST,
  },
  {
    group: "",
    resource: "serviceaccounts/token",
    verbs: ["create"],
    permission: "container.serviceAccounts.createToken",
    source: `${LIST}; ${REFUSAL}`,
  },
  {
    group: "authentication.k8s.io",
    resource: "tokenreviews",
    verbs: ["create"],
    permission: "container.tokenReviews.create",
    source: LIST,
  },
  {
    group: "rbac.authorization.k8s.io",
    resource: "clusterroles",
    verbs: ["escalate"],
    permission: "container.clusterRoles.escalate",
    source: `${LIST}; ${RBAC}`,
  },
  {
    group: "rbac.authorization.k8s.io",
    resource: "clusterroles",
    verbs: ["bind"],
    permission: "container.clusterRoles.bind",
    source: `${LIST}; ${RBAC}`,
  },
  {
    group: "rbac.authorization.k8s.io",
    resource: "roles",
    verbs: ["escalate"],
    permission: "container.roles.escalate",
    source: `${LIST}; ${RBAC}`,
  },
  {
    group: "rbac.authorization.k8s.io",
    resource: "roles",
    verbs: ["bind"],
    permission: "container.roles.bind",
    source: `${LIST}; ${RBAC}`,
  },
];

/** `container.thirdPartyObjects.*` stand for the objects of every custom resource. */
const THIRD_PARTY: CollectionLine = {
  group: "*",
  resource: "*",
  collection: "thirdPartyObjects",
  source: API,
};

/** Kubernetes' own groups have no dot or end in `.k8s.io`. */
const BUILT_IN = /^[a-z]*$|\.k8s\.io$/;

/** Every line of the map with its source, for the report. */
export const MAP_LINES: readonly { readonly permission: string; readonly source: string }[] = [
  ...SPECIAL,
  ...[...COLLECTIONS, THIRD_PARTY].flatMap((line) =>
    VERBS.map(({ suffix, source }) => ({
      permission: `container.${line.collection}.${suffix}`,
      source: `${line.source}; ${source}`,
    })),
  ),
];

/** The IAM permission that GKE asks for; undefined for what this map does not know, which is refused. */
export function kubernetesPermission(attributes: ResourceAttributes): string | undefined {
  const { verb, group = "", resource, subresource } = attributes;
  const full = subresource ? `${resource}/${subresource}` : resource;
  const special = SPECIAL.find(
    (line) => line.group === group && line.resource === full && line.verbs.includes(verb),
  );
  if (special !== undefined) return special.permission;
  const suffix = VERBS.find(({ verbs }) => verbs.includes(verb))?.suffix;
  const known =
    COLLECTIONS.find((line) => line.group === group && line.resource === full) ??
    (BUILT_IN.test(group) || subresource ? undefined : THIRD_PARTY);
  return suffix === undefined || known === undefined ? undefined : `container.${known.collection}.${suffix}`;
}

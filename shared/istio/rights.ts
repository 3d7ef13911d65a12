import { fnv1a } from "../core/hash.ts";
import { RESOURCES } from "../core/kubernetes-requests.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import { ownershipLabels } from "./ownership.ts";

const RBAC = "rbac.authorization.k8s.io";
const API_VERSION = `${RBAC}/v1`;
const NAME = "meshjoin-custom-resources";

/**
 * The rights on the custom resources that Meshjoin writes, as one ClusterRole. IAM has one permission for all
 * custom resources of all clusters, `container.thirdPartyObjects.*`; this grants these kinds, in one cluster.
 */
export function rightsRole(meshId: string): KubernetesObject {
  const custom = Object.values(RESOURCES).filter(({ grantedBy }) => grantedBy === "clusterRole");
  return {
    apiVersion: API_VERSION,
    kind: "ClusterRole",
    metadata: { name: NAME, labels: ownershipLabels(meshId) },
    rules: custom.map(({ apiVersion, plural, verbs }) => ({
      apiGroups: [apiVersion.split("/")[0]],
      resources: [plural],
      verbs,
    })),
  };
}

/** Each account has a binding of its own: `subjects` is one field, which two accounts would overwrite. */
export function rightsBinding(meshId: string, userName: string): KubernetesObject {
  return {
    apiVersion: API_VERSION,
    kind: "ClusterRoleBinding",
    metadata: { name: `${NAME}-${fnv1a(userName)}`, labels: ownershipLabels(meshId) },
    roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: NAME },
    subjects: [{ apiGroup: RBAC, kind: "User", name: userName }],
  };
}

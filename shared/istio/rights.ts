import { fnv1a } from "../core/hash.ts";
import { RESOURCES, type Resource } from "../core/kubernetes-requests.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import { ownershipLabels } from "./ownership.ts";

const RBAC = "rbac.authorization.k8s.io";
const API_VERSION = `${RBAC}/v1`;
const NAME = "meshjoin-custom-resources";

/**
 * The rights on the custom resources that Meshjoin writes, as one ClusterRole. IAM has one permission for all
 * custom resources of all clusters, `container.thirdPartyObjects.*`; this grants these kinds, in one cluster.
 * Of kinds that IAM lets nobody delete, it grants the deletion of single objects.
 */
export function rightsRole(meshId: string): KubernetesObject {
  const all = Object.values(RESOURCES);
  const custom = all.filter(({ grantedBy }) => grantedBy === "clusterRole");
  return {
    apiVersion: API_VERSION,
    kind: "ClusterRole",
    metadata: { name: NAME, labels: ownershipLabels(meshId) },
    rules: [
      ...custom.map((resource) => ({ ...subjectOf(resource), verbs: resource.verbs })),
      ...all.flatMap((resource) =>
        resource.deletedNames === undefined
          ? []
          : [{ ...subjectOf(resource), resourceNames: resource.deletedNames, verbs: ["delete"] }],
      ),
    ],
  };
}

function subjectOf({ apiVersion, plural }: Resource) {
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
  return { apiGroups: [group], resources: [plural] };
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

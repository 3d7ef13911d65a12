import { ISTIO_NAMESPACE } from "../../shared/core/names.ts";
import type { Permission } from "../../shared/ports.ts";

const RBAC = "rbac.authorization.k8s.io";
const namespace = ISTIO_NAMESPACE;

/**
 * What a join, a renewal and a leave need of a member, without naming every kind of Istio's objects: whoever may do
 * these is an administrator of the cluster, as Istio's own roles make necessary (`escalate`, `bind`). A port-forward
 * is a GET that newer API servers want `create` for.
 */
export const NEEDED: readonly Permission[] = [
  { verb: "patch", group: "", resource: "namespaces" },
  { verb: "list", group: "", resource: "secrets", namespace },
  { verb: "create", group: "", resource: "secrets", namespace },
  { verb: "update", group: "", resource: "secrets", namespace },
  { verb: "delete", group: "", resource: "secrets", namespace },
  { verb: "create", group: "", resource: "serviceaccounts/token", namespace },
  { verb: "create", group: "authentication.k8s.io", resource: "tokenreviews" },
  { verb: "patch", group: "apps", resource: "deployments", namespace },
  { verb: "patch", group: "apiextensions.k8s.io", resource: "customresourcedefinitions" },
  { verb: "patch", group: "admissionregistration.k8s.io", resource: "validatingwebhookconfigurations" },
  { verb: "escalate", group: RBAC, resource: "clusterroles" },
  { verb: "bind", group: RBAC, resource: "clusterroles" },
  { verb: "list", group: "", resource: "pods", namespace },
  { verb: "get", group: "", resource: "pods/portforward", namespace },
  { verb: "create", group: "", resource: "pods/portforward", namespace },
];

/** `escalate clusterroles`. */
export function describePermission({ verb, resource }: Permission): string {
  return `${verb} ${resource}`;
}

import { describe, expect, it } from "@jest/globals";
import {
  kubernetesPermission,
  MAP_LINES,
} from "../../../../../sandbox/google/permissions/kubernetes-permission.ts";

const RBAC = "rbac.authorization.k8s.io";

describe("the permission that GKE asks for", () => {
  it.each([
    ["get", "", "secrets", "container.secrets.get"],
    ["watch", "", "secrets", "container.secrets.list"],
    ["patch", "", "namespaces", "container.namespaces.update"],
    ["deletecollection", "apps", "deployments", "container.deployments.delete"],
    ["create", "", "serviceaccounts/token", "container.serviceAccounts.createToken"],
    ["get", "", "pods/portforward", "container.pods.portForward"],
    ["create", "", "pods/portforward", "container.pods.portForward"],
    ["escalate", RBAC, "clusterroles", "container.clusterRoles.escalate"],
    ["bind", RBAC, "roles", "container.roles.bind"],
    ["create", "authentication.k8s.io", "tokenreviews", "container.tokenReviews.create"],
    ["list", "networking.istio.io", "gateways", "container.thirdPartyObjects.list"],
  ])("to %s %s/%s is %s%s", (verb, group, path, permission) => {
    const [resource = "", subresource] = path.split("/");
    expect(kubernetesPermission({ verb, group, resource, subresource })).toBe(permission);
  });

  it.each([
    ["impersonate", "", "users"],
    ["get", "", "unheard"],
    ["get", "storage.k8s.io", "unheard"],
    ["list", "", "pods/portforward"],
    ["get", "", "secrets/unheard"],
    ["escalate", "", "secrets"],
  ])("to %s %s/%s is none that it knows%s", (verb, group, path) => {
    const [resource = "", subresource] = path.split("/");
    expect(kubernetesPermission({ verb, group, resource, subresource })).toBeUndefined();
  });

  it("has a source for each line", () => {
    expect(MAP_LINES.filter(({ source }) => !source.includes("https://"))).toEqual([]);
  });
});

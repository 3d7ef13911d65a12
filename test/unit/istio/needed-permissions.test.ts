import { describe, expect, it } from "@jest/globals";
import { collectionPath } from "../../../shared/adapters/member-api/resources.ts";
import {
  describePermissions,
  INVENTORY,
  neededPermissions,
} from "../../../shared/istio/needed-permissions.ts";

describe("what Meshjoin needs of an API server", () => {
  it.each(INVENTORY)("has a path for the manifest's $kind", (kind) => {
    expect(collectionPath(kind)).toMatch(/^\/apis?\/[a-z0-9./]+$/);
  });

  it("goes by a path that no name of a namespace leads away from", () => {
    const pods = { apiVersion: "v1", kind: "Pod", namespace: "shop/secrets?x=" };
    expect(collectionPath(pods)).toBe("/api/v1/namespaces/shop%2Fsecrets%3Fx%3D/pods");
  });

  it("is refused where the manifest has a kind without a path", () => {
    const planted = [...INVENTORY, { apiVersion: "coordination.k8s.io/v1", kind: "Lease" }];
    expect(() => neededPermissions({ deep: false }, planted)).toThrow("no path is known for kind Lease");
  });

  it("is to look at, create and apply what the manifest has, and in a deep run to list it everywhere and to delete what is left over", () => {
    const kinds = [{ apiVersion: "policy/v1", kind: "PodDisruptionBudget" }];
    const budgets = { group: "policy", resource: "poddisruptionbudgets" };
    const all = (deep: boolean) =>
      neededPermissions({ deep }, kinds).filter(({ group }) => group === budgets.group);
    const shallow = ["get", "create", "patch"].map((verb) => ({
      verb,
      ...budgets,
      namespace: "istio-system",
    }));
    expect(all(false)).toEqual(shallow);
    const pruned = { verb: "delete", ...budgets, namespace: "istio-system" };
    expect(all(true)).toEqual([...shallow, { verb: "list", ...budgets }, pruned]);
  });

  it("is to list and delete in a deep run what an earlier manifest may have had, where the present one has no such kind", () => {
    const kinds = INVENTORY.filter(({ kind }) => kind !== "HorizontalPodAutoscaler");
    const scalers = { group: "autoscaling", resource: "horizontalpodautoscalers" };
    expect(
      neededPermissions({ deep: true }, kinds).filter(({ resource }) => resource === scalers.resource),
    ).toEqual([
      { verb: "list", ...scalers },
      { verb: "delete", ...scalers, namespace: "istio-system" },
    ]);
  });

  it("is to hand on more than it holds where the manifest has roles", () => {
    const rbac = "rbac.authorization.k8s.io/v1";
    const none = neededPermissions({ deep: true }, []);
    const some = neededPermissions({ deep: true }, [
      { apiVersion: rbac, kind: "ClusterRole" },
      { apiVersion: rbac, kind: "RoleBinding" },
    ]);
    const described = (verb: string) =>
      [none, some].map((all) => describePermissions(all.filter((each) => each.verb === verb)));
    expect(described("escalate")).toEqual(["", "clusterroles (escalate)"]);
    expect(described("bind")).toEqual(["", "roles (bind)"]);
  });
});

import { describe, expect, it } from "@jest/globals";
import { withRights } from "../../../shared/apply/rights.ts";
import { RESOURCES } from "../../../shared/core/kubernetes-requests.ts";
import { RefusedError } from "../../../shared/errors.ts";
import { rightsBinding, rightsRole } from "../../../shared/istio/rights.ts";
import { aMesh } from "../../support/fakes/mesh.ts";

const SIGNAL = new AbortController().signal;

async function aMember() {
  const mesh = await aMesh({ members: 1 });
  const [cluster] = mesh.clusters;
  const [server] = mesh.servers;
  if (cluster === undefined || server === undefined) throw new Error("the mesh has no member");
  return { api: mesh.run().ports.fleet.member(cluster), store: server.store };
}

const refused = () => Promise.reject(new RefusedError("no", { code: "Forbidden", cure: "grant it" }));

const rule = ([group, resource]: string[]) => ({
  apiGroups: [group],
  resources: [resource],
  verbs: ["get", "create", "patch"],
});

describe("the rights on custom resources", () => {
  it("are for the kinds that Meshjoin writes itself, and for no other", () => {
    expect(rightsRole("prod")).toMatchObject({
      rules: [
        ...[
          ["security.istio.io", "authorizationpolicies"],
          ["networking.istio.io", "destinationrules"],
        ].map(rule),
        {
          apiGroups: ["gateway.networking.k8s.io"],
          resources: ["gateways"],
          verbs: ["get", "create", "patch", "list", "delete"],
        },
        ...[
          ["security.istio.io", "peerauthentications"],
          ["networking.istio.io", "sidecars"],
          ["networking.istio.io", "virtualservices"],
        ].map(rule),
        {
          apiGroups: ["networking.istio.io"],
          resources: ["destinationrules"],
          resourceNames: ["meshjoin-failover"],
          verbs: ["delete"],
        },
        { apiGroups: [""], resources: ["namespaces"], resourceNames: ["meshjoin-probe"], verbs: ["delete"] },
      ],
    });
  });

  it("are bound to each account by a binding of its own", () => {
    const names = ["a@x.iam.gserviceaccount.com", "b@x.iam.gserviceaccount.com"].map(
      (user) => rightsBinding("prod", user).metadata.name,
    );
    expect(new Set(names).size).toBe(2);
  });

  it("are there before the first write, for the account that writes", async () => {
    const { api, store } = await aMember();
    const binding = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding" };
    const user = await api.access.userName();
    const seen = await withRights(api, "prod", SIGNAL, () =>
      Promise.resolve(store.list(binding).map(({ subjects }) => subjects)),
    );
    expect(seen).toEqual([[{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }]]);
  });

  it("are waited for until the API server has heard of them", async () => {
    const { api } = await aMember();
    let asked = 0;
    const write = () => {
      asked += 1;
      return asked < 3 ? refused() : Promise.resolve("written");
    };
    expect(await withRights(api, "prod", SIGNAL, write)).toBe("written");
  });

  it("are an error where they are not enough before the time is over", async () => {
    const { api } = await aMember();
    const writing = withRights(api, "prod", AbortSignal.timeout(250), refused);
    await expect(writing).rejects.toMatchObject({ code: "Forbidden" });
  });
});

describe("the kinds of which Meshjoin deletes objects", () => {
  it("are these", () => {
    const kinds = Object.entries(RESOURCES).filter(([, { verbs, deep }]) =>
      [...verbs, ...deep].includes("delete"),
    );
    expect(kinds.map(([kind]) => kind)).toEqual([
      "ConfigMap",
      "Gateway",
      "HorizontalPodAutoscaler",
      "NetworkPolicy",
      "PodDisruptionBudget",
      "ResourceQuota",
      "Role",
      "RoleBinding",
      "Secret",
      "Service",
      "ServiceAccount",
    ]);
  });

  it("are all objects of the kind, but of these the one of a name", () => {
    const named = Object.entries(RESOURCES).flatMap(([kind, { deletedNames = [] }]) =>
      deletedNames.map((name) => `${kind} ${name}`),
    );
    expect(named).toEqual(["DestinationRule meshjoin-failover", "Namespace meshjoin-probe"]);
  });
});

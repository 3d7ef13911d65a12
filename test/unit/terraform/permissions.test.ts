import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { DEPLOYMENTS } from "../../../sandbox/google/functions/function-process.ts";
import { kubernetesPermission } from "../../../sandbox/google/permissions/kubernetes-permission.ts";
import { ROOT } from "../../../scripts/paths.ts";
import { readModule, textOf } from "../../../scripts/terraform/module.ts";
import { variableNames } from "../../../shared/config.ts";
import { ROOT_CHANGES } from "../../../shared/doctor/google.ts";
import { isRecord } from "../../../shared/is-record.ts";
import {
  INVENTORY,
  type Need,
  neededPermissions,
  type RenderedKind,
} from "../../../shared/istio/needed-permissions.ts";

const identity = await readModule(join(ROOT, "terraform", "modules", "identity"));

/** The permissions that are written out, and those of the locals that it names. */
function permissionsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  const named = textOf(value).matchAll(/local\.(?<name>\w+)/g);
  return [...named].flatMap(({ groups }) =>
    permissionsIn(identity.locals.get(groups?.["name"] ?? "")?.value),
  );
}

function rolesIn(name: string) {
  const value = identity.locals.get(name)?.value;
  const of = (account: string) => permissionsIn(isRecord(value) ? value[account] : undefined);
  return { reconciler: of("reconciler"), rotator: of("rotator"), signer: of("signer") };
}

const clusters = rolesIn("cluster_permissions");
const root = rolesIn("root_permissions");

/** Of the API servers alone; these are GKE's own. */
const ofApiServers = (permissions: readonly string[]) =>
  permissions.filter((permission) => !/^container\.(?:clusters|operations)\./.test(permission)).toSorted();

/** What IAM calls all that Meshjoin asks of API servers when its manifest has these kinds. */
function neededGrants(need: Need, kinds: readonly RenderedKind[]): string[] {
  const grants = neededPermissions(need, kinds).map((permission) => {
    const [resource = "", subresource] = permission.resource.split("/");
    return (
      kubernetesPermission({ ...permission, resource, subresource }) ?? `of ${JSON.stringify(permission)}`
    );
  });
  return [...new Set(grants)].toSorted();
}

describe("the custom roles", () => {
  it.each(Object.entries({ ...clusters, ...root }))(
    "list single permissions, each once: %s",
    (_, permissions) => {
      expect(new Set(permissions).size).toBe(permissions.length);
      for (const permission of permissions)
        expect(permission).toMatch(/^(?:container|secretmanager)\.\w+\.\w+$/);
    },
  );

  it.each([
    ["reconciler", true],
    ["rotator", false],
  ] as const)(
    "let the %s do what it asks of API servers for the manifest's kinds, and no more",
    (role, deep) => {
      expect(ofApiServers(clusters[role])).toEqual(neededGrants({ deep }, INVENTORY));
    },
  );

  it("lack what a kind would need that Istio's charts begin to render", () => {
    const planted = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" };
    const granted = new Set(clusters.reconciler);
    const lacking = neededGrants({ deep: true }, [...INVENTORY, planted]).filter(
      (each) => !granted.has(each),
    );
    expect(lacking).toEqual(["create", "get", "update"].map((verb) => `container.networkPolicies.${verb}`));
  });

  it("let it delete Secrets, and in a deep run what a manifest may leave over in its namespace", () => {
    const deletesOf = (permissions: readonly string[]) =>
      permissions.filter((permission) => permission.endsWith(".delete")).toSorted();
    expect(deletesOf(clusters.rotator)).toEqual(["container.secrets.delete"]);
    expect(deletesOf(clusters.reconciler)).toEqual([
      "container.configMaps.delete",
      "container.horizontalPodAutoscalers.delete",
      "container.networkPolicies.delete",
      "container.podDisruptionBudgets.delete",
      "container.resourceQuotas.delete",
      "container.roleBindings.delete",
      "container.roles.delete",
      "container.secrets.delete",
      "container.serviceAccounts.delete",
      "container.services.delete",
    ]);
  });

  it("let the reconciler alone ask GKE for its operations", () => {
    const askers = Object.entries(clusters).filter(([, all]) => all.includes("container.operations.list"));
    expect(askers.map(([account]) => account)).toEqual(["reconciler"]);
  });

  it("let the signer reach no cluster, and nobody else read a root's key", () => {
    expect(clusters.signer.filter((each) => !/^container\.clusters\.(?:get|list)$/.test(each))).toEqual([]);
    const readers = Object.entries(root).filter(([, permissions]) =>
      permissions.includes("secretmanager.versions.access"),
    );
    expect(readers.map(([account]) => account)).toEqual(["signer"]);
  });

  it("let nobody but the rotator change the root secret", () => {
    const changes = (permissions: readonly string[]) =>
      permissions.filter((each) => !/\.(get|list|access)$/.test(each));
    expect(changes(root.reconciler)).toEqual([]);
    expect(changes(root.signer)).toEqual([]);
    expect(root.rotator).toEqual([...ROOT_CHANGES]);
    expect(clusters.rotator.filter((each) => !clusters.reconciler.includes(each))).toEqual([]);
  });
});

describe("the functions", () => {
  it("run as the accounts that the sandbox runs them as", async () => {
    const { locals } = await readModule(join(ROOT, "terraform", "modules", "functions"));
    const text = JSON.stringify(locals.get("functions")?.value);
    const { "sign-intermediate": signer, "examine-rotator": examiner, ...others } = DEPLOYMENTS;
    expect(locals.get("signer")?.value).toMatchObject({ account: signer.role });
    expect(locals.get("examiner")?.value).toMatchObject({ account: examiner.role });
    for (const [name, { role }] of Object.entries(others)) {
      expect(text).toMatch(new RegExp(`${name}[^}]*account[^}]*${role}`, "u"));
    }
  });

  it("take every variable of the configuration that Terraform does not set itself", async () => {
    const { variables } = await readModule(join(ROOT, "terraform"));
    const [validation] = [variables.get("settings")?.body["validation"]].flat();
    const named = [
      ...textOf(isRecord(validation) ? validation["condition"] : "").matchAll(/"(?<name>[A-Z_]+)"/g),
    ];
    const names = variableNames().map((name) => name.replace("MESHJOIN_", ""));
    // The variable `ingress` of Terraform is about the functions' own ingress.
    const inputs = names.filter((name) => name !== "INGRESS" && variables.has(name.toLowerCase()));
    const managed = [
      "PROJECTS",
      "ROOT_PROJECT",
      "EXAMINE_ROTATOR_URL",
      "SIGNER_URL",
      "CONTAINER_ENDPOINT",
      "SECRETMANAGER_ENDPOINT",
      "COMPUTE_ENDPOINT",
      "PROJECT_ENDPOINT",
    ];
    expect([...named.map(({ groups }) => groups?.["name"] ?? ""), ...inputs, ...managed].toSorted()).toEqual(
      names.toSorted(),
    );
  });
});

import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { DEPLOYMENTS } from "../../../sandbox/google/function-process.ts";
import { ROOT } from "../../../scripts/paths.ts";
import { isRecord, readModule, textOf } from "../../../scripts/terraform/module.ts";
import { collectionPath } from "../../../shared/adapters/kubernetes/resources.ts";
import { variableNames } from "../../../shared/config.ts";
import { MANIFEST_TEMPLATE } from "../../fixtures/manifest-template.ts";

const identity = await readModule(join(ROOT, "terraform", "modules", "identity"));

/** What is written out, and what locals it names hold. */
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

/** `container.clusterRoles.get` of a kind; case apart, Kubernetes and IAM name resources alike. */
function permissionsOf(kind: string): string[] {
  const plural = collectionPath({ apiVersion: "v1", kind }).split("/").at(-1) ?? "";
  return clusters.reconciler
    .filter((permission) => permission.split(".")[1]?.toLowerCase() === plural)
    .map((permission) => permission.split(".")[2] ?? "");
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

  const kinds = [...new Set(MANIFEST_TEMPLATE.objects.map(({ kind }) => kind))];
  it.each(kinds)("let Meshjoin apply and look at %s, and not delete it", (kind) => {
    const permissions = permissionsOf(kind);
    expect(permissions).toEqual(expect.arrayContaining(["create", "list", "update"]));
    expect(permissions).not.toContain("delete");
  });

  it("let it replace and delete Secrets alone", () => {
    expect(permissionsOf("Secret")).toEqual(["create", "delete", "get", "list", "update"]);
    expect(clusters.reconciler.filter((permission) => permission.endsWith(".delete"))).toHaveLength(1);
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
    expect(clusters.rotator.filter((each) => !clusters.reconciler.includes(each))).toEqual([]);
  });
});

describe("the functions", () => {
  it("run as the accounts that the sandbox runs them as", async () => {
    const { locals } = await readModule(join(ROOT, "terraform", "modules", "functions"));
    const text = JSON.stringify(locals.get("functions")?.value);
    const { "sign-intermediate": signer, ...others } = DEPLOYMENTS;
    expect(locals.get("signer")?.value).toMatchObject({ account: signer.role });
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
    const managed = [
      "MESH_ID",
      "PROJECTS",
      "ROOT_PROJECT",
      "SIGNER_URL",
      "CONTAINER_ENDPOINT",
      "SECRETMANAGER_ENDPOINT",
    ];
    expect([...named.map(({ groups }) => groups?.["name"] ?? ""), ...managed].toSorted()).toEqual(
      variableNames()
        .map((name) => name.replace("MESHJOIN_", ""))
        .toSorted(),
    );
  });
});

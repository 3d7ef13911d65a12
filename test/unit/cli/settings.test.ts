import { describe, expect, it } from "@jest/globals";
import { type Environment, type MeshChoice, settledEnvironment } from "../../../cli/settings.ts";
import { ConfigError } from "../../../shared/errors.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh } from "../../support/fakes/mesh.ts";
import { call } from "./host.ts";

const PATH = "/home/ada/.config/meshjoin/config.yaml";
const TWO = `
meshes:
  prod:
    projects: [shop-prod, shop-data]
    root_project: shop-security
  test:
    projects: shop-test
    mesh_id: test-eu
`;
const ONE = "meshes:\n  prod:\n    projects: [shop-prod]\n";

function settled(env: Environment, choice: MeshChoice, text: string | undefined) {
  const { MESHJOIN_MESH_ID: mesh, MESHJOIN_PROJECTS: projects } = settledEnvironment(env, choice, {
    path: PATH,
    text,
  });
  return [mesh, projects];
}

describe("the settings of a command", () => {
  it.each<[string, Environment, MeshChoice, string | undefined, readonly (string | undefined)[]]>([
    ["from nothing", {}, {}, undefined, [undefined, undefined]],
    ["from the environment", { MESHJOIN_MESH_ID: "a", MESHJOIN_PROJECTS: "p" }, {}, undefined, ["a", "p"]],
    ["from the only mesh of the file", {}, {}, ONE, ["prod", "shop-prod"]],
    ["from the mesh that --mesh names", {}, { mesh: "test" }, TWO, ["test-eu", "shop-test"]],
    [
      "from the mesh that the variable names",
      { MESHJOIN_MESH_ID: "prod" },
      {},
      TWO,
      ["prod", "shop-prod,shop-data"],
    ],
    ["from an ID that the file does not have", {}, { mesh: "new", project: "p" }, TWO, ["new", "p"]],
    [
      "from the environment before the file",
      { MESHJOIN_PROJECTS: "p" },
      { mesh: "prod" },
      TWO,
      ["prod", "p"],
    ],
    [
      "from flags before the environment",
      { MESHJOIN_MESH_ID: "a", MESHJOIN_PROJECTS: "p" },
      { mesh: "prod", project: "q" },
      ONE,
      ["prod", "q"],
    ],
    ["from the file where a variable is empty", { MESHJOIN_PROJECTS: "" }, {}, ONE, ["prod", "shop-prod"]],
    ["from an empty file", { MESHJOIN_MESH_ID: "a" }, {}, "", ["a", undefined]],
  ])("are %s", (_, env, choice, text, expected) => {
    expect(settled(env, choice, text)).toEqual(expected);
  });

  it.each([
    ["several meshes and no choice", TWO, "holds several meshes: prod, test", "choose one with --mesh"],
    [
      "a misspelt key",
      "meshes: { prod: { project: x } }",
      "meshes.prod.project in",
      "did you mean projects?",
    ],
    ["a strange key", "mesh: {}", "has the key mesh", "its only key is meshes"],
    ["no YAML", "meshes: [", "is no YAML", "mend it"],
    ["a list for a map", "meshes: { prod: [x] }", "meshes.prod in", "give it projects"],
    ["a map for a text", "meshes: { prod: { projects: { a: b } } }", "meshes.prod.projects in", "config.md"],
  ])("name the file, the key and the cure: %s", async (_, configFile, fault, cure) => {
    const { code, out, err } = await call(await aMesh({ members: 1 }), "status", { configFile });
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(fault);
    expect(err).toContain(PATH);
    expect(err).toContain(`cure: `);
    expect(err).toContain(cure);
  });

  it("are not asked for where nothing needs them", async () => {
    expect((await call(await aMesh(), "explain MemberLost", { configFile: "meshes: [" })).code).toBe(0);
  });
});

describe("an error with --output json", () => {
  it.each(["json", "yaml"])("is the one value on standard output: %s", async (format) => {
    const { code, out, err } = await call(await aMesh({ members: 1 }), `join m7 -o ${format}`);
    expect(code).toBe(2);
    expect(err).toContain("error: there is no cluster m7");
    const parsed: unknown = format === "json" ? JSON.parse(out) : (await import("yaml")).parse(out);
    expect(parsed).toEqual({
      code: "ClusterUnknown",
      message: "there is no cluster m7",
      cure: expect.stringContaining("cn-shop-europe-west1-m1"),
      field: "CLUSTER",
    });
  });

  it("has no field and no cure where there is none, and nothing secret", async () => {
    const mesh = await aMesh({ members: 1 });
    const broken = {
      ...mesh,
      run() {
        throw new TypeError("no such thing as ya29.abc");
      },
    };
    const { code, out } = await call(broken, "status -o json");
    expect([code, JSON.parse(out)]).toEqual([1, { code: "Unexpected", message: expect.any(String) }]);
    expect(out).not.toContain("ya29.abc");
  });
});

describe("a mesh ID that is mistyped", () => {
  it.each([
    ["sandbox", "did you mean sandbox? labels seen: mesh_id=sandbox on 2 clusters"],
    ["pord", "did you mean pord?"],
  ])("names the labels that clusters have: %s", async (label, words) => {
    const clusters = ["a", "b"].map((name) => aCluster({ name, labels: { mesh_id: label } }));
    const mesh = await aMesh({ clusters });
    mesh.roots.deleteSecret();
    const { err } = await call(mesh, "status");
    expect(err).toContain(words);
    expect(err).toContain("for a new mesh prod: meshjoin root init");
  });

  it("is none where clusters have the label of the mesh, or none at all", async () => {
    for (const labels of [{ mesh_id: "prod" }, {}]) {
      const mesh = await aMesh({ clusters: [aCluster({ labels })] });
      mesh.roots.deleteSecret();
      expect((await call(mesh, "status")).err).not.toContain("did you mean");
    }
  });
});

describe("a configuration file that cannot be used", () => {
  const unreadable = new ConfigError("config.yaml cannot be read", {
    code: "InvalidConfiguration",
    cure: "read",
  });

  it.each([
    ["explain MemberLost", 0],
    ["completion bash", 0],
    ["status", 2],
  ])("is in the way of a command that needs it, and of no other: %s", async (args, code) => {
    for (const configFile of [unreadable, "meshes: 1", "{"]) {
      const ended = await call(await aMesh(), args, { configFile });
      expect([ended.code, ended.err.includes("config.yaml")]).toEqual([code, code !== 0]);
    }
  });
});

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { goModuleDirectory } from "../../../sandbox/binaries/go-module.ts";
import {
  MESH_CONFIG_FILE,
  meshConfigText,
  readMeshConfigSchema,
} from "../../../scripts/build/manifest/mesh-config.ts";
import { ROOT } from "../../../scripts/paths.ts";

const DOWNLOAD_MS = 10 * 60_000;

describe("the keys of the mesh configuration", () => {
  it(
    "are those of the Istio that the sandbox runs (else: npm run build -- --update-mesh-config)",
    async () => {
      expect(await readFile(join(ROOT, MESH_CONFIG_FILE), "utf8")).toBe(await meshConfigText());
    },
    DOWNLOAD_MS,
  );

  it.each([
    ["mesh/v1alpha1/config.pb.go", "MeshConfig"],
    ["mesh/v1alpha1/proxy.pb.go", "ProxyConfig"],
  ])(
    "are those that Istio's own Go code has: %s, %s",
    async (file, message) => {
      const text = await readFile(join(await goModuleDirectory("istio.io/api"), file), "utf8");
      const [, body = ""] = new RegExp(`^type ${message} struct \\{\\n([^]*?)\\n\\}`, "m").exec(text) ?? [];
      // A name without underscores has no name of its own in JSON.
      const names = [...body.matchAll(/protobuf:"[^"]*?name=(\w+)(?:,json=(\w+))?/g)].map(
        ([, name = "", json]) => json ?? name,
      );
      const schema = await readMeshConfigSchema();
      const known = Object.keys(schema[`istio.mesh.v1alpha1.${message}`] ?? {});
      expect(names.length).toBeGreaterThan(20);
      // The fields of a oneof have a Go type of their own.
      expect(names.filter((name) => !known.includes(name))).toEqual([]);
      expect(known.filter((name) => !names.includes(name)).length).toBeLessThanOrEqual(2);
    },
    DOWNLOAD_MS,
  );
});

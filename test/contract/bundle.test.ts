import { builtinModules } from "node:module";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { parseSync } from "oxc-parser";
import manifest from "../../package.json" with { type: "json" };
import { DEPLOYMENTS } from "../../sandbox/google/functions/function-process.ts";
import { bundle } from "../../scripts/build/bundle.ts";
import { bundlePackage } from "../../scripts/build/bundle-package.ts";
import { ROOT } from "../../scripts/paths.ts";

const BUNDLE_TIMEOUT_MS = 60_000;
let files: ReadonlyMap<string, Uint8Array>;

beforeAll(async () => {
  files = await bundle("1.2.3");
}, BUNDLE_TIMEOUT_MS);

function scripts(): [string, string][] {
  return [...files]
    .filter(([name]) => name.endsWith(".js"))
    .map(([name, bytes]) => [name, Buffer.from(bytes).toString()]);
}

describe("the bundle", () => {
  it(
    "is the same bytes every time",
    async () => {
      const again = await bundle("1.2.3");
      expect([...again.keys()]).toEqual([...files.keys()]);
      for (const [name, bytes] of again)
        expect(Buffer.compare(bytes, files.get(name) ?? Buffer.of())).toBe(0);
    },
    BUNDLE_TIMEOUT_MS,
  );

  it("has an entry that registers, and one per function", () => {
    const entries = ["index", ...Object.keys(DEPLOYMENTS)].map((name) => `${name}.js`);
    expect([...files.keys()]).toEqual(expect.arrayContaining(entries));
  });

  it("lies in one folder", () => {
    expect([...files.keys()].filter((name) => name.includes("/"))).toEqual([]);
  });

  it("says nothing of the machine that built it", () => {
    for (const [name, bytes] of files)
      expect({ name, told: Buffer.from(bytes).includes(ROOT) }).toEqual({ name, told: false });
  });

  it("leaves the Functions Framework outside, and nothing else but Node's own modules", () => {
    const outside = scripts().flatMap(([name, text]) =>
      parseSync(name, text).module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    );
    const packages = new Set(outside.filter((name) => !/^(?:\.|node:)/.test(name)));
    expect([...packages].filter((name) => !builtinModules.includes(name))).toEqual([
      "@google-cloud/functions-framework",
    ]);
  });

  it("has its version from the build, and nothing else of package.json", () => {
    const holding = (text: string) =>
      scripts().flatMap(([name, code]) => (code.includes(text) ? [name] : []));
    expect(holding('"1.2.3"')).toHaveLength(1);
    expect(holding(manifest.description)).toEqual([]);
  });

  it("keeps the names of error classes, because errors say theirs", () => {
    expect(scripts().some(([, text]) => text.includes('"UnavailableError"'))).toBe(true);
  });

  it("names one exact version of the framework for Cloud Build", async () => {
    expect(JSON.parse((await bundlePackage("1.2.3")).get("package.json") ?? "")).toMatchObject({
      version: "1.2.3",
      type: "module",
      main: "index.js",
      engines: { node: "24" },
      dependencies: { "@google-cloud/functions-framework": expect.stringMatching(/^\d+\.\d+\.\d+$/) },
    });
  });
});

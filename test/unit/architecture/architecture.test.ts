import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { type ModuleFacts, moduleFacts } from "./module-facts.ts";
import { strays } from "./rooms.ts";
import { breaches } from "./rules.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

function modulesIn(...folders: readonly string[]): ModuleFacts[] {
  return folders.flatMap((folder) => {
    const entries = readdirSync(ROOT, { withFileTypes: true }).some((entry) => entry.name === folder)
      ? readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      : [];
    return entries
      .filter((file) => file.endsWith(".ts"))
      .map((file) => join(folder, file))
      .map((path) => moduleFacts(path, readFileSync(join(ROOT, path), "utf8")));
  });
}

describe("the product", () => {
  it("imports in one direction", () => {
    const modules = modulesIn("functions", "shared", "cli");
    expect(modules.length).toBeGreaterThan(20);
    expect(breaches(modules)).toEqual([]);
  });
});

describe("sandbox, scripts and bench", () => {
  it("import in one direction", () => {
    const modules = modulesIn("sandbox", "scripts", "bench");
    expect(modules.length).toBeGreaterThan(20);
    expect(strays(modules)).toEqual([]);
  });

  it.each([
    ["a sandbox that builds", "sandbox/fleet/a.ts", 'import "../../scripts/build/build.ts";', "further out"],
    ["a cluster that knows Google", "sandbox/cluster/a.ts", 'import "../google/cloud.ts";', "further out"],
    ["a build that tests", "scripts/build/a.ts", 'import { t } from "../check/test.ts";', "further out"],
    ["a file in no room", "sandbox/a.ts", "export const a = 1;", "no room"],
  ])("but not %s", (_, path, text, words) => {
    expect(strays([moduleFacts(path, text)])).toEqual([expect.stringContaining(words)]);
  });
});

describe("a breach is found", () => {
  it.each([
    ["core that reads files", "shared/core/a.ts", 'import { readFile } from "node:fs/promises";', "node:fs"],
    [
      "core that knows an error class",
      "shared/core/a.ts",
      'import type { E } from "../errors.ts";',
      "errors.ts",
    ],
    ["core that re-exports", "shared/core/a.ts", 'export * from "../pki/key.ts";', "pki/key.ts"],
    ["core that imports late", "shared/core/a.ts", 'const x = () => import("../log.ts");', "log.ts"],
    ["core that reads a type elsewhere", "shared/core/a.ts", 'let x: import("../log.ts").L;', "log.ts"],
    ["core that asks the time", "shared/core/a.ts", "const t = Date.now();", "Date.now"],
    ["core that makes a date of now", "shared/core/a.ts", "const t = new Date();", "new Date()"],
    ["core that makes a text of now", "shared/core/a.ts", "const t = Date();", "new Date()"],
    ["core that plays dice", "shared/core/a.ts", "const r = () => Math.random();", "Math.random"],
    ["core that reads the environment", "shared/core/a.ts", "const e = process.env;", "process"],
    ["core that waits", "shared/core/a.ts", "setTimeout(() => {}, 1);", "setTimeout"],
    [
      "an SDK outside adapters",
      "shared/look/member.ts",
      'import { V1Pod } from "@kubernetes/client-node";',
      "client-node",
    ],
    ["an SDK's type outside adapters", "cli/a.ts", 'import type { Agent } from "undici";', "undici"],
    ["a part of an SDK", "functions/a.ts", 'import x from "@google-cloud/pubsub/build/x.js";', "pubsub"],
    ["forge outside pki", "shared/istio/a.ts", 'import forge from "node-forge";', "node-forge"],
    [
      "an adapter used by a function",
      "functions/a.ts",
      'import { g } from "../shared/adapters/gke.ts";',
      "only",
    ],
    [
      "a function that labels clusters",
      "functions/a.ts",
      'import { o } from "../shared/operator.ts";',
      "people",
    ],
    ["a command in a function", "functions/a.ts", 'import { m } from "../cli/meshjoin.ts";', "does not know"],
    ["an adapter used late", "shared/reconcile.ts", 'await import("./adapters/gke.ts");', "only"],
    [
      "an adapter that plans",
      "shared/adapters/a.ts",
      'import { p } from "../reconcile.ts";',
      "adapter does not",
    ],
    [
      "looking that reconciles",
      "shared/look/member.ts",
      'import { r } from "../reconcile.ts";',
      "further out",
    ],
    [
      "a plan that looks",
      "shared/plan/a.ts",
      'import { o } from "../ports/fleet.ts";',
      "made of what was seen",
    ],
    ["a plan that asks the time", "shared/plan/a.ts", "const t = Date.now();", "Date.now"],
    ["pki that looks", "shared/pki/a.ts", 'import { o } from "../look/member.ts";', "further out"],
    ["reconciling that composes", "shared/reconcile.ts", 'import { r } from "./runtime.ts";', "further out"],
    [
      "a page that looks for itself",
      "functions/sync-mesh/page/a.ts",
      'import { o } from "../../shared/look/member.ts";',
      "data alone",
    ],
    ["a page that takes a library", "functions/sync-mesh/page/a.ts", 'import ejs from "ejs";', "data alone"],
    [
      "a page that asks the time",
      "functions/sync-mesh/page/sections/a.ts",
      "const t = Date.now();",
      "Date.now",
    ],
    ["the product on its test bed", "functions/a.ts", 'import { s } from "../sandbox/fleet.ts";', "no part"],
    ["an import that cannot be read", "shared/log.ts", "await import(name);", "no reader"],
    ["a file in no layer", "shared/helpers.ts", "export const a = 1;", "no layer"],
  ])("%s", (_, path, text, words) => {
    const found = breaches([moduleFacts(path, text)]);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(words);
  });

  it.each([
    ["core on core", "shared/core/a.ts", 'import { b } from "./b.ts"; export { c } from "./sub/c.ts";'],
    ["a date from a number", "shared/core/a.ts", "const f = (now: Date) => new Date(now.getTime() + 1);"],
    [
      "a field that is called like a global",
      "shared/core/a.ts",
      "const f = (x: X) => ({ process: x.performance });",
    ],
    ["a word in a comment or a text", "shared/core/a.ts", 'const x = "Date.now()"; // import "node:fs"'],
    ["the composition root on adapters", "shared/runtime.ts", 'await import("./adapters/gke.ts");'],
    ["a command on the operator", "cli/a.ts", 'import { o } from "../shared/operator.ts";'],
    ["an adapter on its SDK", "shared/adapters/a.ts", 'import { Agent } from "undici";'],
    ["the clock outside core", "shared/look/istiods.ts", "const t = Date.now();"],
    [
      "a page on core and itself",
      "functions/sync-mesh/page/a.ts",
      'import "./b.ts"; import "../../../shared/core/answers/status.ts";',
    ],
    [
      "a page that hashes its style",
      "functions/sync-mesh/page/a.ts",
      'import { createHash } from "node:crypto";',
    ],
    ["a function on the runtime", "functions/a.ts", 'import { runtime } from "../shared/runtime.ts";'],
  ])("but not: %s", (_, path, text) => {
    expect(breaches([moduleFacts(path, text)])).toEqual([]);
  });
});

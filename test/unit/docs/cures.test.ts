import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { parseSync, Visitor } from "oxc-parser";
import { ROOT } from "../../../scripts/paths.ts";

/** What takes trust or configuration from workloads that run. */
const HARMS: readonly RegExp[] = [
  /\bdelet(?:e|ing)\b[^.|]*cacerts/i,
  /cacerts[^.|]*\bdelet(?:e|ing)\b/i,
  /\bdelet(?:e|ing)\b[^.|]*\bistiod\b/i,
  /\bdelete (?:its |the )?namespace\b/i,
  /\buninstall\b/i,
  /\b(?:rename|install|set|change)\b[^.|]*\bcluster ?name\b/i,
];
function isUnwarned(text: string): boolean {
  const flat = text.replace(/\s+/g, " ");
  return HARMS.some((harm) => harm.test(flat)) && !/outage/i.test(flat);
}

/** Every text in the code as it stands there; an inserted value appears as its expression. */
function textsOf(path: string, source: string): string[] {
  const texts: string[] = [];
  const take = ({ start, end }: { start: number; end: number }) => void texts.push(source.slice(start, end));
  new Visitor({ Literal: take, TemplateLiteral: take }).visit(parseSync(path, source).program);
  return texts;
}

/** Paragraphs, rows of tables and blocks of code. */
function partsOf(text: string): string[] {
  return text.split(/\n\s*\n|\n(?=[|-])|^```.*$/m);
}

async function read(...patterns: string[]): Promise<(readonly [path: string, text: string])[]> {
  const paths = await Array.fromAsync(glob(patterns, { cwd: ROOT }));
  return await Promise.all(
    paths.map(async (path) => [path, await readFile(join(ROOT, path), "utf8")] as const),
  );
}

describe("a cure that harms workloads which run", () => {
  it.each([
    ["delete cacerts", 'const cure = "delete the Secret cacerts";', 1],
    ["in another order", "const cure = `${id} has a cacerts of its own: delete it`;", 1],
    ["by the name of a constant", "const cure = `delete it (${DELETE_CACERTS})`;", 1],
    ["a clusterName", "const cure = `install it with clusterName ${id}`;", 1],
    ["an istiod", 'const cure = "uninstall it";', 1],
    ["a namespace", "const cure = `delete namespace ${ISTIO_NAMESPACE}`;", 1],
    ["a warning in another text", 'const cure = ["an outage", "uninstall it"];', 1],
    ["a warning with it", 'const cure = "uninstall it, an outage";', 0],
    ["another Secret", "const cure = `delete it: kubectl delete secret ${name}`;", 0],
    ["a comment", "// uninstall it", 0],
  ])("is found without a warning: %s", (_, source, count) => {
    expect(textsOf("x.ts", source).filter(isUnwarned)).toHaveLength(count);
  });

  it("says in the code that it costs an outage", async () => {
    const files = await read("{shared,cli,functions}/**/*.ts", "shared/core/answers/reasons.ts");
    const texts = files.flatMap(([path, source]) => textsOf(path, source).map((text) => ({ path, text })));
    expect(texts.filter(({ text }) => /outage/.test(text)).length).toBeGreaterThan(5);
    expect(texts.filter(({ text }) => isUnwarned(text))).toEqual([]);
  });

  it("says in the documents that it costs an outage", async () => {
    const files = await read("docs/{runbook,deploy,security}.md", "docs/reference/*.md", "README.md");
    const parts = files.flatMap(([path, text]) => partsOf(text).map((part) => ({ path, part })));
    expect(parts.filter(({ part }) => /outage/.test(part)).length).toBeGreaterThan(5);
    expect(parts.filter(({ part }) => isUnwarned(part))).toEqual([]);
  });
});

/** A new istiod begins without the pods of a member whose API server is silent. */
const RESTART = /rollout restart deployment\/(?:istiod|\$\{name\})/;
const CAUTION = /API server|RESTART_CAUTION|lose nothing/;

describe("a command that restarts istiod", () => {
  it("says in the code when not to give it", async () => {
    const files = await read("{shared,cli,functions}/**/*.ts");
    const texts = files.flatMap(([path, source]) => textsOf(path, source).map((text) => ({ path, text })));
    const restarts = texts.filter(({ text }) => RESTART.test(text));
    expect(restarts.length).toBeGreaterThan(3);
    expect(restarts.filter(({ text }) => !CAUTION.test(text))).toEqual([]);
  });

  it("says in the documents when not to give it", async () => {
    const files = await read("docs/{runbook,deploy,security,faq}.md", "docs/reference/*.md", "README.md");
    const parts = files.flatMap(([path, text]) => partsOf(text).map((part) => ({ path, part })));
    const restarts = parts.filter(({ part }) => RESTART.test(part));
    expect(restarts.length).toBeGreaterThan(3);
    expect(restarts.filter(({ part }) => !CAUTION.test(part))).toEqual([]);
  });
});

/** The beginning of a command, or a mention of the program. */
const KUBECTL =
  /\bkubectl (?!--context )(?:-n|get|delete|label|describe|logs|rollout|create|scale|patch|annotate|apply|exec|edit|wait|top)\b/;
/** They are about no cluster in particular. */
const GENERAL = ["shared/core/answers/reasons.ts", "shared/core/answers/error-codes.ts"];

describe("a kubectl command in a cure", () => {
  it("names the context of its cluster", async () => {
    const files = await read("{shared,cli,functions}/**/*.ts");
    const bare = files
      .filter(([path]) => !GENERAL.includes(path))
      .flatMap(([path, source]) => textsOf(path, source).map((text) => ({ path, text })))
      .filter(({ text }) => KUBECTL.test(text));
    expect(bare).toEqual([]);
  });

  it.each([
    ["without one", "kubectl -n istio-system logs deploy/istiod", true],
    ["with one", "kubectl --context gke_p_l_c -n istio-system logs deploy/istiod", false],
  ])("is told: %s", (_, text, isBare) => {
    expect(KUBECTL.test(text)).toBe(isBare);
  });
});

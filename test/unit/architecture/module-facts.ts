import { posix } from "node:path";
import { parseSync } from "oxc-parser";

/** What one source file takes from outside itself. */
export interface ModuleFacts {
  /** From the project's folder. */
  readonly path: string;
  /**
   * Paths from the project's folder for relative imports, else as written; types, re-exports and `import()`
   * included.
   */
  readonly imports: readonly string[];
  /** Uses of the clock, of chance and of the world around, as written. */
  readonly effects: readonly string[];
}

type Node = Readonly<Record<string, unknown>> & { readonly type: string };

const GLOBALS = [
  "console",
  "crypto",
  "fetch",
  "globalThis",
  "performance",
  "process",
  "queueMicrotask",
  "setImmediate",
  "setInterval",
  "setTimeout",
];

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

function isNamed(node: unknown, name: string): boolean {
  return isNode(node) && node.type === "Identifier" && node["name"] === name;
}

/** A name after a dot, or before a colon, stands for nothing by itself. */
function isOnlyName(key: string, parent: Node): boolean {
  return (key === "property" || key === "key") && parent["computed"] !== true && parent["shorthand"] !== true;
}

function* walk(node: Node): Generator<Node> {
  yield node;
  for (const [key, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child) && !(child.type === "Identifier" && isOnlyName(key, node))) yield* walk(child);
    }
  }
}

const IMPORTING = [
  "ImportDeclaration",
  "ExportNamedDeclaration",
  "ExportAllDeclaration",
  "ImportExpression",
  "TSImportType",
];

function importOf(node: Node): string | undefined {
  if (!IMPORTING.includes(node.type)) return undefined;
  const { source } = node;
  if (source === null || source === undefined) return undefined;
  const value = isNode(source) ? source["value"] : undefined;
  return typeof value === "string" ? value : "(computed)";
}

function effectOf(node: Node): string | undefined {
  if (node.type === "MemberExpression") {
    if (isNamed(node["object"], "Date") && isNamed(node["property"], "now")) return "Date.now";
    if (isNamed(node["object"], "Math") && isNamed(node["property"], "random")) return "Math.random";
  }
  if (
    isNamed(node["callee"], "Date") &&
    (node.type === "CallExpression" || node["arguments"]?.toString() === "")
  ) {
    return "new Date()";
  }
  return GLOBALS.find((name) => isNamed(node, name));
}

/** Fails on a file that does not parse. */
export function moduleFacts(path: string, text: string): ModuleFacts {
  const { program, errors } = parseSync(path, text);
  if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`);
  const nodes = isNode(program) ? [...walk(program)] : [];
  return {
    path,
    imports: nodes.flatMap((node) => {
      const specifier = importOf(node);
      if (specifier === undefined) return [];
      return specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : specifier;
    }),
    effects: nodes.flatMap((node) => effectOf(node) ?? []),
  };
}

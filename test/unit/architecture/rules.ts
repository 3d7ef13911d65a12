import type { ModuleFacts } from "./module-facts.ts";

/** Files of one layer, by the beginnings of their paths, and what they are for. */
export interface Layer {
  readonly paths: readonly string[];
  readonly role: string;
}

/**
 * From the inside out: a file imports from its own layer and from those before it. docs/design.md shows them.
 */
export const LAYERS: readonly Layer[] = [
  { paths: ["shared/core/"], role: "pure: names, membership, stages of a root, words for people" },
  { paths: ["shared/plan/"], role: "pure: from the mesh that was seen to the actions that are due" },
  { paths: ["package.json", "shared/version.ts"], role: "the version" },
  {
    paths: [
      "shared/errors.ts",
      "shared/is-record.ts",
      "shared/nearest.ts",
      "shared/scrub.ts",
      "shared/table.ts",
    ],
    role: "the classes of errors, the scrubber of keys, small helpers",
  },
  { paths: ["shared/async/"], role: "settling, limits and deadlines of promises" },
  {
    paths: ["shared/ports/", "shared/log.ts", "shared/config.ts", "shared/progress.ts"],
    role: "the interfaces to the outside, the log, the configuration",
  },
  { paths: ["shared/pki/", "shared/istio/"], role: "certificates; the objects that Istio must find" },
  { paths: ["shared/limits/"], role: "the pool of port-forwards" },
  { paths: ["shared/run.ts"], role: "one run: its ports, limits and deadline" },
  { paths: ["shared/report.ts"], role: "the result of a run, and the only merge" },
  { paths: ["shared/apply/"], role: "executes actions; each has an outcome" },
  { paths: ["shared/look/", "shared/plan-context.ts"], role: "reads through ports; unreachable is a value" },
  { paths: ["shared/doctor/"], role: "what an account can read and may do: ok, fault, or unknown" },
  { paths: ["shared/probe/"], role: "puts probes, asks them whether requests pass, and takes them away" },
  { paths: ["shared/phases/"], role: "the parts of a run, one after the other" },
  { paths: ["shared/reconcile.ts"], role: "look, plan, phases, report" },
  {
    paths: ["shared/rotate/"],
    role: "the stages of a root, and the gate between them",
  },
  {
    paths: [
      "shared/run-log.ts",
      "shared/preview.ts",
      "shared/status.ts",
      "shared/member-status.ts",
      "shared/sign-for-member.ts",
    ],
    role: "the log of a run; look and plan without a write; the certificate of a member",
  },
  { paths: ["shared/runtime.ts"], role: "the composition root: it knows the adapters" },
  { paths: ["shared/operator.ts"], role: "the rights of a person: for cli/ alone" },
  { paths: ["functions/", "cli/"], role: "parse the trigger, call once, answer; neither knows the other" },
];
/** Where the product begins; each without the others. */
const ENTRIES = ["functions/", "cli/"];

const CORE = "shared/core/";
/** From an observation to a plan. */
const PLAN = "shared/plan/";
const ADAPTERS = "shared/adapters/";
/** From data to markup: `node:crypto` for the hash of its style. */
const PAGE = "functions/sync-mesh/page/";
const PAGE_MAY_IMPORT = [PAGE, CORE, "node:crypto"];
const COMPOSITION_ROOTS = ["shared/runtime.ts", "shared/operator.ts"];
const ADAPTERS_MAY_IMPORT = [
  ADAPTERS,
  CORE,
  "shared/ports/",
  "shared/errors.ts",
  "shared/is-record.ts",
  "shared/async/",
];

/** What it can do beyond the runtime, no trigger may. */
const OPERATOR = "shared/operator.ts";

/** Packages that only one part of the product may know. */
const CONFINED: readonly { readonly name: string; readonly to: string | readonly string[] }[] = [
  { name: "@google-cloud/container", to: ADAPTERS },
  { name: "@google-cloud/secret-manager", to: ADAPTERS },
  { name: "@google-cloud/pubsub", to: ADAPTERS },
  { name: "@kubernetes/client-node", to: ADAPTERS },
  { name: "google-auth-library", to: ADAPTERS },
  { name: "google-gax", to: ADAPTERS },
  { name: "undici", to: ADAPTERS },
  { name: "ws", to: ADAPTERS },
  { name: "@google-cloud/functions-framework", to: "functions/" },
  { name: "node-forge", to: "shared/pki/" },
  { name: "commander", to: "cli/" },
  { name: "pino", to: "shared/log.ts" },
  {
    name: "zod",
    to: [
      "shared/config.ts",
      "shared/adapters/compute-answer.ts",
      "shared/istio/record-config-map.ts",
      "functions/input/",
      "functions/http/",
      "functions/sync-mesh/",
      "functions/sign-intermediate/",
      "functions/on-cluster-event/",
      "functions/on-rotation-request/",
    ],
  },
];

function startsWithAny(path: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => path.startsWith(prefix));
}

function layerOf(path: string): number {
  return LAYERS.findIndex(({ paths }) => startsWithAny(path, paths));
}

function isOwn(specifier: string): boolean {
  return specifier.endsWith(".ts") || specifier.endsWith(".json") || specifier.startsWith("..");
}

function wrongImport(path: string, specifier: string): string | undefined {
  const confined = CONFINED.find(({ name }) => specifier === name || specifier.startsWith(`${name}/`));
  if (confined !== undefined && !startsWithAny(path, [confined.to].flat())) {
    return `${specifier} belongs to ${String(confined.to)} alone`;
  }
  if (path.startsWith(CORE)) {
    return specifier.startsWith(CORE) ? undefined : `core imports nothing outside itself, not ${specifier}`;
  }
  if (path.startsWith(PLAN) && !startsWithAny(specifier, [PLAN, CORE])) {
    return `a plan is made of what was seen, not of ${specifier}`;
  }
  if (path.startsWith(PAGE) && !startsWithAny(specifier, PAGE_MAY_IMPORT)) {
    return `the page is made of data alone, not of ${specifier}`;
  }
  if (!isOwn(specifier))
    return specifier === "(computed)" ? "an import that no reader can follow" : undefined;
  if (path.startsWith(ADAPTERS)) {
    return startsWithAny(specifier, ADAPTERS_MAY_IMPORT)
      ? undefined
      : `an adapter does not know ${specifier}`;
  }
  if (specifier.startsWith(ADAPTERS)) {
    return COMPOSITION_ROOTS.includes(path)
      ? undefined
      : `only ${COMPOSITION_ROOTS.join(" and ")} import adapters, not ${specifier}`;
  }
  if (specifier === OPERATOR && !path.startsWith("cli/")) return `${OPERATOR} is for people alone, in cli/`;
  const entry = ENTRIES.find((each) => path.startsWith(each));
  if (entry !== undefined && startsWithAny(specifier, ENTRIES) && !specifier.startsWith(entry)) {
    return `${entry} does not know ${specifier}`;
  }
  const target = layerOf(specifier);
  if (target === -1) return `${specifier} is no part of the product`;
  return target <= layerOf(path) ? undefined : `${specifier} is further out`;
}

/** Every breach of the architecture as a sentence; none for a tree in order. */
export function breaches(modules: readonly ModuleFacts[]): string[] {
  return modules.flatMap(({ path, imports, effects }) => {
    const found = imports.flatMap((specifier) => wrongImport(path, specifier) ?? []);
    const pure = startsWithAny(path, [CORE, PLAN, PAGE]);
    const impure = pure ? effects.map((effect) => `what is pure must not use ${effect}`) : [];
    const lost = layerOf(path) === -1 && !path.startsWith(ADAPTERS) ? ["is in no layer: give it one"] : [];
    return [...found, ...impure, ...lost].map((breach) => `${path}: ${breach}`);
  });
}

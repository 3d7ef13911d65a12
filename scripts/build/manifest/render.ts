import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { ISTIOD } from "../../../shared/core/names.ts";
import type { Pin } from "../../../shared/istio/pin.ts";
import { PLACEHOLDERS } from "../../../shared/istio/template.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import { readMeshConfigSchema, UPDATE_MESH_CONFIG_FLAG, unknownMeshKeys } from "./mesh-config.ts";
import { brokenPromises } from "./promises.ts";
import { istioOperator, type Settings } from "./render-settings.ts";

/** What a function reads at run time: `istio/manifest.json` of the bundle. */
export interface Manifest {
  readonly pin: Pin;
  /** Whose charts: the pinned release's, or those of the sandbox's development snapshot. */
  readonly renderer: "release" | "snapshot";
  /** SHA-256 of all the rest. */
  readonly digest: string;
  readonly objects: readonly KubernetesObject[];
}

const OUTPUT_MAX = 64 * 1024 * 1024;
/** CRDs first, then what others refer to; within a kind by name. */
const KIND_ORDER = [
  "CustomResourceDefinition",
  "ServiceAccount",
  "ClusterRole",
  "ClusterRoleBinding",
  "Role",
];

function rank(object: KubernetesObject): number {
  const index = KIND_ORDER.indexOf(object.kind);
  return index === -1 ? KIND_ORDER.length : index;
}

function nameOf(object: KubernetesObject): string {
  const { namespace = "", name } = object.metadata;
  return `${object.apiVersion} ${object.kind} ${namespace}/${name}`;
}

function sortKeys(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(sortKeys);
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sortKeys(each)]));
}

function isKubernetesObject(value: unknown): value is KubernetesObject {
  if (typeof value !== "object" || value === null) return false;
  if (!("apiVersion" in value && "kind" in value && "metadata" in value)) return false;
  const { metadata } = value;
  return typeof metadata === "object" && metadata !== null && "name" in metadata;
}

/**
 * istioctl's output as objects, each with sorted keys, in an order that depends on nothing but their names.
 */
function parseManifest(yaml: string): KubernetesObject[] {
  const objects: KubernetesObject[] = [];
  for (const document of parseAllDocuments(yaml)) {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const value: unknown = sortKeys(document.toJS());
    if (isKubernetesObject(value)) objects.push(value);
    else if (value !== null) throw new Error("istioctl rendered something that is no Kubernetes object");
  }
  const sorted = objects.toSorted((a, b) => rank(a) - rank(b) || (nameOf(a) < nameOf(b) ? -1 : 1));
  const names = sorted.map(nameOf);
  const twice = names.find((name, index) => name === names[index + 1]);
  if (twice !== undefined) throw new Error(`istioctl rendered ${twice} twice: report it to Istio`);
  return sorted;
}

/**
 * One run of `istioctl manifest generate`, which reads no cluster. Fails on a rendering that breaks what a
 * mesh of Meshjoin stands on, with everything that it breaks, and on keys that istiod does not know.
 */
export async function renderObjects(
  istioctl: string,
  pin: Pin,
  userYaml: string,
  settings: Settings,
): Promise<KubernetesObject[]> {
  const directory = await mkdtemp(join(tmpdir(), "meshjoin-render-"));
  try {
    const file = join(directory, "operator.json");
    await writeFile(file, JSON.stringify(istioOperator(pin, userYaml, settings)));
    const { stdout } = await promisify(execFile)(istioctl, ["manifest", "generate", "-f", file], {
      maxBuffer: OUTPUT_MAX,
      env: { HOME: directory, PATH: process.env["PATH"] },
    });
    const objects = parseManifest(stdout);
    const broken = brokenPromises(objects, pin, settings);
    const unknown = unknownMeshKeys(objects, await readMeshConfigSchema());
    const said = [
      ...(broken.length === 0 ? [] : ["values.yaml breaks what a mesh stands on:", ...broken.map(indented)]),
      ...(unknown.length === 0
        ? []
        : [
            "values.yaml has keys that istiod would ignore without a word:",
            ...unknown.map(indented),
            `The keys are those of the Istio of the sandbox; with another one, build with --${UPDATE_MESH_CONFIG_FLAG} first.`,
          ]),
    ];
    if (said.length === 0) return objects;
    throw new Error(said.join("\n"));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const indented = (line: string) => `  ${line}`;

/** A release's charts carry its version; those of a development snapshot a placeholder. */
function rendererOf(objects: readonly KubernetesObject[], pin: Pin): Manifest["renderer"] {
  const istiod = objects.find((object) => object.kind === "Deployment" && object.metadata.name === ISTIOD);
  return istiod?.metadata.labels?.["app.kubernetes.io/version"] === pin.release ? "release" : "snapshot";
}

/** The template that `fillManifest` fills in. */
export async function renderTemplate(options: {
  readonly istioctl: string;
  readonly pin: Pin;
  readonly userYaml: string;
}): Promise<Manifest> {
  const { istioctl, pin, userYaml } = options;
  const objects = await renderObjects(istioctl, pin, userYaml, PLACEHOLDERS);
  const digest = createHash("sha256").update(JSON.stringify({ pin, objects })).digest("hex");
  return { pin, renderer: rendererOf(objects, pin), digest, objects };
}

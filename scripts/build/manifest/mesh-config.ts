import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { goModuleDirectory } from "../../../sandbox/binaries/go-module.ts";
import { isRecord } from "../../../shared/is-record.ts";
import { nearest } from "../../../shared/nearest.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import { ROOT } from "../../paths.ts";
import { writeIfChanged } from "../../write-file.ts";
import { type ProtoField, parseProto, resolveType } from "./proto.ts";

export const MESH_CONFIG_FILE = "shared/istio/mesh-config.json";
/** `npm run build` with it writes the schema anew. */
export const UPDATE_MESH_CONFIG_FLAG = "update-mesh-config";

/**
 * By the name of a message its keys, each with the message that it holds; empty: a scalar, or a mapping of
 * free form. `*` before the name: a mapping with free keys.
 */
export type MeshConfigSchema = Readonly<Record<string, Readonly<Record<string, string>>>>;

const MESH_CONFIG = "istio.mesh.v1alpha1.MeshConfig";
/** Files of Istio's API module from which MeshConfig is made. */
const PROTO_FILES: readonly string[] = [
  "mesh/v1alpha1/config.proto",
  "mesh/v1alpha1/proxy.proto",
  "networking/v1alpha3/destination_rule.proto",
  "networking/v1alpha3/virtual_service.proto",
  "networking/v1alpha3/workload_group.proto",
  "networking/v1beta1/proxy_config.proto",
  "type/v1beta1/selector.proto",
];

const SCALAR = /^(?:double|float|bool|string|bytes|s?u?int(?:32|64)|s?fixed(?:32|64))$/;
/** A Duration is a text, a wrapped number a number, and a Struct has any form. */
const WELL_KNOWN = "google.protobuf.";

/** From the texts of these files. Fails where a key is of a message that none of them has. */
export function meshConfigSchema(texts: readonly string[]): MeshConfigSchema {
  const files = texts.map(parseProto);
  const messages = new Map(files.flatMap((file) => [...file.messages]));
  const enums = new Set(files.flatMap((file) => [...file.enums]));
  const isKnown = (name: string) => messages.has(name) || enums.has(name);
  const shapes: Record<string, Record<string, string>> = {};
  const add = (name: string) => {
    if (shapes[name] !== undefined) return;
    const shape: Record<string, string> = {};
    shapes[name] = shape;
    for (const field of messages.get(name) ?? []) shape[field.name] = heldBy(field, name);
  };
  const heldBy = ({ type, isMap }: ProtoField, scope: string): string => {
    if (SCALAR.test(type) || type.startsWith(WELL_KNOWN)) return "";
    const name = resolveType(type, scope, isKnown);
    if (!isKnown(name)) throw new Error(`${scope} holds a ${type}: add its file to PROTO_FILES`);
    if (enums.has(name)) return "";
    add(name);
    return `${isMap ? "*" : ""}${name}`;
  };
  if (!messages.has(MESH_CONFIG)) throw new Error(`${MESH_CONFIG} is in none of the files`);
  add(MESH_CONFIG);
  const sorted = <T>(record: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return sorted(Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, sorted(shape)])));
}

/** Of the Istio that the sandbox runs. Needs go, and the module from its proxy or cache. */
export async function meshConfigText(): Promise<string> {
  const directory = await goModuleDirectory("istio.io/api");
  const texts = await Promise.all(PROTO_FILES.map((file) => readFile(join(directory, file), "utf8")));
  return `${JSON.stringify(meshConfigSchema(texts), undefined, 2)}\n`;
}

export async function updateMeshConfig(): Promise<void> {
  await writeIfChanged(join(ROOT, MESH_CONFIG_FILE), await meshConfigText());
}

export async function readMeshConfigSchema(): Promise<MeshConfigSchema> {
  const schema: MeshConfigSchema = JSON.parse(await readFile(join(ROOT, MESH_CONFIG_FILE), "utf8"));
  return schema;
}

/**
 * The keys of the rendered mesh configuration that istiod does not know, and so ignores without a word:
 * `pkg/util/protomarshal`, `ApplyYAML`. Each with the key that was probably meant. What is rendered is looked
 * at, because istioctl takes such keys from two places of `values.yaml`.
 */
export function unknownMeshKeys(objects: readonly KubernetesObject[], known: MeshConfigSchema): string[] {
  const config = objects.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === "istio");
  const data = config?.["data"];
  const text = isRecord(data) ? data["mesh"] : undefined;
  return typeof text === "string" ? unknownIn(parse(text), MESH_CONFIG, "meshConfig", known) : [];
}

function unknownIn(value: unknown, message: string, path: string, known: MeshConfigSchema): string[] {
  if (Array.isArray(value))
    return value.flatMap((each: unknown, index) => unknownIn(each, message, `${path}[${index}]`, known));
  if (message === "" || !isRecord(value)) return [];
  if (message.startsWith("*")) {
    const inner = message.slice(1);
    return Object.entries(value).flatMap(([key, each]) => unknownIn(each, inner, `${path}.${key}`, known));
  }
  const shape = known[message] ?? {};
  return Object.entries(value).flatMap(([key, each]) => {
    const held = shape[key] ?? shape[camelCase(key)];
    return held === undefined
      ? [describe(`${path}.${key}`, key, Object.keys(shape))]
      : unknownIn(each, held, `${path}.${key}`, known);
  });
}

function describe(path: string, key: string, keys: readonly string[]): string {
  const meant = nearest(key, keys);
  const cure = meant === undefined ? "remove it" : `did you mean ${meant}?`;
  return `${path} is no key that istiod knows: ${cure}`;
}

/** protojson takes the names of the files, too. */
function camelCase(key: string): string {
  return key.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

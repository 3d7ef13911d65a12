import { parse } from "yaml";
import { variableNames } from "../shared/config.ts";
import { ConfigError } from "../shared/errors.ts";
import { isRecord } from "../shared/is-record.ts";
import { nearest } from "../shared/nearest.ts";

/** The configuration file of the command line; the functions have none. */
export interface ConfigFile {
  readonly path: string;
  /** Undefined where there is no such file. */
  readonly text: string | undefined;
}

/** The mesh that the flags name. */
export interface MeshChoice {
  /** A mesh of the file, or else a mesh ID. */
  readonly mesh?: string;
  /** Comma-separated. */
  readonly project?: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = "MESHJOIN_";

/**
 * The variables for a command: from its flags, else the environment, else the mesh in the file. Fails with
 * ConfigError if the file is faulty, or holds several meshes and nothing chooses one.
 */
export function settledEnvironment(env: Environment, choice: MeshChoice, file: ConfigFile): Environment {
  const meshes = readMeshes(file);
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => (value ?? "").trim() !== ""));
  const chosen = choiceOf(meshes, choice, set, file);
  return {
    ...env,
    ...chosen,
    ...set,
    ...(choice.mesh === undefined ? {} : { MESHJOIN_MESH_ID: chosen["MESHJOIN_MESH_ID"] ?? choice.mesh }),
    ...(choice.project === undefined ? {} : { MESHJOIN_PROJECTS: choice.project }),
  };
}

/** Variables by the name that a mesh has in the file. */
type Meshes = ReadonlyMap<string, Readonly<Record<string, string>>>;

function choiceOf(meshes: Meshes, { mesh }: MeshChoice, env: Environment, { path }: ConfigFile) {
  const id = env["MESHJOIN_MESH_ID"];
  if (mesh !== undefined) return meshes.get(mesh) ?? {};
  if (id !== undefined) return [...meshes.values()].find((each) => each["MESHJOIN_MESH_ID"] === id) ?? {};
  const [only, ...others] = meshes.values();
  if (others.length === 0) return only ?? {};
  throw faulty(`${path} holds several meshes: ${[...meshes.keys()].join(", ")}`, "choose one with --mesh");
}

function readMeshes({ path, text }: ConfigFile): Meshes {
  if (text === undefined) return new Map();
  const content = parsed(path, text);
  if (content === null || content === undefined) return new Map();
  if (!isRecord(content)) throw faulty(`${path} is no map`, "begin it with meshes:");
  const stranger = Object.keys(content).find((key) => key !== "meshes");
  if (stranger !== undefined) throw faulty(`${path} has the key ${stranger}`, "its only key is meshes");
  const { meshes } = content;
  if (!isRecord(meshes)) throw faulty(`meshes in ${path} is no map`, "give each mesh a key of its own");
  return new Map(Object.entries(meshes).map(([name, settings]) => [name, variablesOf(settings, name, path)]));
}

function parsed(path: string, text: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    const [line = ""] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    throw faulty(`${path} is no YAML: ${line}`, "mend it", cause);
  }
}

function variablesOf(settings: unknown, name: string, path: string): Readonly<Record<string, string>> {
  const at = `meshes.${name}`;
  if (!isRecord(settings)) throw faulty(`${at} in ${path} is no map`, "give it projects, at least");
  const known = new Map(variableNames().map((variable) => [keyOf(variable), variable]));
  const entries = Object.entries(settings).map(([key, value]): readonly [string, string] => {
    const variable = known.get(key);
    if (variable === undefined) throw unknownKey(`${at}.${key}`, path, nearest(key, [...known.keys()]));
    return [variable, textOf(value, `${at}.${key}`, path)];
  });
  return { MESHJOIN_MESH_ID: name, ...Object.fromEntries(entries) };
}

/** `MESHJOIN_ROOT_PROJECT` is `root_project` in the file. */
function keyOf(variable: string): string {
  return variable.slice(PREFIX.length).toLowerCase();
}

function textOf(value: unknown, key: string, path: string): string {
  const isPlain = (each: unknown) => typeof each === "string" || typeof each === "number";
  if (Array.isArray(value) && value.every(isPlain)) return value.join(",");
  if (isPlain(value)) return String(value);
  throw faulty(
    `${key} in ${path} is neither a text nor a list of texts`,
    "write it as in docs/reference/config.md",
  );
}

function unknownKey(key: string, path: string, similar: string | undefined): ConfigError {
  const cure = similar === undefined ? "see docs/reference/config.md" : `did you mean ${similar}?`;
  return faulty(`${key} in ${path} is unknown`, cure);
}

function faulty(message: string, cure: string, cause?: unknown): ConfigError {
  return new ConfigError(message, { code: "InvalidConfiguration", cure, cause });
}

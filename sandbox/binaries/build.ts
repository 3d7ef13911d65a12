import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { arch, platform } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { UnavailableError } from "../../shared/errors.ts";
import { startProcess } from "../os/process.ts";
import { userCache } from "./cache.ts";
import { findExecutable, isExecutable } from "./lookup.ts";
import { TOOL_NAMES, type Tool, type ToolName, toolsOf } from "./tools.ts";

/** Absolute paths. */
export interface Binaries {
  /** Where the built ones are, or would be. */
  readonly directory: string;
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubeControllerManager: string;
  readonly kubectl: string;
  readonly pilotDiscovery: string;
  readonly istioctl: string;
  readonly pubsub: string;
  readonly portforward: string;
}

const MODULE = fileURLToPath(new URL(".", import.meta.url));
/** What decides which programs these are. */
const SOURCES = ["go.mod", "go.sum", "pubsub/main.go", "portforward/main.go"];
const HEARTBEAT_MS = 20_000;
const ERROR_LINES = 30;

function versionOf(goMod: string, module: string): string {
  const line = goMod.split("\n").find((text) => text.trim().startsWith(`${module} v`));
  const version = line?.trim().split(" ")[1];
  if (version === undefined) {
    throw new Error(`sandbox/binaries/go.mod does not require ${module}; restore it from the repository`);
  }
  return version;
}

async function cacheDirectory(istioRelease: string): Promise<string> {
  const hash = createHash("sha256");
  for (const file of SOURCES) hash.update(await readFile(join(MODULE, file)));
  hash.update(`${istioRelease} ${platform()} ${arch()}`);
  return userCache("binaries", hash.digest("hex").slice(0, 16));
}

async function findTools(names: readonly ToolName[], directory: string): Promise<Map<ToolName, string>> {
  const found = new Map<ToolName, string>();
  for (const name of names) {
    const path = await findExecutable(name, directory);
    if (path !== undefined) found.set(name, path);
  }
  return found;
}

/**
 * Asked inside the module, so that an older Go fetches the toolchain that go.mod names, or says why it
 * cannot.
 */
async function requireGo(goMod: string, missing: readonly string[]): Promise<void> {
  const wanted = /^go (\S+)$/m.exec(goMod)?.[1] ?? "1.26";
  try {
    await promisify(execFile)("go", ["env", "GOVERSION"], { cwd: MODULE });
  } catch (cause) {
    const notFound = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    const why = notFound ? "there is no go on the PATH" : String(cause);
    throw new UnavailableError(`cannot build ${missing.join(", ")}: ${why}`, {
      code: "ToolMissing",
      cure: `install Go >= ${wanted} (https://go.dev/dl), or set MESHJOIN_BINARIES to a directory that holds them`,
      cause,
    });
  }
}

function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${Math.round(seconds)} s` : `${minutes} min ${Math.round(seconds % 60)} s`;
}

interface Build {
  readonly tool: Tool;
  readonly directory: string;
  /** "3 of 7" */
  readonly position: string;
  readonly progress: (line: string) => void;
}

/** Built under a name of its own and renamed, so that no half-written or doubly built binary is ever seen. */
async function buildTool({ tool, directory, position, progress }: Build): Promise<void> {
  const started = Date.now();
  const seconds = (): string => duration((Date.now() - started) / 1000);
  const heartbeat = setInterval(() => {
    progress(`  still building ${tool.name} (${position}), ${seconds()} so far`);
  }, HEARTBEAT_MS);
  const work = await mkdtemp(join(directory, `.building-${tool.name}-`));
  try {
    const output = join(work, tool.name);
    const compiler = await startProcess({
      name: "go-build",
      command: "go",
      args: [
        "build",
        "-trimpath",
        "-ldflags",
        ["-s", "-w", ...tool.stamps].join(" "),
        "-o",
        output,
        tool.source,
      ],
      cwd: MODULE,
      env: { ...process.env, GOWORK: "off" },
      logDir: work,
    });
    const { code } = await compiler.exited;
    if (code !== 0) {
      const words = (await readFile(compiler.logPath, "utf8")).trimEnd().split("\n").slice(-ERROR_LINES);
      throw new UnavailableError(`go build of ${tool.name} failed:\n${words.join("\n")}`, {
        code: "BuildFailed",
        cure: `mend what it says, or set MESHJOIN_BINARIES to a directory that holds ${tool.name}`,
      });
    }
    await rename(output, join(directory, tool.name));
    progress(`  built ${tool.name} (${position}) in ${seconds()}`);
  } finally {
    clearInterval(heartbeat);
    await rm(work, { recursive: true, force: true });
  }
}

/** Where each of the programs is; those that were missing are compiled first. */
export interface Tools {
  /** Where the built ones are, or would be. */
  readonly directory: string;
  pathOf(name: ToolName): string;
}

/**
 * Finds or builds programs. A person's own directories (`MESHJOIN_BINARIES`, `KUBEBUILDER_ASSETS`) come
 * first, then the cache, which is keyed by versions and platform. Go compiles the missing programs, one tool
 * after the other. After a killed build, the next one goes on with the tool that the killed one was at. Two
 * builds at once do the same work twice and are both right.
 *
 * @param progress - Receives lines for a human while something is built; nothing when all is there.
 * @param istioRelease - What Istio's own programs report as their version, without a `v`.
 */
export async function ensureTools(
  names: readonly ToolName[],
  progress: (line: string) => void,
  istioRelease: string,
): Promise<Tools> {
  const directory = await cacheDirectory(istioRelease);
  const found = await findTools(names, directory);
  const goMod = await readFile(join(MODULE, "go.mod"), "utf8");
  const versions = { istio: istioRelease, kubernetes: versionOf(goMod, "k8s.io/kubernetes") };
  const missing = toolsOf(names, versions).filter((tool) => !found.has(tool.name));
  if (missing.length > 0) {
    await requireGo(
      goMod,
      missing.map((tool) => tool.name),
    );
    await mkdir(directory, { recursive: true });
    await buildAll(missing, directory, progress);
  }
  return { directory, pathOf: (name) => found.get(name) ?? join(directory, name) };
}

async function buildAll(
  tools: readonly Tool[],
  directory: string,
  progress: (line: string) => void,
): Promise<void> {
  const minutes = Math.ceil(tools.reduce((sum, tool) => sum + tool.minutes, 0));
  progress(`building ${tools.map(({ name }) => name).join(", ")} into ${directory}`);
  progress(`  once only; about ${minutes} min on two idle cores, less where Go has compiled them before`);
  for (const [index, tool] of tools.entries()) {
    const position = `${index + 1} of ${tools.length}`;
    if (!(await isExecutable(join(directory, tool.name)))) {
      progress(`  building ${tool.name} (${position}), up to ${Math.ceil(tool.minutes)} min`);
      await buildTool({ tool, directory, position, progress });
    }
  }
}

/** Everything that a fleet runs, as `ensureTools` finds or builds it. */
export async function ensureBinaries(
  progress: (line: string) => void,
  istioRelease: string,
): Promise<Binaries> {
  const tools = await ensureTools(TOOL_NAMES, progress, istioRelease);
  const pathOf = (name: ToolName) => tools.pathOf(name);
  return {
    directory: tools.directory,
    etcd: pathOf("etcd"),
    kubeApiserver: pathOf("kube-apiserver"),
    kubeControllerManager: pathOf("kube-controller-manager"),
    kubectl: pathOf("kubectl"),
    pilotDiscovery: pathOf("pilot-discovery"),
    istioctl: pathOf("istioctl"),
    pubsub: pathOf("pubsub"),
    portforward: pathOf("portforward"),
  };
}

async function pinnedIstioRelease(): Promise<string> {
  const path = fileURLToPath(new URL("../../shared/istio/pin.json", import.meta.url));
  const pin: unknown = JSON.parse(await readFile(path, "utf8"));
  if (typeof pin === "object" && pin !== null && "release" in pin && typeof pin.release === "string") {
    return pin.release;
  }
  throw new Error("shared/istio/pin.json has no release; restore it from the repository");
}

if (import.meta.main) {
  const binaries = await ensureBinaries((line) => console.error(line), await pinnedIstioRelease());
  console.log(JSON.stringify(binaries, undefined, 2));
}

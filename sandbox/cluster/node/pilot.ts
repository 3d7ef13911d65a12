import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { V1Container, V1ContainerState, V1Pod } from "@kubernetes/client-node";
import { freePort } from "../../os/free-port.ts";
import { type ProcessExit, type RunningProcess, startProcess } from "../../os/process.ts";
import { renderKubeconfig } from "../kubeconfig.ts";
import { forVanillaEnvoy, VANILLA_ENVOY_ENV } from "../traffic-support.ts";
import { type Lookup, type NodeFacts, resolveArgs, resolveEnv } from "./container-spec.ts";
import { type TokenRequest, volumeContent, writeVolume } from "./volumes.ts";

/** The state of the one container, as it goes into the pod's status. */
export interface ContainerReport {
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state: V1ContainerState;
  readonly lastState: V1ContainerState;
}

export interface PilotOptions {
  readonly pod: V1Pod;
  readonly container: V1Container;
  readonly podIp: string;
  readonly node: NodeFacts;
  /** Stands for the container's root directory. */
  readonly root: string;
  readonly logDir: string;
  readonly pilotDiscovery: string;
  /** Whether the sidecars that it configures run an Envoy that Istio has not built. */
  readonly vanillaEnvoys: boolean;
  /** Of kube-apiserver, not through the proxy: what makes a member unreachable does not stop its own istiod. */
  readonly server: string;
  readonly lookup: Lookup;
  readonly token: (request: TokenRequest) => Promise<string>;
  readonly onReport: (report: ContainerReport) => void;
}

/** istiod's container: a process, its files and its restarts. */
export interface Pilot {
  readonly logPath: string;
  /** Of the process; undefined while none runs. */
  readonly pid: number | undefined;
  /** Container port → port on 127.0.0.1. */
  readonly ports: ReadonlyMap<number, number>;
  /** Brings the mounted files up to date, as the kubelet does some time after a change. */
  refresh(): void;
  stop(): Promise<void>;
}

/** Flags of `pilot-discovery discovery` by the port that Istio's chart fixes for them. */
const LISTENERS: ReadonlyMap<number, string> = new Map([
  [8080, "httpAddr"],
  [15010, "grpcAddr"],
  [15012, "secureGRPCAddr"],
  [15014, "monitoringAddr"],
  [15017, "httpsAddr"],
]);

const SERVICE_ACCOUNT_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
const MESH_CONFIG_MAP = "istio";
/** `--meshConfig` of pilot-discovery, relative to its working directory. */
const MESH_CONFIG_DIRECTORY = "etc/istio/config";
const PROBE_INTERVAL_MS = 200;
const PROBE_TIMEOUT_MS = 5000;
/** The kubelet's default `failureThreshold`. */
const PROBE_FAILURES = 3;
const FIRST_BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 30_000;
const STOP_GRACE_MS = 5000;

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function listenerFlags(ports: ReadonlyMap<number, number>, ctrlzPort: number): string[] {
  const flags = [...LISTENERS].map(([port, flag]) => `--${flag}=127.0.0.1:${ports.get(port)}`);
  return [...flags, `--ctrlz_port=${ctrlzPort}`, "--ctrlz_address=127.0.0.1"];
}

function terminated({ code, signal }: ProcessExit, startedAt: string): V1ContainerState {
  return JSON.parse(
    JSON.stringify({
      terminated: {
        exitCode: code ?? 128,
        reason: code === 0 ? "Completed" : "Error",
        message: signal === null ? undefined : `ended by ${signal}`,
        startedAt,
        finishedAt: new Date().toISOString(),
      },
    }),
  );
}

function running(startedAt: string): V1ContainerState {
  return JSON.parse(JSON.stringify({ running: { startedAt } }));
}

/**
 * istiod prefers this file to the ConfigMap, which stays what the product made it: nothing but the process gets the
 * settings for vanilla Envoys.
 */
async function writeMeshConfig({ root, lookup }: PilotOptions): Promise<void> {
  const mesh = lookup("configmaps", MESH_CONFIG_MAP)?.get("mesh");
  if (mesh === undefined) throw new Error(`configmaps/${MESH_CONFIG_MAP} is not there yet; create it`);
  const content = new Map([["mesh", Buffer.from(forVanillaEnvoy(mesh.toString()))]]);
  await writeVolume(join(root, MESH_CONFIG_DIRECTORY), content);
}

async function writeFiles(options: PilotOptions): Promise<void> {
  const { pod, podIp, node, lookup, token, container, root } = options;
  for (const mount of container.volumeMounts ?? []) {
    const volume = pod.spec?.volumes?.find(({ name }) => name === mount.name);
    const content =
      volume === undefined ? undefined : await volumeContent({ pod, podIp, node, lookup, token }, volume);
    const directory = join(root, mount.mountPath);
    await (content === undefined ? mkdir(directory, { recursive: true }) : writeVolume(directory, content));
  }
  if (options.vanillaEnvoys) await writeMeshConfig(options);
}

/** istiod acts as its ServiceAccount: in-cluster configuration, with the mounted token and CA, written out. */
async function writeKubeconfig({ root, server }: PilotOptions): Promise<string> {
  const path = join(root, "kubeconfig");
  const mount = join(root, SERVICE_ACCOUNT_MOUNT);
  const text = renderKubeconfig({
    name: "in-cluster",
    server,
    ca: { file: join(mount, "ca.crt") },
    token: { file: join(mount, "token") },
  });
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

export async function startPilot(options: PilotOptions): Promise<Pilot> {
  const { container, root, pod } = options;
  const ended = new AbortController();
  const ports = new Map<number, number>();
  for (const port of LISTENERS.keys()) {
    ports.set(port, await freePort());
  }
  const ctrlzPort = await freePort();
  const name = pod.metadata?.name ?? "istiod";
  const logPath = join(options.logDir, `${name}.log`);

  let report: ContainerReport = {
    ready: false,
    restartCount: 0,
    state: { waiting: { reason: "ContainerCreating" } },
    lastState: {},
  };
  const tell = (change: Partial<ContainerReport>): void => {
    report = { ...report, ...change };
    if (!ended.signal.aborted) {
      options.onReport(report);
    }
  };

  let writing: Promise<void> = Promise.resolve();
  const writeInTurn = (): Promise<void> => {
    const turn = writing.then(() => writeFiles(options));
    writing = turn.catch(() => undefined);
    return turn;
  };

  const start = async (): Promise<RunningProcess> => {
    await writeInTurn();
    const kubeconfig = await writeKubeconfig(options);
    const env = resolveEnv(options, root);
    return startProcess({
      name,
      command: options.pilotDiscovery,
      args: [
        ...resolveArgs(container, env, root),
        ...listenerFlags(ports, ctrlzPort),
        `--kubeconfig=${kubeconfig}`,
      ],
      env: { ...env, ...(options.vanillaEnvoys ? VANILLA_ENVOY_ENV : {}), HOME: root },
      cwd: root,
      logDir: options.logDir,
    });
  };

  /** Until the process ends. */
  const probe = async (process: RunningProcess): Promise<ProcessExit> => {
    let exit: ProcessExit | undefined;
    const over = new AbortController();
    const noteExit = async (): Promise<void> => {
      exit = await process.exited;
      over.abort();
    };
    void noteExit();
    const path = container.readinessProbe?.httpGet?.path ?? "/ready";
    const port = ports.get(Number(container.readinessProbe?.httpGet?.port ?? 8080));
    let failures = 0;
    while (exit === undefined) {
      const ready = await answers(`http://127.0.0.1:${port}${path}`);
      failures = ready ? 0 : failures + 1;
      if (exit === undefined && ready !== report.ready && (ready || failures >= PROBE_FAILURES)) {
        tell({ ready });
      }
      await delay(PROBE_INTERVAL_MS, undefined, { signal: over.signal }).catch(() => undefined);
    }
    return exit;
  };

  const pause = (ms: number): Promise<void> =>
    delay(ms, undefined, { signal: ended.signal }).catch(() => undefined);

  let current: RunningProcess | undefined;
  const run = async (): Promise<void> => {
    let backoffMs = FIRST_BACKOFF_MS;
    while (!ended.signal.aborted) {
      try {
        current = await start();
      } catch (error) {
        tell({ state: { waiting: { reason: "ContainerCreating", message: String(error) } } });
        await pause(500);
        continue;
      }
      const startedAt = new Date().toISOString();
      tell({ state: running(startedAt) });
      if (ended.signal.aborted) {
        await current.stop({ graceMs: 0 });
      }
      const exit = await probe(current);
      current = undefined;
      const lastState = terminated(exit, startedAt);
      const message = `back-off ${backoffMs / 1000}s restarting failed container`;
      tell({ ready: false, lastState, state: { waiting: { reason: "CrashLoopBackOff", message } } });
      await pause(backoffMs);
      backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS);
      report = { ...report, restartCount: report.restartCount + 1 };
    }
  };
  await mkdir(root, { recursive: true });
  const finished = run();

  return {
    logPath,
    get pid() {
      return current?.pid;
    },
    ports,
    refresh: () => {
      if (!ended.signal.aborted) void writeInTurn().catch(() => undefined);
    },
    stop: async () => {
      ended.abort();
      await current?.stop({ graceMs: STOP_GRACE_MS });
      await finished;
      await writing;
    },
  };
}

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { V1Container, V1Pod } from "@kubernetes/client-node";
import { tagOf } from "../../../shared/istio/workload.ts";
import type { TrafficBinaries } from "../../binaries/traffic.ts";
import { freePort, freeUdpPort } from "../../os/free-port.ts";
import { startProcess } from "../../os/process.ts";
import { bootstrapOverride } from "../proxies.ts";
import { type ContainerProcess, startContainer } from "./container-process.ts";
import type { ContainerReport } from "./container-report.ts";
import { resolveArgs, resolveEnv } from "./container-spec.ts";
import { serveIstiodAddress } from "./istiod-address.ts";
import { type MountedFilesOptions, mountedFiles } from "./mounted-files.ts";

export interface ProxyOptions extends MountedFilesOptions {
  readonly binaries: TrafficBinaries;
  /** `127.a.b.c`, from which it opens its connections; undefined where pods have no such address. */
  readonly source: string | undefined;
  /** Runs the work while no load balancer of the cluster opens a connection. */
  readonly hold: (work: () => Promise<void>) => Promise<void>;
  /** `127.0.0.1:PORT` of the istiod that runs now; undefined where none does. */
  readonly istiod: () => string | undefined;
  readonly logDir: string;
  readonly onReport: (report: ContainerReport) => void;
}

/** Of pilot-agent and Envoy, on 127.0.0.1. */
interface ProxyPorts {
  readonly admin: number;
  readonly status: number;
  readonly envoyStatus: number;
  readonly prometheus: number;
  /** For the queries of its pod, where the mesh captures them. */
  readonly dns: number;
}

export interface Proxy extends ContainerProcess {
  readonly ports: ProxyPorts;
  /**
   * Takes no connection any more, and lets those that are open end. In a cluster a pod that terminates gets
   * none, because kube-proxy leaves its endpoint out; here its listener is one of several on one port. What
   * the kernel holds for a listener that closes, it resets: so none comes, and Envoy takes what has come.
   */
  drain(): Promise<void>;
}

/** Longer than a request of the traffic takes. */
const IN_FLIGHT_MS = 1000;
/** Longer than Envoy's worker takes to accept a connection, and to close a listener after it is told to. */
const WORKER_MS = 200;
const CONFIG_PATH = "./etc/istio/proxy";
const OUTPUT_CERTS = "./certs";

/**
 * The container of Istio's proxy image: a gateway's router, or a sidecar, injected or without an application.
 */
export function proxyContainer(pod: V1Pod): V1Container | undefined {
  return pod.spec?.containers.find(({ image }) => /(^|\/)proxyv2(?=[:@]|$)/.test(image ?? ""));
}

/** `proxy router`, as a gateway's container runs it, and not `proxy sidecar`. */
export function isRouter({ args = [] }: V1Container): boolean {
  return args[1] === "router";
}

/** Runs pilot-agent, and with it Envoy, as the pod's specification says, with ports of its own. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const { container, root, logDir, source, binaries, onReport } = options;
  const name = options.pod.metadata?.name ?? "proxy";
  const ports: ProxyPorts = {
    admin: await freePort(),
    status: await freePort(),
    envoyStatus: await freePort(),
    prometheus: await freePort(),
    dns: await freeUdpPort(),
  };
  const istiod = await serveIstiodAddress(options.istiod);
  const running = await startContainer({
    name,
    root,
    logDir,
    onReport,
    files: mountedFiles(options),
    readinessUrl: `http://127.0.0.1:${ports.status}/healthz/ready`,
    async start() {
      for (const directory of [CONFIG_PATH, OUTPUT_CERTS])
        await mkdir(join(root, directory), { recursive: true });
      const override = join(root, "bootstrap-override.json");
      if (source !== undefined) await writeFile(override, bootstrapOverride(source));
      const env = resolveEnv(options, root);
      return await startProcess({
        name,
        command: binaries.pilotAgent,
        args: [
          ...resolveArgs(container, env, root),
          "--templateFile",
          binaries.bootstrapTemplate,
          "--concurrency",
          "1",
        ],
        env: {
          ...proxyEnv(env, ports, { istiod: istiod.address, envoy: binaries.envoy }),
          // What the program in that image says of itself.
          ISTIO_META_ISTIO_VERSION: tagOf(container.image),
          ...(source === undefined ? {} : { ISTIO_BOOTSTRAP_OVERRIDE: override }),
        },
        cwd: root,
        logDir,
      });
    },
  });
  return {
    get pid() {
      return running.pid;
    },
    ports,
    logOf: (which) => running.logOf(which),
    refresh: () => running.refresh(),
    async stop() {
      await running.stop();
      await istiod.stop();
    },
    async drain() {
      await options.hold(async () => {
        await delay(WORKER_MS);
        await fetch(`http://127.0.0.1:${ports.admin}/drain_listeners`, { method: "POST" }).catch(
          () => undefined,
        );
        // The answer comes before the worker has closed them; connections that waited come all at once.
        await delay(WORKER_MS);
      });
      await delay(IN_FLIGHT_MS);
    },
  };
}

/**
 * The environment that the pod's specification gives, with the addresses of this machine. Without `CA_ADDR`,
 * pilot-agent takes the address of the discovery for both, and then `ISTIOD_SAN` for the name of both.
 */
function proxyEnv(
  { CA_ADDR: _, ...env }: Readonly<Record<string, string>>,
  ports: ProxyPorts,
  { istiod, envoy }: { readonly istiod: string; readonly envoy: string },
): Record<string, string> {
  const given: unknown = JSON.parse(env["PROXY_CONFIG"] ?? "{}");
  return {
    ...env,
    ISTIOD_SAN: "istiod.istio-system.svc",
    OUTPUT_CERTS,
    // An Envoy that Istio has not built knows no metadata exchange.
    PEER_METADATA_DISCOVERY: "false",
    ENVOY_STATUS_PORT: String(ports.envoyStatus),
    ENVOY_PROMETHEUS_PORT: String(ports.prometheus),
    DNS_PROXY_ADDR: `127.0.0.1:${ports.dns}`,
    ECC_SIGNATURE_ALGORITHM: "ECDSA",
    SECRET_GRACE_PERIOD_RATIO: "0.5",
    PROXY_CONFIG: JSON.stringify({
      ...(typeof given === "object" ? given : {}),
      discoveryAddress: istiod,
      binaryPath: envoy,
      configPath: CONFIG_PATH,
      proxyAdminPort: ports.admin,
      statusPort: ports.status,
    }),
  };
}

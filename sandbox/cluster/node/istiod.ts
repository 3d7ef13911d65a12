import { startProcess } from "../../os/process.ts";
import { VANILLA_ENVOY_ENV } from "../traffic-support.ts";
import { type ContainerProcess, startContainer } from "./container-process.ts";
import type { ContainerReport } from "./container-report.ts";
import { resolveArgs, resolveEnv } from "./container-spec.ts";
import { chooseListeners, type Listeners, listenerFlags } from "./listeners.ts";
import { type MountedFilesOptions, mountedFiles, writeKubeconfig, writeMeshConfig } from "./mounted-files.ts";

export interface IstiodOptions extends MountedFilesOptions {
  /**
   * Of kube-apiserver, not through the proxy: what makes a member unreachable does not stop its own istiod.
   */
  readonly server: string;
  /** Whether the sidecars that it configures run an Envoy that Istio has not built. */
  readonly vanillaEnvoys: boolean;
  readonly logDir: string;
  readonly pilotDiscovery: string;
  readonly onReport: (report: ContainerReport) => void;
}

/** istiod's container. */
export interface Istiod extends ContainerProcess {
  readonly listeners: Listeners;
}

export async function startIstiod(options: IstiodOptions): Promise<Istiod> {
  const { container, root, logDir, pilotDiscovery, server, onReport } = options;
  const listeners = await chooseListeners();
  const name = options.pod.metadata?.name ?? "istiod";
  const { path = "/ready", port = 8080 } = container.readinessProbe?.httpGet ?? {};
  const files = mountedFiles(options, async () => {
    if (options.vanillaEnvoys) await writeMeshConfig(options);
  });
  const running = await startContainer({
    name,
    root,
    logDir,
    files,
    onReport,
    readinessUrl: `http://127.0.0.1:${listeners.ports.get(Number(port))}${path}`,
    async start() {
      const kubeconfig = await writeKubeconfig(root, server);
      const env = resolveEnv(options, root);
      const args = resolveArgs(container, env, root);
      return await startProcess({
        name,
        command: pilotDiscovery,
        args: [...args, ...listenerFlags(listeners), `--kubeconfig=${kubeconfig}`],
        env: { ...env, ...(options.vanillaEnvoys ? VANILLA_ENVOY_ENV : {}), HOME: root },
        cwd: root,
        logDir,
      });
    },
  });
  return Object.assign(running, { listeners });
}

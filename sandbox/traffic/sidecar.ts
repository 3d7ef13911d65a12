import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { V1ConfigMap, V1Namespace } from "@kubernetes/client-node";
import { ISTIO_NAMESPACE, ISTIOD, NETWORK_LABEL } from "../../shared/core/names.ts";
import { type DeploymentObject, imageTag } from "../../shared/istio/workload.ts";
import type { ApiClient } from "../cluster/api-client.ts";
import { serveIstiodAddress } from "../cluster/node/istiod-address.ts";
import { bootstrapOverride } from "../cluster/proxies.ts";
import type { FleetTraffic } from "../fleet/fleet-traffic.ts";
import type { TrafficPod } from "../fleet/vpc.ts";
import type { FleetMember } from "../google/member.ts";
import { freePort, freeUdpPort } from "../os/free-port.ts";
import { startProcess } from "../os/process.ts";
import type { Undo } from "../os/undo.ts";
import { mountFiles } from "./mounted-files.ts";
import { readSent, readSide, type Sent, type Side } from "./side.ts";
import { OUTPUT_CERTS, proxyDefaults, sidecarArgs, sidecarEnv } from "./sidecar-settings.ts";

export interface SidecarOptions {
  readonly app: string;
  readonly member: FleetMember;
  readonly api: ApiClient;
  readonly traffic: FleetTraffic;
  /** Undefined where pods have no addresses of their own. */
  readonly pod: TrafficPod | undefined;
  readonly logDir: string;
  /** Of Istio; unless given, that of istiod. */
  readonly release?: string | undefined;
}

/** pilot-agent and its Envoy, as two processes without root. */
export interface Sidecar {
  /** As of now; undefined while Envoy does not answer or has no certificate. */
  side(): Promise<Side | undefined>;
  /** Since its start. */
  sent(): Promise<Sent>;
  /** `GET /clusters` of Envoy's admin port. */
  readonly clustersUrl: string;
  /** Where the agent answers DNS queries, if the mesh captures them. */
  readonly dns: string;
}

const ASK_TIMEOUT_MS = 5000;
const READY_POLL_MS = 250;
const READY_TIMEOUT_MS = 120_000;

async function ask(port: number, path: string): Promise<Response> {
  return await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
}

async function networkOf(api: ApiClient): Promise<string> {
  const namespace = await api.get<V1Namespace>(`/api/v1/namespaces/${ISTIO_NAMESPACE}`);
  return namespace.metadata?.labels?.[NETWORK_LABEL] ?? "";
}

async function meshConfigOf(api: ApiClient): Promise<string> {
  const path = `/api/v1/namespaces/${ISTIO_NAMESPACE}/configmaps/istio`;
  return (await api.get<V1ConfigMap>(path)).data?.["mesh"] ?? "";
}

/** istiod injects the image of its own release. */
async function istioVersionOf(api: ApiClient): Promise<string> {
  const path = `/apis/apps/v1/namespaces/${ISTIO_NAMESPACE}/deployments/${ISTIOD}`;
  return imageTag(await api.get<DeploymentObject>(path));
}

/** Resolves once Envoy has its first configuration and certificate. */
export async function startSidecar(options: SidecarOptions, undo: Undo): Promise<Sidecar> {
  const { app, member, api, traffic, pod, logDir, release } = options;
  const root = join(traffic.dir, app);
  await mkdir(join(root, "etc/istio/proxy"), { recursive: true });
  await mkdir(join(root, OUTPUT_CERTS), { recursive: true });
  const overrideFile = join(root, "bootstrap-override.json");
  if (pod !== undefined) await writeFile(overrideFile, bootstrapOverride(pod.loopback));
  const files = await mountFiles(api, app, root);
  undo.add(async () => files.stop());
  const istiod = await serveIstiodAddress(() => traffic.xdsAddress(member.clusterId));
  undo.add(() => istiod.stop());
  const ports = {
    admin: await freePort(),
    status: await freePort(),
    envoyStatus: await freePort(),
    prometheus: await freePort(),
    dns: await freeUdpPort(),
  };
  const agent = await startProcess({
    name: `sidecar-${app}`,
    command: traffic.binaries.pilotAgent,
    args: sidecarArgs(traffic.binaries.bootstrapTemplate),
    env: sidecarEnv({
      app,
      clusterId: member.clusterId,
      ...proxyDefaults(await meshConfigOf(api)),
      istioVersion: release ?? (await istioVersionOf(api)),
      network: await networkOf(api),
      address: traffic.hostAddress,
      ...(pod !== undefined && { bootstrapOverride: overrideFile }),
      ports,
      envoy: traffic.binaries.envoy,
      istiod: istiod.address,
    }),
    cwd: root,
    logDir,
    ready: async () => {
      // pilot-agent logs each time that it has to say no.
      await sleep(READY_POLL_MS);
      return (await ask(ports.status, "/healthz/ready")).ok;
    },
    readyTimeoutMs: READY_TIMEOUT_MS,
  });
  // There are no requests that the agent has to drain.
  undo.add(() => agent.stop({ graceMs: 0 }));
  return {
    async side() {
      try {
        const dump = await ask(ports.admin, "/config_dump?resource=dynamic_active_secrets");
        return readSide(await dump.json());
      } catch {
        return undefined;
      }
    },
    clustersUrl: `http://127.0.0.1:${ports.admin}/clusters`,
    dns: `127.0.0.1:${ports.dns}`,
    sent: async () => readSent(await (await ask(ports.admin, "/clusters")).text()),
  };
}

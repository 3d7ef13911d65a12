import { parse } from "yaml";
import { z } from "zod";
import { NAMESPACE } from "./objects.ts";

export interface SidecarPorts {
  readonly admin: number;
  readonly status: number;
  readonly envoyStatus: number;
  readonly prometheus: number;
  /** For the queries of its pod, where the mesh captures them. */
  readonly dns: number;
}

export interface SidecarSettings {
  readonly app: string;
  readonly clusterId: string;
  readonly meshId: string;
  /** Of the image that istiod would inject: what the program in it says of itself. */
  readonly istioVersion: string;
  readonly network: string;
  readonly address: string;
  /** A file with more of Envoy's first configuration. */
  readonly bootstrapOverride?: string;
  readonly ports: SidecarPorts;
  readonly envoy: string;
  /** `127.0.0.1:PORT` */
  readonly istiod: string;
  /**
   * `defaultConfig.proxyMetadata` of the member's mesh configuration: what an injected sidecar gets besides,
   * the life of its certificates included.
   */
  readonly proxyMetadata: Readonly<Record<string, string>>;
}

/** Relative paths are what pilot-agent looks for below its working directory. */
const CONFIG_PATH = "./etc/istio/proxy";
export const OUTPUT_CERTS = "./certs";

const meshSchema = z.object({
  defaultConfig: z
    .object({ proxyMetadata: z.record(z.string(), z.string()).optional(), meshId: z.string().optional() })
    .optional(),
});

/** Of the text in ConfigMap `istio`, key `mesh`. */
export function proxyDefaults(meshConfig: string): Pick<SidecarSettings, "proxyMetadata" | "meshId"> {
  const { defaultConfig } = meshSchema.parse(parse(meshConfig) ?? {});
  return { proxyMetadata: defaultConfig?.proxyMetadata ?? {}, meshId: defaultConfig?.meshId ?? "" };
}

/**
 * The whole environment of pilot-agent: nothing of this process's own gets in, such as the CAs that it
 * trusts.
 */
export function sidecarEnv(settings: SidecarSettings): Record<string, string> {
  const { app, ports } = settings;
  return {
    ...settings.proxyMetadata,
    POD_NAME: app,
    POD_NAMESPACE: NAMESPACE,
    INSTANCE_IP: settings.address,
    SERVICE_ACCOUNT: app,
    // Without CA_ADDR, pilot-agent takes the address of the discovery for both, and only then this name for
    // both.
    ISTIOD_SAN: "istiod.istio-system.svc",
    PILOT_CERT_PROVIDER: "istiod",
    ISTIO_META_CLUSTER_ID: settings.clusterId,
    ISTIO_META_INTERCEPTION_MODE: "NONE",
    ISTIO_META_ISTIO_VERSION: settings.istioVersion,
    ISTIO_META_MESH_ID: settings.meshId,
    ISTIO_META_NETWORK: settings.network,
    PEER_METADATA_DISCOVERY: "false",
    OUTPUT_CERTS,
    ...(settings.bootstrapOverride !== undefined && { ISTIO_BOOTSTRAP_OVERRIDE: settings.bootstrapOverride }),
    ENVOY_STATUS_PORT: String(ports.envoyStatus),
    ENVOY_PROMETHEUS_PORT: String(ports.prometheus),
    DNS_PROXY_ADDR: `127.0.0.1:${ports.dns}`,
    ECC_SIGNATURE_ALGORITHM: "ECDSA",
    SECRET_GRACE_PERIOD_RATIO: "0.5",
    PROXY_CONFIG: JSON.stringify({
      discoveryAddress: settings.istiod,
      binaryPath: settings.envoy,
      configPath: CONFIG_PATH,
      proxyAdminPort: ports.admin,
      statusPort: ports.status,
      proxyMetadata: settings.proxyMetadata,
    }),
  };
}

export function sidecarArgs(bootstrapTemplate: string): string[] {
  return [
    "proxy",
    "sidecar",
    "--domain",
    `${NAMESPACE}.svc.cluster.local`,
    "--templateFile",
    bootstrapTemplate,
    "--concurrency",
    "1",
  ];
}

import { parse } from "yaml";
import { isRecord } from "../../../shared/is-record.ts";
import type { Pin } from "../../../shared/istio/pin.ts";

export interface Settings {
  readonly meshId: string;
  readonly clusterId: string;
  readonly network: string;
  readonly workloadTtl: string;
  readonly hub: string;
  readonly dnsCapture: string;
}

/** So that one istiod serves while the other is moved. */
export const ISTIODS_MIN = 2;

/** What a mesh of Meshjoin stands on, as the spec of an IstioOperator. */
function fixedSpec(pin: Pin, settings: Settings): Record<string, unknown> {
  return {
    profile: "minimal",
    hub: settings.hub,
    tag: pin.tag,
    meshConfig: {
      defaultConfig: {
        proxyMetadata: {
          // Proxies fetch their roots from istiod, so that a second root reaches them without a restart.
          PROXY_CONFIG_XDS_AGENT: "true",
          // They ask for 24h by themselves, and istiod refuses more than it may grant;
          // `security/pkg/pki/ca/ca.go`.
          SECRET_TTL: settings.workloadTtl,
          ISTIO_META_DNS_CAPTURE: settings.dnsCapture,
        },
      },
    },
    values: {
      // The default profile renders none, and then no istiod validates.
      defaultRevision: "default",
      pilot: {
        autoscaleMin: ISTIODS_MIN,
        env: { ISTIO_MULTIROOT_MESH: "true", MAX_WORKLOAD_CERT_TTL: settings.workloadTtl },
      },
      global: {
        meshID: settings.meshId,
        network: settings.network,
        multiCluster: { clusterName: settings.clusterId },
      },
    },
  };
}

/** User settings with the fixed ones over them. Fails on a leaf that both set, instead of dropping one. */
function merge(
  user: Record<string, unknown>,
  fixed: Record<string, unknown>,
  path: string,
): Record<string, unknown> {
  const merged = { ...user };
  for (const [key, value] of Object.entries(fixed)) {
    const own = user[key];
    const here = path === "" ? key : `${path}.${key}`;
    if (own === undefined) merged[key] = value;
    else if (isRecord(own) && isRecord(value)) merged[key] = merge(own, value, here);
    else throw new Error(`values.yaml sets ${here}, which Meshjoin sets itself: remove it`);
  }
  return merged;
}

/** The IstioOperator to render. `userYaml` is the text of `shared/istio/values.yaml`. */
export function istioOperator(pin: Pin, userYaml: string, settings: Settings): Record<string, unknown> {
  const user: unknown = parse(userYaml) ?? {};
  if (!isRecord(user)) throw new Error("values.yaml is no mapping: give it the keys meshConfig and values");
  const foreign = Object.keys(user).find((key) => key !== "meshConfig" && key !== "values");
  if (foreign !== undefined)
    throw new Error(`values.yaml has the key ${foreign}: only meshConfig and values are read`);
  return {
    apiVersion: "install.istio.io/v1alpha1",
    kind: "IstioOperator",
    spec: merge(user, fixedSpec(pin, settings), ""),
  };
}

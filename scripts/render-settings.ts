import { parse } from "yaml";
import { IMAGE_HUB_CURE, isImageHub } from "../shared/core/image-hub.ts";

/** `shared/istio/pin.json`: which Istio, and where its images are. */
export interface Pin {
  /** Without a `v`. */
  readonly release: string;
  readonly hub: string;
  readonly tag: string;
  /** The Go module version of the sandbox's istiod and istioctl: tagged releases are not published as one. */
  readonly sandboxModule: string;
}

/** Older ones lose endpoints when a remote secret changes (istio/istio#61043, #60612). */
const OLDEST_MINOR = 31;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function requiredText(record: Record<string, unknown>, name: string): string {
  const value = record[name];
  if (typeof value === "string" && value !== "") return value;
  throw new Error(`pin.json has no ${name}: give it as a text`);
}

/** Refuses what would not be the same tomorrow, and what rotation does not work with. */
export function parsePin(json: string): Pin {
  const value: unknown = JSON.parse(json);
  if (!isRecord(value)) throw new Error("pin.json is no object: restore it from the repository");
  const pin = {
    release: requiredText(value, "release"),
    hub: requiredText(value, "hub"),
    tag: requiredText(value, "tag"),
    sandboxModule: requiredText(value, "sandboxModule"),
  };
  if (!isImageHub(pin.hub)) throw new Error(`pin.json has the hub ${pin.hub}: ${IMAGE_HUB_CURE}`);
  if (/(?:^|\/)(?:testing|latest)$/.test(pin.hub) || /^(?:testing|latest)$/.test(pin.tag)) {
    throw new Error(`pin.json names the moving target ${pin.hub}:${pin.tag}: pin a release`);
  }
  const minor = /^1\.(?<minor>\d+)\.\d+$/.exec(pin.release)?.groups?.["minor"];
  if (minor === undefined || Number(minor) < OLDEST_MINOR) {
    throw new Error(`pin.json pins Istio ${pin.release}: use a release of 1.${OLDEST_MINOR} or newer`);
  }
  if (pin.tag !== pin.release && !pin.tag.startsWith(`${pin.release}-`)) {
    throw new Error(`pin.json pins release ${pin.release} but tag ${pin.tag}: make them one version`);
  }
  return pin;
}

export interface Settings {
  readonly meshId: string;
  readonly clusterId: string;
  readonly network: string;
  readonly workloadTtl: string;
  readonly hub: string;
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
          // They ask for 24h by themselves, and istiod refuses more than it may grant; `security/pkg/pki/ca/ca.go`.
          SECRET_TTL: settings.workloadTtl,
        },
      },
    },
    values: {
      // The default profile renders none, and then nobody validates.
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

import { parse } from "yaml";
import { ISTIO_NAMESPACE, ISTIOD, READER_SERVICE_ACCOUNT, TRUST_DOMAIN } from "../../../shared/core/names.ts";
import type { Pin } from "../../../shared/istio/pin.ts";
import type { DeploymentObject } from "../../../shared/istio/workload.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import { ISTIODS_MIN, type Settings } from "./render-settings.ts";

/** One thing that holds of every control plane that Meshjoin installs. */
interface Promised {
  readonly what: string;
  /** As rendered; undefined where it is not there. */
  readonly is: string | undefined;
  readonly wanted: string;
  /** The keys of `values.yaml` that can break it. */
  readonly keys: readonly string[];
}

/**
 * What a rendering lacks of what Meshjoin stands on, all of it at once, each with the keys of `values.yaml`
 * to correct; empty if it lacks nothing. The rendering is looked at, and not the values, because istioctl
 * lays them over its spec in ways of its own.
 */
export function brokenPromises(objects: readonly KubernetesObject[], pin: Pin, settings: Settings): string[] {
  const promised = [
    ...objectsPromised(objects),
    ...istiodPromised(find(objects, "Deployment", ISTIOD), pin, settings),
    ...autoscalerPromised(find(objects, "HorizontalPodAutoscaler", ISTIOD)),
    ...meshPromised(find(objects, "ConfigMap", "istio"), settings),
  ];
  return promised
    .filter(({ is, wanted }) => is !== wanted)
    .map(({ what, is, wanted, keys }) => {
      const found = is === undefined ? "is missing" : `is ${is} instead of ${wanted}`;
      return `${what} ${found}: correct ${keys.join(", ")}`;
    });
}

/** Each with what can take it away, beside `WHEREABOUTS`. */
const OBJECTS: readonly (readonly [kind: string, name: string, ...keys: string[]])[] = [
  ["Deployment", ISTIOD, "values.istiodRemote"],
  ["HorizontalPodAutoscaler", ISTIOD, "values.pilot.autoscaleEnabled", "values.pilot.autoscaleMax"],
  // Nodes that are emptied, for an upgrade say, take one istiod at a time.
  ["PodDisruptionBudget", ISTIOD, "values.global.defaultPodDisruptionBudget.enabled"],
  ["ConfigMap", "istio", "values.pilot.configMap"],
  ["ServiceAccount", READER_SERVICE_ACCOUNT, "values.global.enableReaderRBAC"],
  ["MutatingWebhookConfiguration", "istio-sidecar-injector", "values.global.operatorManageWebhooks"],
  ["ValidatingWebhookConfiguration", `istio-validator-${ISTIO_NAMESPACE}`, "values.global.configValidation"],
  ["ValidatingWebhookConfiguration", "istiod-default-validator"],
];
const WHEREABOUTS = ["values.revision", "values.global.istioNamespace", "values.global.resourceScope"];

function objectsPromised(objects: readonly KubernetesObject[]): Promised[] {
  const others = objects.filter(({ kind, metadata }) => kind === "Deployment" && metadata.name !== ISTIOD);
  return [
    ...OBJECTS.map(([kind, name, ...keys]) => ({
      what: `${kind} ${name}`,
      is: find(objects, kind, name)?.metadata.name,
      wanted: name,
      keys: [...keys, ...WHEREABOUTS],
    })),
    {
      what: "the list of Deployments beside istiod",
      is: others.map(({ metadata }) => metadata.name).join(" and ") || "nothing",
      wanted: "nothing",
      keys: ["values.gateways", "values.revision"],
    },
  ];
}

function istiodPromised(istiod: DeploymentObject | undefined, pin: Pin, settings: Settings): Promised[] {
  if (istiod === undefined) return [];
  const { image, env = [] } = istiod.spec?.template?.spec?.containers?.[0] ?? {};
  // Of two entries of one name the API server refuses the object, or the last one counts.
  const valuesOf = (name: string) =>
    env.flatMap((entry) => (entry.name === name ? [entry.value ?? "a reference"] : [])).join(" and ");
  const variable = (name: string, wanted: string): Promised => ({
    what: `${name} of istiod`,
    is: valuesOf(name) || undefined,
    wanted,
    keys: [`values.pilot.env.${name}`, "values.pilot.envVarFrom"],
  });
  return [
    {
      what: "the image of istiod",
      is: image,
      wanted: `${settings.hub}/pilot:${pin.tag}`,
      keys: [
        ...["hub", "tag", "variant"].flatMap((key) => [`values.global.${key}`, `values.pilot.${key}`]),
        "values.pilot.image",
      ],
    },
    variable("ISTIO_MULTIROOT_MESH", "true"),
    variable("MAX_WORKLOAD_CERT_TTL", settings.workloadTtl),
    variable("CLUSTER_ID", settings.clusterId),
  ];
}

interface AutoscalerObject extends KubernetesObject {
  readonly spec?: { readonly minReplicas?: number; readonly maxReplicas?: number };
}

function autoscalerPromised(autoscaler: AutoscalerObject | undefined): Promised[] {
  if (autoscaler === undefined) return [];
  const { minReplicas, maxReplicas = 0 } = autoscaler.spec ?? {};
  return [
    {
      what: "the least number of istiods",
      is: minReplicas?.toString(),
      wanted: ISTIODS_MIN.toString(),
      keys: ["values.pilot.autoscaleMin"],
    },
    {
      what: "the greatest number of istiods",
      is: maxReplicas < ISTIODS_MIN ? maxReplicas.toString() : "enough",
      wanted: "enough",
      keys: ["values.pilot.autoscaleMax"],
    },
  ];
}

interface ConfigMapObject extends KubernetesObject {
  readonly data?: { readonly mesh?: string };
}

interface MeshConfig {
  /** Istio's default is the one that Meshjoin wants. */
  readonly trustDomain?: string;
  readonly defaultConfig?: {
    readonly meshId?: string;
    readonly proxyMetadata?: Readonly<
      Partial<Record<"PROXY_CONFIG_XDS_AGENT" | "SECRET_TTL" | "ISTIO_META_DNS_CAPTURE", string>>
    >;
  };
}

function meshPromised(configMap: ConfigMapObject | undefined, settings: Settings): Promised[] {
  if (configMap === undefined) return [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- istio.mesh.v1alpha1 MeshConfig, as istioctl renders it
  const mesh = (parse(configMap.data?.mesh ?? "") ?? {}) as MeshConfig;
  const promised = (key: string, is: string | undefined, wanted: string): Promised => ({
    what: `${key} of the mesh`,
    is,
    wanted,
    keys: [`meshConfig.${key}`, `values.meshConfig.${key}`],
  });
  const { meshId, proxyMetadata } = mesh.defaultConfig ?? {};
  const metadata = "defaultConfig.proxyMetadata";
  return [
    promised("defaultConfig.meshId", meshId, settings.meshId),
    promised(`${metadata}.PROXY_CONFIG_XDS_AGENT`, proxyMetadata?.PROXY_CONFIG_XDS_AGENT, "true"),
    promised(`${metadata}.SECRET_TTL`, proxyMetadata?.SECRET_TTL, settings.workloadTtl),
    promised(
      `${metadata}.ISTIO_META_DNS_CAPTURE`,
      proxyMetadata?.ISTIO_META_DNS_CAPTURE,
      settings.dnsCapture,
    ),
    promised("trustDomain", mesh.trustDomain ?? TRUST_DOMAIN, TRUST_DOMAIN),
  ];
}

/** In Istio's namespace, or in none. */
function find(
  objects: readonly KubernetesObject[],
  kind: string,
  name: string,
): KubernetesObject | undefined {
  return objects.find(({ kind: is, metadata }) => {
    const { namespace = ISTIO_NAMESPACE } = metadata;
    return is === kind && metadata.name === name && namespace === ISTIO_NAMESPACE;
  });
}

import { formatGoDuration } from "../core/duration.ts";
import { isImageHub } from "../core/image-hub.ts";
import type { MeshSpec } from "../core/spec.ts";
import { ConfigError } from "../errors.ts";
import { isRecord } from "../is-record.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";

/** Istio's own rendering with placeholders; `istio/manifest.json` of the bundle. */
export interface ManifestTemplate {
  /** Of Istio's charts, without a `v`; CRDs are compared by it. */
  readonly release: string;
  /** Of istiod's image, with its flavour: the Istio version of a member that runs it. */
  readonly tag: string;
  /** Where the release publishes its images; for a mesh without a hub of its own. */
  readonly hub: string;
  /** Changes with every change of the rendering. */
  readonly digest: string;
  readonly objects: readonly KubernetesObject[];
}

/** The values that differ from member to member in the manifest of the control plane. */
export interface ManifestValues {
  readonly meshId: string;
  readonly clusterId: string;
  readonly network: string;
  /** Seconds; istiod's `MAX_WORKLOAD_CERT_TTL`. */
  readonly workloadTtl: number;
  /** Registry and path of Istio's images. */
  readonly hub: string;
  /** Whether sidecars answer DNS queries of their pods; `ISTIO_META_DNS_CAPTURE`. */
  readonly dnsCapture: boolean;
}

export function manifestValues(
  template: Pick<ManifestTemplate, "hub">,
  {
    meshId,
    workloadTtl,
    istioHub,
    dnsCapture,
  }: Pick<MeshSpec, "meshId" | "workloadTtl" | "istioHub" | "dnsCapture">,
  { clusterId, network }: Pick<ManifestValues, "clusterId" | "network">,
): ManifestValues {
  const hub = istioHub ?? template.hub;
  return { meshId, clusterId, network, workloadTtl, hub, dnsCapture: dnsCapture === "on" };
}

/**
 * Texts in the rendered manifest for a member's own values, also inside the YAML and JSON texts of
 * ConfigMaps. They are plain words in all three notations, so that a value needs no other quoting than its
 * placeholder; `dnsCapture` alone is a word of YAML, which has to stay a text.
 */
export const PLACEHOLDERS = {
  meshId: "meshjoin-placeholder-mesh-id",
  clusterId: "meshjoin-placeholder-cluster-id",
  network: "meshjoin-placeholder-network",
  workloadTtl: "meshjoin-placeholder-workload-ttl",
  hub: "meshjoin-placeholder-hub",
  dnsCapture: "meshjoin-placeholder-dns-capture",
} as const satisfies Record<keyof ManifestValues, string>;

const FIELDS = [
  "meshId",
  "clusterId",
  "network",
  "workloadTtl",
  "hub",
  "dnsCapture",
] as const satisfies (keyof ManifestValues)[];
/** Needs no quotes and no escapes in YAML and JSON. The configuration refuses numbers and YAML words. */
const PLAIN = /^[A-Za-z0-9][-A-Za-z0-9._]*$/;

/** The values as Istio's own rendering would hold them. */
export function manifestTexts(values: ManifestValues): Readonly<Record<keyof ManifestValues, string>> {
  const { workloadTtl, dnsCapture } = values;
  return { ...values, workloadTtl: formatGoDuration(workloadTtl), dnsCapture: String(dnsCapture) };
}

function replaceStrings(node: unknown, replace: (text: string) => string): unknown {
  if (typeof node === "string") return replace(node);
  if (Array.isArray(node)) return node.map((each: unknown) => replaceStrings(each, replace));
  if (typeof node !== "object" || node === null) return node;
  return Object.fromEntries(Object.entries(node).map(([key, each]) => [key, replaceStrings(each, replace)]));
}

function substitution(values: ManifestValues): (text: string) => string {
  const texts = manifestTexts(values);
  const pairs = FIELDS.map((field) => {
    const text = texts[field];
    if (field === "hub" ? !isImageHub(text) : !PLAIN.test(text)) {
      throw new RangeError(`${field} ${JSON.stringify(text)} cannot stand in a manifest: use a plain name`);
    }
    return { placeholder: PLACEHOLDERS[field], text };
  });
  return (text) =>
    pairs.reduce(
      (rest, { placeholder, text: value }) =>
        placeholder === PLACEHOLDERS.dnsCapture && rest !== placeholder
          ? quoted(rest, placeholder, value)
          : rest.replaceAll(placeholder, value),
      text,
    );
}

/** In a YAML text the value gets quotes; in a JSON text, and where YAML has them already, it has some. */
function quoted(text: string, placeholder: string, value: string): string {
  const inQuotes = JSON.stringify(value);
  return text.replaceAll(JSON.stringify(placeholder), inQuotes).replaceAll(placeholder, inQuotes);
}

/**
 * The manifest for one member, equal to Istio's own rendering with these values. Throws a RangeError on a
 * value that would need quotes.
 */
export function fillManifest(template: ManifestTemplate, values: ManifestValues): KubernetesObject[] {
  const replace = substitution(values);
  return template.objects.map((object) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same object with other texts in it
    return replaceStrings(object, replace) as KubernetesObject;
  });
}

/** Reads `istio/manifest.json`. Fails with ConfigError `ManifestInvalid`. */
export function parseTemplate(json: string): ManifestTemplate {
  const parsed: unknown = JSON.parse(json);
  if (isManifest(parsed)) {
    const { pin, digest, objects } = parsed;
    return { release: pin.release, tag: pin.tag, hub: pin.hub, digest, objects };
  }
  throw new ConfigError("istio/manifest.json of the bundle is not a manifest", {
    code: "ManifestInvalid",
    cure: "build the bundle again",
  });
}

function isManifest(value: unknown): value is {
  pin: { release: string; tag: string; hub: string };
  digest: string;
  objects: KubernetesObject[];
} {
  if (!(isRecord(value) && isRecord(value["pin"]))) return false;
  const { pin, digest, objects } = value;
  const texts = [pin["release"], pin["tag"], pin["hub"], digest];
  return texts.every((text) => typeof text === "string") && Array.isArray(objects);
}

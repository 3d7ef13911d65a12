import { createHash } from "node:crypto";
import type { ObjectName } from "../core/answers/plan.ts";
import type { MemberNetworks } from "../core/member/networks.ts";
import type { DefinitionState } from "../core/member/observation.ts";
import { annotation } from "../core/names.ts";
import type { DesiredControlPlane } from "../plan/context.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import { dueCrds } from "./crds.ts";
import { ownershipLabels } from "./ownership.ts";
import { fillManifest, type ManifestTemplate, type ManifestValues, manifestValues } from "./template.ts";

/** Objects of an installation that are applied side by side. The next stage follows when these are ready. */
export interface InstallationStage {
  readonly objects: readonly KubernetesObject[];
  /**
   * `applied`: the API server has the objects. `served`: it serves the APIs that they define. `rolledOut`:
   * all their pods are of this manifest, and one serves; that takes long, so the run waits for many members
   * at once.
   */
  readonly readyWhen: "applied" | "served" | "rolledOut";
}

/** Istio's objects for one member, with the overlay, in the sequence in which Meshjoin applies them. */
export interface ControlPlane {
  /** Of the charts, and so of the CRDs; the image's tag may have a suffix. */
  readonly istioVersion: string;
  readonly stages: readonly InstallationStage[];
}

const CRD = "CustomResourceDefinition";
const WEBHOOKS = "WebhookConfiguration";

type Holds = (object: Pick<KubernetesObject, "kind">) => boolean;

const isDeployment: Holds = ({ kind }) => kind === "Deployment";
const isWebhook: Holds = ({ kind }) => kind.endsWith(WEBHOOKS);

/**
 * First the CRDs, until the API server serves them; then the objects that istiod needs; then the webhooks,
 * because without an istiod they let no pod start; at last istiod's Deployment, whose hash proves that all
 * went before.
 */
const STAGES: readonly { readonly holds: Holds; readonly readyWhen: InstallationStage["readyWhen"] }[] = [
  { holds: (object) => isDefinition(object), readyWhen: "served" },
  {
    holds: (object) => ![isDefinition, isWebhook, isDeployment].some((holds) => holds(object)),
    readyWhen: "applied",
  },
  { holds: isWebhook, readyWhen: "applied" },
  { holds: isDeployment, readyWhen: "rolledOut" },
];

/** Of the overlay below. A new version reaches members that have the rendering already. */
const OVERLAY_VERSION = 2;

/** Computed without filling the template, because every run asks every member for it. */
export function manifestHash(template: ManifestTemplate, values: ManifestValues): string {
  const { meshId, clusterId, network, workloadTtl, hub, dnsCapture } = values;
  const own = [meshId, clusterId, network, workloadTtl, hub, dnsCapture];
  const input = [OVERLAY_VERSION, template.digest, ...own];
  return createHash("sha256").update(JSON.stringify(input)).digest("hex").slice(0, 16);
}

type Mesh = Parameters<typeof manifestValues>[1];
type Place = Parameters<typeof manifestValues>[2];

/** The wanted control plane of a member, for a plan: it fills no template. */
export function desiredControlPlane(
  template: ManifestTemplate,
  spec: Mesh,
  member: Place,
): DesiredControlPlane {
  return {
    manifestHash: manifestHash(template, manifestValues(template, spec, member)),
    istioVersion: template.tag,
    objects: (definitions) => objectNames(template, definitions),
  };
}

/**
 * The rendering of Istio's own charts plus one overlay: ownership labels on every object, Istio's version on
 * CRDs, the network and the hash on the Deployment. It leaves out the fields that others own: the
 * autoscaler's `spec.replicas`, istiod's `caBundle`.
 */
export function controlPlane(
  template: ManifestTemplate,
  spec: Mesh,
  member: Place & Pick<MemberNetworks, "formerNetwork">,
): ControlPlane {
  const values = manifestValues(template, spec, member);
  const objects = fillManifest(template, values);
  if (objects.filter(isDeployment).length !== 1) {
    throw new TypeError("the rendered manifest does not hold exactly one Deployment; render it again");
  }
  const overlaid = objects.map((object) => overlay(object, template, values, member.formerNetwork));
  return {
    istioVersion: template.release,
    stages: STAGES.map(({ holds, readyWhen }) => ({ objects: overlaid.filter(holds), readyWhen })),
  };
}

/**
 * The names of an installation's objects. Of the definitions only those that are absent or older in the
 * cluster, or all where the cluster's are unknown.
 */
function objectNames(
  { objects, release }: ManifestTemplate,
  definitions: readonly DefinitionState[] = [],
): ObjectName[] {
  const due = new Set(dueCrds(definitions, objects.filter(isDefinition), release));
  return objects
    .filter((object) => !isDefinition(object) || due.has(object))
    .map(({ kind, metadata: { name, namespace } }) => ({
      kind,
      name,
      ...(namespace === undefined ? {} : { namespace }),
    }));
}

/** Whether an object defines an API, which other meshes and applications in the cluster may use, too. */
export function isDefinition({ kind }: Pick<KubernetesObject, "kind">): boolean {
  return kind === CRD;
}

/**
 * The form in which Meshjoin applies an object that exists. A validating webhook leaves out `failurePolicy`,
 * which istiod itself turns to Fail. If Meshjoin owned and later dropped it, the default, Fail, would come
 * before istiod can answer.
 */
export function onceThere(object: KubernetesObject): KubernetesObject {
  return object.kind === `Validating${WEBHOOKS}` ? withoutFailurePolicy(object) : object;
}

function withoutFailurePolicy(webhook: KubernetesObject): KubernetesObject {
  return { ...webhook, webhooks: webhooksOf(webhook).map(({ failurePolicy: _, ...rest }) => rest) };
}

function overlay(
  object: KubernetesObject,
  template: ManifestTemplate,
  values: ManifestValues,
  formerNetwork: string | undefined,
): KubernetesObject {
  const { metadata } = object;
  const owned = {
    ...object,
    metadata: { ...metadata, labels: { ...metadata.labels, ...ownershipLabels(values.meshId) } },
  };
  if (isDefinition(object)) return annotated(owned, "istio-version", template.release);
  if (isDeployment(object)) {
    const installed = annotated(withoutReplicas(owned), "network", values.network);
    const noted =
      formerNetwork === undefined ? installed : annotated(installed, "former-network", formerNetwork);
    return annotated(noted, "manifest-hash", manifestHash(template, values));
  }
  return isWebhook(object) ? withoutCaBundle(owned) : owned;
}

function withoutCaBundle(configuration: KubernetesObject): KubernetesObject {
  const webhooks = webhooksOf(configuration).map(({ clientConfig, ...rest }) => {
    const { caBundle: _, ...reference } = clientConfig ?? {};
    return { ...rest, clientConfig: reference };
  });
  return { ...configuration, webhooks };
}

function withoutReplicas(deployment: KubernetesObject): KubernetesObject {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- apps/v1 Deployment
  const { replicas: _, ...spec } = deployment["spec"] as Readonly<Record<string, unknown>>;
  return { ...deployment, spec };
}

function annotated(object: KubernetesObject, key: string, value: string): KubernetesObject {
  const { metadata } = object;
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [annotation(key)]: value } },
  };
}

interface Webhook {
  readonly clientConfig?: Readonly<Record<string, unknown>>;
  readonly failurePolicy?: string;
}

function webhooksOf(configuration: KubernetesObject): readonly Webhook[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- admissionregistration/v1
  return (configuration["webhooks"] ?? []) as readonly Webhook[];
}

import { createHash } from "node:crypto";
import { annotation } from "../core/names.ts";
import type { KubernetesObject } from "../ports.ts";
import { ownershipLabels } from "./ownership.ts";
import { fillManifest, type ManifestTemplate, type ManifestValues } from "./template.ts";

/** Istio's objects for one member, overlaid, in the groups in which they are applied. */
export interface ControlPlane {
  /** Of the charts, and so of the CRDs; the image's tag may say more. */
  readonly istioVersion: string;
  readonly manifestHash: string;
  readonly crds: readonly KubernetesObject[];
  readonly mutatingWebhooks: readonly KubernetesObject[];
  readonly validatingWebhooks: readonly KubernetesObject[];
  /** istiod's own Deployment; it carries the hash and is applied last. */
  readonly deployment: KubernetesObject;
  /** What istiod stands on: accounts, roles, configuration, services. */
  readonly others: readonly KubernetesObject[];
}

/** Of the overlay below: a change of it must reach members that have the rendering already. */
const OVERLAY_VERSION = 1;

/** Known without filling the template, so that asking whether a member is up to date costs nothing. */
export function manifestHash(template: ManifestTemplate, values: ManifestValues): string {
  const { meshId, clusterId, network, workloadTtl, hub } = values;
  const input = [OVERLAY_VERSION, template.digest, meshId, clusterId, network, workloadTtl, hub];
  return createHash("sha256").update(JSON.stringify(input)).digest("hex").slice(0, 16);
}

/**
 * The rendering of Istio's own charts plus one overlay: ownership labels on every object; Istio's version on CRDs; the
 * hash on the Deployment; and without the fields that others own afterwards (`spec.replicas` belongs to the autoscaler,
 * `caBundle` to istiod).
 */
export function controlPlane(template: ManifestTemplate, values: ManifestValues): ControlPlane {
  const hash = manifestHash(template, values);
  const objects = fillManifest(template, values).map((object) => overlay(object, values.meshId));
  const ofKind = (kind: string) => objects.filter((object) => object.kind === kind);
  const [deployment, ...more] = ofKind("Deployment");
  if (deployment === undefined || more.length > 0) {
    throw new TypeError("the rendered manifest does not hold exactly one Deployment; render it again");
  }
  const apart = new Set([
    "CustomResourceDefinition",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
    "Deployment",
  ]);
  return {
    istioVersion: template.release,
    manifestHash: hash,
    crds: ofKind("CustomResourceDefinition").map((crd) => annotated(crd, "istio-version", template.release)),
    mutatingWebhooks: ofKind("MutatingWebhookConfiguration"),
    validatingWebhooks: ofKind("ValidatingWebhookConfiguration"),
    deployment: annotated(withoutReplicas(deployment), "manifest-hash", hash),
    others: objects.filter(({ kind }) => !apart.has(kind)),
  };
}

/** The form in which a validating webhook is applied once it exists: istiod turns `failurePolicy` to Fail by itself. */
export function withoutFailurePolicy(webhook: KubernetesObject): KubernetesObject {
  return { ...webhook, webhooks: webhooksOf(webhook).map(({ failurePolicy: _, ...rest }) => rest) };
}

function overlay(object: KubernetesObject, meshId: string): KubernetesObject {
  const { metadata } = object;
  const owned = {
    ...object,
    metadata: { ...metadata, labels: { ...metadata.labels, ...ownershipLabels(meshId) } },
  };
  return object.kind.endsWith("WebhookConfiguration") ? withoutCaBundle(owned) : owned;
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

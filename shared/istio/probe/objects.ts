import { annotation, ISTIO_NAMESPACE } from "../../core/names.ts";
import { PROBE, PROBE_APP, PROBE_NAMESPACE, PROBE_PORTS } from "../../core/probe/wire.ts";
import type { KubernetesObject } from "../../ports/kubernetes-object.ts";
import type { ObjectQuery, ObjectRef } from "../../ports/member-api.ts";
import { ownershipLabels } from "../ownership.ts";
import { PROBE_LABELS, type ProbeSettings, probeObject, untilNote } from "./object.ts";
import { ANSWER_SERVICE, probeAdmission, probeRoutes, probeSidecar } from "./traffic.ts";

/** Holds all of the probe, so its deletion takes all of it away. */
export const PROBE_NAMESPACE_REF: ObjectRef = { apiVersion: "v1", kind: "Namespace", name: PROBE_NAMESPACE };
export const PROBE_DEPLOYMENTS: ObjectQuery = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  namespace: PROBE_NAMESPACE,
};
export const PROBE_PODS: ObjectQuery = {
  apiVersion: "v1",
  kind: "Pod",
  namespace: PROBE_NAMESPACE,
  labelSelector: `app=${PROBE_APP}`,
};

/** The namespace of the probe. Its pods keep the strictest of Kubernetes' standards, so it enforces that. */
export function probeNamespace({ meshId, until }: Pick<ProbeSettings, "meshId" | "until">): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: PROBE_NAMESPACE,
      labels: { ...ownershipLabels(meshId), "pod-security.kubernetes.io/enforce": "restricted" },
      ...untilNote(until),
    },
  };
}

/**
 * The probe of one member, in the sequence in which it is written, without its namespace: a sidecar without
 * an application. It answers the probes of other members as any workload does, by mutual TLS on an inbound
 * listener, behind which its own Envoy answers; and it passes questions on to any target.
 */
export function probeObjects(settings: ProbeSettings): readonly KubernetesObject[] {
  return [
    probeObject(settings, { apiVersion: "v1", kind: "ServiceAccount", name: PROBE_APP }, {}),
    ...services(settings),
    probeSidecar(settings),
    ...probeAdmission(settings),
    ...probeRoutes(settings),
    deployment(settings),
  ];
}

function services(settings: ProbeSettings): KubernetesObject[] {
  return [
    probeObject(
      settings,
      {
        apiVersion: "v1",
        kind: "Service",
        name: PROBE,
        annotations: { "networking.istio.io/exportTo": `.,${ISTIO_NAMESPACE}` },
      },
      {
        spec: {
          selector: PROBE_LABELS,
          ports: [{ name: "http-probe", port: PROBE_PORTS.ask, targetPort: PROBE_PORTS.inbound }],
        },
      },
    ),
    // A name for the listener on loopback. It has no endpoint.
    probeObject(
      settings,
      {
        apiVersion: "v1",
        kind: "Service",
        name: ANSWER_SERVICE,
        annotations: { "networking.istio.io/exportTo": "." },
      },
      { spec: { ports: [{ name: "http-answer", port: PROBE_PORTS.answer }] } },
    ),
  ];
}

/** Requests and limits of Envoy and its agent, as measured; not below the least of an Autopilot cluster. */
const RESOURCES_OF_PROXY = {
  requests: { cpu: "50m", memory: "128Mi" },
  limits: { cpu: "500m", memory: "256Mi" },
};

/** istiod's injection makes the proxy of it, with the image of its own release. */
function deployment(settings: ProbeSettings): KubernetesObject {
  return probeObject(
    settings,
    { apiVersion: "apps/v1", kind: "Deployment", name: PROBE },
    {
      spec: {
        selector: { matchLabels: PROBE_LABELS },
        template: {
          metadata: {
            labels: { ...PROBE_LABELS, "sidecar.istio.io/inject": "true" },
            annotations: {
              [annotation("istio")]: settings.istio,
              "sidecar.istio.io/interceptionMode": "NONE",
              // As a native sidecar, the only container would become one that starts before it.
              "sidecar.istio.io/nativeSidecar": "false",
              "cluster-autoscaler.kubernetes.io/safe-to-evict": "true",
            },
          },
          spec: {
            serviceAccountName: PROBE_APP,
            automountServiceAccountToken: false,
            terminationGracePeriodSeconds: 5,
            securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
            containers: [
              {
                name: "istio-proxy",
                image: "auto",
                resources: RESOURCES_OF_PROXY,
                securityContext: {
                  allowPrivilegeEscalation: false,
                  capabilities: { drop: ["ALL"] },
                  readOnlyRootFilesystem: true,
                },
              },
            ],
          },
        },
      },
    },
  );
}

import { ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import type { FakeMesh } from "../../support/fakes/mesh.ts";
import { secretsOf } from "./world.ts";

/** What a cluster may hold before it comes to Meshjoin. */

export function namespace(labels: Record<string, string> = {}): KubernetesObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name: ISTIO_NAMESPACE, labels } };
}

export function secret(name: string, data: Record<string, string>): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: ISTIO_NAMESPACE },
    data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, base64(text)])),
  };
}

export function configMap(name: string, data: Record<string, string>): KubernetesObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: ISTIO_NAMESPACE }, data };
}

/** An istiod that a person installed, with the `clusterName` that they chose. */
export function istiod(clusterName: string): KubernetesObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "istiod", namespace: ISTIO_NAMESPACE, labels: { app: "istiod" } },
    spec: {
      template: {
        spec: {
          containers: [
            {
              name: "discovery",
              image: "docker.io/istio/pilot:1.30.2",
              env: [{ name: "CLUSTER_ID", value: clusterName }],
            },
          ],
        },
      },
    },
  };
}

export function crd(): KubernetesObject {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "virtualservices.networking.istio.io" },
  };
}

/** The `cacerts` that the first member of a mesh has, as a person would have made it by hand. */
export function cacertsByHand(mesh: FakeMesh): KubernetesObject {
  const [first] = mesh.clusters;
  const found = first && secretsOf(mesh, first).find(({ metadata }) => metadata.name === "cacerts");
  if (found === undefined) throw new TypeError("the first member has no cacerts; let it join first");
  return { ...found, metadata: { name: "cacerts", namespace: ISTIO_NAMESPACE } };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

import type { KubernetesObject } from "../../../../shared/ports/kubernetes-object.ts";
import type { ObjectStore } from "./object-store.ts";

const CRDS = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };
const ESTABLISHED = { conditions: [{ type: "Established", status: "True" }] };

/** What an API server does of itself with objects that Meshjoin writes; called after every change. */
export function runControllers(store: ObjectStore): void {
  for (const crd of store.list(CRDS)) {
    if (crd["status"] === undefined) store.write({ ...crd, status: ESTABLISHED }, "kube-apiserver");
  }
  for (const namespace of store.list({ apiVersion: "v1", kind: "Namespace" })) {
    if (namespace.metadata.deletionTimestamp !== undefined && isEmpty(store, namespace)) {
      store.delete({ apiVersion: "v1", kind: "Namespace", name: namespace.metadata.name });
    }
  }
}

function isEmpty(store: ObjectStore, { metadata }: KubernetesObject): boolean {
  return ["Secret", "ConfigMap", "ServiceAccount", "Service", "Deployment", "Pod"].every(
    (kind) => store.list({ apiVersion: "", kind, namespace: metadata.name }).length === 0,
  );
}

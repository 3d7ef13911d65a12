import type { KubernetesObject, OwnerReference } from "../../../../shared/ports/kubernetes-object.ts";
import type { ObjectStore } from "./object-store.ts";

const CRDS = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };
const ESTABLISHED = { conditions: [{ type: "Established", status: "True" }] };

/** Kinds whose objects may have owners here; to look at all of them after every change would take long. */
const DEPENDENTS = [
  { apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway" },
  { apiVersion: "v1", kind: "ConfigMap" },
];

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
  for (const kind of DEPENDENTS) {
    for (const { metadata } of store.list(kind)) {
      const { name, namespace = "", ownerReferences = [] } = metadata;
      const isOwned = ownerReferences.some((owner) => isThere(store, owner, namespace));
      if (ownerReferences.length > 0 && !isOwned) store.delete({ ...kind, namespace, name });
    }
  }
}

function isThere(store: ObjectStore, owner: OwnerReference, namespace: string): boolean {
  const { apiVersion = "", kind, name, uid } = owner;
  return store.get({ apiVersion, kind, namespace, name })?.metadata.uid === uid;
}

function isEmpty(store: ObjectStore, { metadata }: KubernetesObject): boolean {
  return ["Secret", "ConfigMap", "ServiceAccount", "Service", "Deployment", "Pod"].every(
    (kind) => store.list({ apiVersion: "", kind, namespace: metadata.name }).length === 0,
  );
}

import { RESOURCES } from "../../../../shared/core/kubernetes-requests.ts";
import { kindNotServed } from "./errors.ts";
import type { ObjectStore } from "./object-store.ts";

/** Whether an API server serves a kind: a custom one needs its CRD, and time. */
export interface ServedKinds {
  /** So many requests about a kind are refused after its CRD has come. */
  lateBy: number;
  /** Fails with `KindNotServed`. */
  assertServed(kind: string, what: string): void;
}

export function servedKinds(store: ObjectStore): ServedKinds {
  const refused = new Map<string, number>();
  return {
    lateBy: 0,
    assertServed(kind, what) {
      const resource = RESOURCES[kind];
      if (resource?.grantedBy !== "clusterRole") return;
      const [group] = resource.apiVersion.split("/");
      const crd = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };
      if (store.get({ ...crd, name: `${resource.plural}.${group}` }) === undefined) throw kindNotServed(what);
      const times = refused.get(kind) ?? 0;
      if (times >= this.lateBy) return;
      refused.set(kind, times + 1);
      throw kindNotServed(what);
    },
  };
}

import { settleAll } from "../async/settle-all.ts";
import { type Finding, finding } from "../core/finding.ts";
import { resourceOf } from "../core/kubernetes-requests.ts";
import { ISTIO_NAMESPACE } from "../core/names.ts";
import { isPruned } from "../istio/needed-permissions.ts";
import type { KubernetesObject, MemberApi } from "../ports.ts";

/** What Istio's charts call each of their objects a part of: other objects of ours are none of the manifest's. */
const PART_OF = "app.kubernetes.io/part-of";

/** Objects of ours that an earlier manifest held and the present one does not. */
export function leftOver(
  present: readonly KubernetesObject[],
  desired: ReadonlySet<string>,
  keyOf: (object: KubernetesObject) => string,
): KubernetesObject[] {
  return present.filter(
    (object) => object.metadata.labels?.[PART_OF] === "istio" && !desired.has(keyOf(object)),
  );
}

export interface Pruned {
  readonly deleted: number;
  /** One for each object. */
  readonly findings: readonly Finding[];
}

/** Deletes each that may be deleted, by its UID; of the others a person is told. */
export async function prune(
  api: MemberApi,
  id: string,
  objects: readonly KubernetesObject[],
  signal: AbortSignal,
): Promise<Pruned> {
  const mayGo = objects.filter(({ kind, metadata }) => {
    return isPruned(kind) && metadata.namespace === ISTIO_NAMESPACE;
  });
  await settleAll(
    mayGo.map(async ({ apiVersion, kind, metadata: { name, namespace = "", uid = "" } }) => {
      await api.writer.delete({ apiVersion, kind, namespace, name }, uid, signal);
    }),
  );
  const findings = objects.map((object) => (mayGo.includes(object) ? gone(object, id) : stays(object, id)));
  return { deleted: mayGo.length, findings };
}

function gone({ kind, metadata: { name } }: KubernetesObject, id: string): Finding {
  const message = `${kind} ${name} of an earlier manifest of Istio is no part of the present one`;
  return finding("ObjectPruned", message, "nothing: it was deleted", id);
}

function stays({ kind, metadata: { name, namespace } }: KubernetesObject, id: string): Finding {
  const where = namespace === undefined ? "" : ` -n ${namespace}`;
  return finding(
    "ObjectLeftOver",
    `${kind} ${name} of an earlier manifest of Istio is no part of the present one, and Meshjoin deletes no object of that kind`,
    `if nothing else uses it: kubectl${where} delete ${resourceOf(kind).plural} ${name}`,
    id,
  );
}

import type { ClusterRef } from "../core/cluster/cluster.ts";
import { INGRESS, INGRESS_NAMESPACE } from "../core/names.ts";
import type { MeshSpec } from "../core/spec.ts";
import { RefusedError } from "../errors.ts";
import { INGRESS_API } from "../istio/gateway-api.ts";
import { INGRESS_GATEWAY, INGRESS_REFS, ingressObjects } from "../istio/ingress.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { onceServed } from "./crds.ts";
import { installGatewayApi } from "./gateway-api.ts";
import { applyOwned, assertNotForeign, removeOwned } from "./owned.ts";
import { withRights } from "./rights.ts";

/**
 * istiod makes the rest when it sees the Gateway. A namespace that is there is taken over, unless it is
 * another mesh's. A Gateway of the name that is somebody else's is left alone: `IngressForeign`.
 */
export async function applyIngress(
  place: { readonly api: MemberApi; readonly ref: ClusterRef },
  spec: MeshSpec,
  signal: AbortSignal,
): Promise<void> {
  const { api } = place;
  const { meshId } = spec;
  await installGatewayApi(place, INGRESS_API, signal);
  const write = async () => {
    const objects = ingressObjects(spec);
    const gateways = objects.filter(({ kind }) => kind === INGRESS_GATEWAY.kind);
    for (const gateway of gateways) {
      // oxlint-disable-next-line no-await-in-loop -- it is one
      await elseForeign(gateway, () => assertNotForeign(api, gateway, meshId, signal));
    }
    for (const object of objects) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await elseForeign(object, () => applyOwned(api, object, meshId, signal));
    }
  };
  await onceServed(() => withRights(api, meshId, signal, write), signal);
}

/** istiod takes away what it made of the Gateway. The namespace stays, with all that users have in it. */
export async function removeIngress(api: MemberApi, meshId: string, signal: AbortSignal): Promise<void> {
  await withRights(api, meshId, signal, async () => {
    for (const ref of INGRESS_REFS) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await removeOwned(api, ref, meshId, signal);
    }
  });
}

async function elseForeign({ kind, metadata }: KubernetesObject, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof RefusedError) || error.code !== "ForeignObject") throw error;
    const where = metadata.namespace === undefined ? "" : ` in ${INGRESS_NAMESPACE}`;
    throw new RefusedError(
      `${kind} ${metadata.name}${where} is not Meshjoin's, so the cluster gets no ingress of Meshjoin's`,
      {
        code: "IngressForeign",
        cure: `set MESHJOIN_INGRESS=off; or delete that ${kind}, which is an outage of what relies on it, and Meshjoin makes its own ${INGRESS}`,
        cause: error,
      },
    );
  }
}

import type { ClusterRef } from "../core/cluster/cluster.ts";
import type { MeshSpec } from "../core/spec.ts";
import { gatewayObjects, gatewayRefs, gatewaySettings, isHiddenBy } from "../istio/gateway.ts";
import { GATEWAY_API } from "../istio/gateway-api.ts";
import type { ApplyGateway, HideGateway, RemoveGateway } from "../plan/action.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { onceServed } from "./crds.ts";
import { installGatewayApi } from "./gateway-api.ts";
import { applyOwned, removeOwned } from "./owned.ts";
import { withRights } from "./rights.ts";

/**
 * The options come first: a Gateway without them would get a load balancer on the internet. istiod makes the
 * rest when it sees the Gateway. One that another run has shown meanwhile is not hidden again.
 */
export async function applyGateway(
  { api, ref }: { readonly api: MemberApi; readonly ref: ClusterRef },
  action: Pick<ApplyGateway, "gateway" | "network" | "exposure" | "isHidden" | "settlingSince">,
  spec: MeshSpec,
  signal: AbortSignal,
): Promise<void> {
  const { meshId } = spec;
  await installGatewayApi({ api, ref }, GATEWAY_API, signal);
  const write = async () => {
    const isHidden = action.isHidden && !(await isShown(api, action.gateway, signal));
    const hidden = isHidden ? { settlingSince: action.settlingSince } : undefined;
    for (const object of gatewayObjects(gatewaySettings(spec, action), action.gateway, hidden)) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await applyOwned(api, object, meshId, signal);
    }
  };
  await onceServed(() => withRights(api, meshId, signal, write), signal);
}

/**
 * Its options alone: istiod changes the Service, and neither pods nor load balancer. Another run, which has
 * seen another label or configuration, may hide the one that is to take its place: then this one stays known,
 * or is made known again. Answers whether it is hidden.
 */
export async function hideGateway(
  api: MemberApi,
  { gateway, exposure, instead }: Pick<HideGateway, "gateway" | "exposure" | "instead">,
  { spec, now, signal }: { readonly spec: MeshSpec; readonly now: Date; readonly signal: AbortSignal },
): Promise<boolean> {
  const write = async (isHidden: boolean) => {
    const hidden = isHidden ? { settlingSince: now } : undefined;
    const [options] = gatewayObjects(gatewaySettings(spec, { network: "", exposure }), gateway, hidden);
    await applyOwned(api, options, spec.meshId, signal);
  };
  return await withRights(api, spec.meshId, signal, async () => {
    if (!(await isShown(api, instead, signal))) return false;
    await write(true);
    if (await isShown(api, instead, signal)) return true;
    await write(false);
    return false;
  });
}

/** Whether istiods may know it, by what was written last: its Service follows that. */
async function isShown(api: MemberApi, gateway: string, signal: AbortSignal): Promise<boolean> {
  const [present, options] = await Promise.all(
    gatewayRefs(gateway).map((ref) => api.reader.get(ref, signal)),
  );
  return present !== undefined && options !== undefined && !isHiddenBy(options);
}

/** istiod takes away what it made of the Gateway. */
export async function removeGateway(
  api: MemberApi,
  { gateway }: Pick<RemoveGateway, "gateway">,
  meshId: string,
  signal: AbortSignal,
): Promise<void> {
  await withRights(api, meshId, signal, async () => {
    for (const ref of gatewayRefs(gateway)) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await removeOwned(api, ref, meshId, signal);
    }
  });
}

/** `removeGateway`, but not of one that another run has made known again. Answers whether it is gone. */
export async function removeHiddenGateway(
  api: MemberApi,
  action: Pick<RemoveGateway, "gateway">,
  meshId: string,
  signal: AbortSignal,
): Promise<boolean> {
  const isKnown = await withRights(api, meshId, signal, () => isShown(api, action.gateway, signal));
  if (!isKnown) await removeGateway(api, action, meshId, signal);
  return !isKnown;
}

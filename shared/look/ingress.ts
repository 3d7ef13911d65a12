import { isReachable, type Member } from "../core/member/observation.ts";
import { isUp } from "../core/network/gateway.ts";
import type { IngressState, SeenIngress } from "../core/network/ingress.ts";
import type { ReconcileRequest } from "../core/request.ts";
import type { MeshSpec } from "../core/spec.ts";
import { asMeshjoinError, MeshjoinError, RefusedError } from "../errors.ts";
import {
  INGRESS_ENDPOINTS,
  INGRESS_GATEWAY,
  INGRESS_SERVICES,
  ingressSettings,
  ingressState,
  tlsSecretQuery,
} from "../istio/ingress.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { ObjectReader } from "../ports/member-api.ts";
import type { Run } from "../run.ts";

/**
 * The members with their ingresses, for which each reachable one is asked once, and up to twice more if it
 * has one. Where the configuration wants none, they are asked only `always`: then one that is left over is
 * found. Never fails.
 */
export async function lookAtIngress(
  run: Run,
  members: readonly Member[],
  always: boolean,
): Promise<readonly Member[]> {
  if (run.spec.ingress === "off" && !always) return members;
  return await Promise.all(members.map((member) => withIngress(run, member)));
}

/** Whether a request is about ingresses that the configuration does not want, too. */
export function isAboutIngresses({ deep, confirm }: Pick<ReconcileRequest, "deep" | "confirm">): boolean {
  return deep === true || confirm?.includes("IngressInUse") === true;
}

async function withIngress(run: Run, member: Member): Promise<Member> {
  if (!isReachable(member)) return member;
  const ingress = await run.inTurn(() => seen(run, member));
  return { ...member, state: { ...member.state, ingress } };
}

async function seen({ ports, spec, signal }: Run, { cluster, clusterId }: Member): Promise<SeenIngress> {
  const { reader } = ports.fleet.member(cluster);
  try {
    const services = await reader.list(INGRESS_SERVICES, signal);
    if (services.length === 0) return { state: "none" };
    const slices = await reader.list(INGRESS_ENDPOINTS, signal);
    const state = ingressState(services, slices, undefined);
    if (state?.tls.state !== "unknown") return state ?? { state: "none" };
    const read = ingressState(services, slices, await readGateway(reader, signal)) ?? state;
    return await withNextSecret(reader, read, spec, signal);
  } catch (error) {
    const { code, message, cure, retryable } = asMeshjoinError(error, clusterId, "its ingress was read");
    return { state: "unknown", unread: { code, message, cure, retryable } };
  }
}

/** Asks for the Secret that port 443 is to have, where it has another one now. */
async function withNextSecret(
  reader: ObjectReader,
  state: IngressState,
  spec: MeshSpec,
  signal: AbortSignal,
): Promise<IngressState> {
  const { ingressTlsSecret } = spec;
  const hasOther = "secret" in state.tls && state.tls.secret !== ingressTlsSecret;
  if (ingressTlsSecret === undefined || !hasOther || state.settings === ingressSettings(spec)) return state;
  const found = await reader.list(tlsSecretQuery(ingressTlsSecret), signal);
  return { ...state, hasNextSecret: found.length > 0 };
}

/** Undefined, too, where the account may not read it: it gets that right when it first writes one. */
async function readGateway(reader: ObjectReader, signal: AbortSignal): Promise<KubernetesObject | undefined> {
  try {
    return await reader.get(INGRESS_GATEWAY, signal);
  } catch (error) {
    if (error instanceof RefusedError && error.code === "Forbidden") return undefined;
    throw error;
  }
}

/** Waits until the ingress of the member is up, or the signal aborts; answers the member as it is then. */
export async function awaitIngress(run: Run, member: Member, signal: AbortSignal): Promise<Member> {
  const { reader } = run.ports.fleet.member(member.cluster);
  try {
    const services = await reader.until(
      INGRESS_SERVICES,
      (found) => (ingressState(found, [], undefined)?.addresses.length ?? 0) > 0,
      signal,
    );
    const isOpen = (slices: readonly KubernetesObject[]) => {
      const state = ingressState(services, slices, undefined);
      return state !== undefined && isUp(state);
    };
    await reader.until(INGRESS_ENDPOINTS, isOpen, signal);
  } catch (error) {
    if (!(error instanceof MeshjoinError)) throw error;
  }
  return await withIngress(run, member);
}

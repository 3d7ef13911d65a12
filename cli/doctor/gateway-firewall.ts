import { type Check, fault, fine, unknown } from "../../shared/core/answers/check.ts";
import type { Cluster, VpcRef } from "../../shared/core/cluster/cluster.ts";
import type { EffectiveFirewall } from "../../shared/core/firewall/firewall.ts";
import {
  checkGatewayPort,
  type GatewayBehind,
  gatewayRule,
} from "../../shared/core/firewall/gateway-port.ts";
import { type NamedCluster, named } from "../../shared/core/member/observation.ts";
import { networkName } from "../../shared/core/names.ts";
import { reaches } from "../../shared/core/network/connected.ts";
import { GATEWAY_PORT } from "../../shared/core/network/gateway.ts";
import type { MeshSpec } from "../../shared/core/spec.ts";
import { MeshjoinError } from "../../shared/errors.ts";
import { GATEWAY_SERVICES, gatewayStates } from "../../shared/istio/gateway.ts";
import type { Firewalls } from "../../shared/ports/firewalls.ts";
import type { Fleet } from "../../shared/ports/fleet.ts";

const TIMEOUT_MS = 20_000;
const SUBJECT = { name: "firewall", account: "caller" } as const;

interface Ports {
  readonly firewalls: Firewalls;
  readonly fleet: Fleet;
}

/**
 * Whether pods reach the internal gateways of networks that are declared to be connected. A gateway on the
 * internet sees addresses of NAT gateways, which no cluster tells, so it is left out.
 */
export async function checkGatewayFirewalls(
  { firewalls, fleet }: Ports,
  members: readonly Cluster[],
  spec: MeshSpec,
): Promise<Check[]> {
  const all = members.map(named);
  const links = all.flatMap((to) => {
    const readers = all.filter(
      (from) => from.network !== to.network && reaches(from.network, to.network, "internal", spec),
    );
    return readers.length === 0 ? [] : [{ to, readers }];
  });
  if (links.length === 0) return [];
  const effective = rulesOnce(firewalls, members);
  const checks = await Promise.all(
    links.map(async ({ to, readers }): Promise<Check[]> => {
      try {
        const addresses = await internalAddresses(fleet, to);
        if (addresses.length === 0) return [];
        const gateway = { cluster: to.cluster, addresses, firewall: await effective(to.cluster.network) };
        const verdicts = readers.map(async (from) => await viewLink(from, to, gateway, effective));
        return (await Promise.all(verdicts)).flat();
      } catch (error) {
        if (!(error instanceof MeshjoinError)) throw error;
        const message = `it is not known whether pods reach the gateway of ${to.clusterId}: ${error.message}`;
        return [unknown({ ...SUBJECT, clusterId: to.clusterId }, message, error.cure)];
      }
    }),
  );
  const found = checks.flat();
  const troubles = found.filter(({ state }) => state !== "ok");
  if (found.length === 0 || troubles.length > 0) return troubles;
  return [
    fine(
      SUBJECT,
      `rules let pods reach the internal gateways of ${new Set(links.map(({ to }) => to.network)).size} networks`,
    ),
  ];
}

async function internalAddresses(fleet: Fleet, { cluster, network }: NamedCluster): Promise<string[]> {
  const { reader } = fleet.member(cluster);
  const services = await reader.list(GATEWAY_SERVICES, AbortSignal.timeout(TIMEOUT_MS));
  return gatewayStates(services, [])
    .filter((gateway) => gateway.network === network && gateway.exposure === "internal")
    .flatMap(({ addresses }) => addresses);
}

async function viewLink(
  from: NamedCluster,
  to: NamedCluster,
  gateway: GatewayBehind,
  effective: (network: VpcRef) => Promise<EffectiveFirewall>,
): Promise<Check[]> {
  const { cluster } = from;
  const { side, state, why } = checkGatewayPort(
    { cluster, firewall: await effective(cluster.network) },
    gateway,
  );
  const subject = { ...SUBJECT, clusterId: to.clusterId };
  const what = `requests from pods of ${from.clusterId} to the gateway of ${to.clusterId} (port ${GATEWAY_PORT})`;
  const cure = gatewayRule(cluster, gateway, side);
  if (state === "allowed") return [fine(subject, `${what} get through`)];
  if (state === "missing") return [fault(subject, `${what} do not get through: ${why}`, cure)];
  return [unknown(subject, `it is not known whether ${what} get through: ${why}`, cure)];
}

/** Each VPC is asked once. */
function rulesOnce(
  firewalls: Firewalls,
  members: readonly Cluster[],
): (network: VpcRef) => Promise<EffectiveFirewall> {
  const regions = [...new Set(members.map(({ ref }) => ref.location.replace(/-[a-z]$/, "")))];
  const asked = new Map<string, Promise<EffectiveFirewall>>();
  return async (network) => {
    const name = networkName(network);
    const answer = asked.get(name) ?? firewalls.effective(network, regions, AbortSignal.timeout(TIMEOUT_MS));
    asked.set(name, answer);
    return await answer;
  };
}

import type { VpcRef } from "../core/cluster/cluster.ts";
import { networkName } from "../core/names.ts";
import { MeshjoinError } from "../errors.ts";
import type { Firewalls } from "../ports/firewalls.ts";
import { type FirewallAnswer, parseFirewallAnswer, toEffective } from "./compute-answer.ts";
import { fromGoogleError } from "./google-client.ts";
import { askGoogle } from "./google-rest.ts";

export interface ComputeOptions {
  /** Instead of `https://compute.googleapis.com`. */
  readonly endpoint?: string;
  readonly accessToken: () => Promise<string>;
}

const ENDPOINT = "https://compute.googleapis.com";

/** The Compute API's `getEffectiveFirewalls`: two GETs need no client library. */
export function computeFirewalls(options: ComputeOptions): Firewalls {
  return {
    async effective(network, regions, signal) {
      const { project, name } = network;
      const resource = `projects/${project}/global/networks/${name}`;
      const askFirewalls = (path: string, permission: string) =>
        read(options, { network, path, permission: `compute.networks.${permission}`, signal });
      const [whole, ...regional] = await Promise.all([
        askFirewalls(`${resource}/getEffectiveFirewalls`, "getEffectiveFirewalls"),
        ...regions.map((region) => {
          const query = new URLSearchParams({ network: `${ENDPOINT}/compute/v1/${resource}` });
          const path = `projects/${project}/regions/${region}/firewallPolicies/getEffectiveFirewalls?${query}`;
          return askFirewalls(path, "getRegionEffectiveFirewalls");
        }),
      ]);
      return toEffective(whole, new Map(regional.map((answer, index) => [regions[index] ?? "", answer])));
    },
  };
}

interface Question {
  readonly network: VpcRef;
  readonly path: string;
  readonly permission: string;
  readonly signal: AbortSignal | undefined;
}

async function read(
  { endpoint = ENDPOINT, accessToken }: ComputeOptions,
  { network, path, permission, signal }: Question,
): Promise<FirewallAnswer> {
  try {
    const url = `${endpoint}/compute/v1/${path}`;
    return parseFirewallAnswer(await askGoogle({ url, accessToken, signal }));
  } catch (error) {
    if (error instanceof MeshjoinError) throw error;
    throw fromGoogleError(error, {
      attempt: `read the firewall rules of network ${networkName(network)}`,
      permission,
      resource: `project ${network.project}`,
      fields: { network: networkName(network) },
    });
  }
}

import type { VpcRef } from "../core/cluster.ts";
import { networkName } from "../core/names.ts";
import { MeshjoinError } from "../errors.ts";
import type { Firewalls } from "../ports.ts";
import { type FirewallAnswer, parseFirewallAnswer, toEffective } from "./compute-answer.ts";
import { fromGoogleError, GRPC, property } from "./google-client.ts";

export interface ComputeOptions {
  /** Instead of `https://compute.googleapis.com`. */
  readonly endpoint?: string;
  readonly accessToken: () => Promise<string>;
}

const ENDPOINT = "https://compute.googleapis.com";
const TIMEOUT_MS = 20_000;

/** The Compute API's `getEffectiveFirewalls`: two GETs need no client library. */
export function computeFirewalls(options: ComputeOptions): Firewalls {
  return {
    async effective(network, regions, signal) {
      const { project, name } = network;
      const resource = `projects/${project}/global/networks/${name}`;
      const ask = (path: string, permission: string) =>
        read(options, { network, path, permission: `compute.networks.${permission}`, signal });
      const [whole, ...regional] = await Promise.all([
        ask(`${resource}/getEffectiveFirewalls`, "getEffectiveFirewalls"),
        ...regions.map((region) => {
          const query = new URLSearchParams({ network: `${ENDPOINT}/compute/v1/${resource}` });
          const path = `projects/${project}/regions/${region}/firewallPolicies/getEffectiveFirewalls?${query}`;
          return ask(path, "getRegionEffectiveFirewalls");
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

async function read(options: ComputeOptions, question: Question): Promise<FirewallAnswer> {
  const { network, permission } = question;
  try {
    return parseFirewallAnswer(await get(options, question));
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

async function get(
  { endpoint = ENDPOINT, accessToken }: ComputeOptions,
  question: Question,
): Promise<unknown> {
  const { path, signal } = question;
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    signal?.throwIfAborted();
    const response = await fetch(`${endpoint}/compute/v1/${path}`, {
      headers: { authorization: `Bearer ${await accessToken()}` },
      // The token is for this address alone.
      redirect: "error",
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    const body: unknown = await response.json().catch(() => undefined);
    if (response.ok) return body;
    throw refusal(response.status, body);
  } catch (error) {
    if (signal?.aborted === true) throw grpcError(GRPC.cancelled, "the call was cancelled");
    if (timeout.aborted) throw grpcError(GRPC.deadlineExceeded, "no answer in time");
    throw error;
  }
}

/** https://cloud.google.com/apis/design/errors#handling_errors */
const CODES: Readonly<Record<number, number>> = {
  400: GRPC.invalidArgument,
  401: GRPC.unauthenticated,
  403: GRPC.permissionDenied,
  404: GRPC.notFound,
  429: GRPC.resourceExhausted,
  501: GRPC.unimplemented,
};

function refusal(status: number, body: unknown): Error {
  const error = property(body, "error");
  const message = property(error, "message");
  const details = property(error, "details");
  const reasons = Array.isArray(details) ? details.map((detail) => property(detail, "reason")) : [];
  const text = typeof message === "string" ? message : `HTTP status ${status}`;
  const disabled = reasons.includes("SERVICE_DISABLED") ? { reason: "SERVICE_DISABLED" } : {};
  return grpcError(CODES[status] ?? GRPC.unavailable, text, disabled);
}

/** As Google's clients throw them. */
function grpcError(code: number, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { code, ...more });
}

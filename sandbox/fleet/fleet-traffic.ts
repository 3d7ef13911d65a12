import { readFile } from "node:fs/promises";
import { UnavailableError } from "../../shared/errors.ts";
import { parsePin } from "../../shared/istio/pin.ts";
import { ensureTrafficBinaries } from "../binaries/traffic.ts";
import type { ProxyNetwork } from "../cluster/proxies.ts";
import type { TrafficSupport } from "../cluster/traffic-support.ts";
import { hostAddress } from "../os/host-address.ts";
import { ownLoopback } from "../os/own-loopback.ts";
import type { FleetProxy } from "./fleet-file.ts";
import { canTellPodsApart, type Vpc } from "./vpc.ts";

/** What has to be there before the first cluster starts. */
export interface TrafficBasis extends TrafficSupport {
  /** From now on pods have this network. */
  readonly connect: (network: ProxyNetwork) => void;
  /** Whether connections show which pod has opened them; otherwise no firewall can be asked. */
  readonly tellsPodsApart: boolean;
}

/** What a fleet gives to its sidecars. */
export interface FleetTraffic extends TrafficBasis {
  /** For their files; emptied when a fleet starts. */
  readonly dir: string;
  /** `127.0.0.1:PORT` of the istiod that runs now; undefined where none does. */
  xdsAddress(clusterId: string): string | undefined;
  /** Of clients that send requests, by cluster ID. */
  readonly proxies: Map<string, readonly FleetProxy[]>;
  /** Between the sidecars; undefined where it cannot tell them apart, and each reaches each. */
  readonly vpc: Vpc | undefined;
}

/** Where nothing listens at a load balancer's address. */
const LOOPBACK = "127.65";
const PIN = new URL("../../shared/istio/pin.json", import.meta.url);

export async function prepareTraffic(progress: (line: string) => void): Promise<TrafficBasis> {
  const address = hostAddress();
  if (address === undefined) {
    throw new UnavailableError(
      "traffic needs an IPv4 address that is not loopback, because Kubernetes refuses endpoints on loopback",
      { code: "NoHostAddress", cure: "connect this machine to a network" },
    );
  }
  const { release } = parsePin(await readFile(PIN, "utf8"));
  const tellsPodsApart = await canTellPodsApart(address);
  if (!tellsPodsApart) {
    progress(
      "this machine does not have every address 127.a.b.c, so no connection shows which pod has opened it: the sandbox does " +
        "not enforce the firewall's rules, and requests pass that a VPC might drop",
    );
  }
  const binaries = await ensureTrafficBinaries(progress, release);
  let network: ProxyNetwork | undefined;
  return {
    hostAddress: address,
    tellsPodsApart,
    balancers: tellsPodsApart ? await ownLoopback() : LOOPBACK,
    binaries,
    network: () => network,
    connect(made) {
      network = made;
    },
  };
}

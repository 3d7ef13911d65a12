import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../../shared/core/names.ts";
import type { Clock } from "../../../shared/ports/clock.ts";
import type { Fleet } from "../../../shared/ports/fleet.ts";
import type { MemberApi } from "../../../shared/ports/member-api.ts";
import { type FakeApiServer, fakeApiServer } from "./member-api/api-server.ts";
import { type ProcessFaults, processFaults } from "./member-api/faults.ts";
import type { Reach } from "./member-api/istiod.ts";

/** Every cluster's API server, and the network between them. It outlives the processes that work on it. */
export interface FakeFleet {
  /**
   * A new API server behind all endpoints of this cluster; GKE's ID tells it from an earlier one of its name.
   */
  add(cluster: Cluster): FakeApiServer;
  /** Fails on a cluster that was never added. */
  server(cluster: Cluster): FakeApiServer;
  /** From now on no pod of another cluster reaches it. */
  cutOff(cluster: Cluster): void;
  /** Port-forwards of all clusters: how many are open, and the most that ever were. */
  readonly portForwards: { readonly open: number; readonly most: number };
  /** The fleet as one process sees it; its faults end with it. */
  process(faults?: ProcessFaults): Fleet;
}

export function fakeFleet(clock: Clock): FakeFleet {
  const servers = new Map<string, { readonly cluster: Cluster; readonly server: FakeApiServer }>();

  const unreachable = new Set<Cluster>();
  const portForwards = { open: 0, most: 0 };
  const onPortForward = (change: 1 | -1) => {
    portForwards.open += change;
    portForwards.most = Math.max(portForwards.most, portForwards.open);
  };

  const reach: Reach = ({ server: address, caData, token }) => {
    for (const { cluster, server: target } of servers.values()) {
      const { dns, private: inner, public: open } = cluster.endpoints;
      const endpoint = [dns, inner, open].find((each) => each?.server === address);
      if (endpoint === undefined || endpoint.caData !== caData || unreachable.has(cluster)) continue;
      if (endpoint === dns && !dns.allowsKubernetesTokens) continue;
      if (target.faults.unreachable) return "silent";
      return target.accepts(token) ? "open" : "refused";
    }
    return "refused";
  };

  const storeOf = (id: string) =>
    [...servers.values()].findLast(({ cluster }) => clusterId(cluster.ref) === id)?.server.store;

  function serverOf(cluster: Cluster): FakeApiServer {
    const found = servers.get(cluster.id)?.server;
    if (found === undefined) throw new TypeError(`no API server for ${cluster.ref.name}; add it first`);
    return found;
  }

  return {
    add(cluster) {
      const made = fakeApiServer({ name: clusterId(cluster.ref), clock, reach, storeOf, onPortForward });
      servers.set(cluster.id, { cluster, server: made });
      return made;
    },
    server: serverOf,
    cutOff: (cluster) => void unreachable.add(cluster),
    portForwards,
    process(faults = processFaults()) {
      const members = new Map<string, MemberApi>();
      return {
        member(cluster) {
          const known = members.get(cluster.id) ?? serverOf(cluster).memberApi(faults);
          members.set(cluster.id, known);
          return known;
        },
        close: () => Promise.resolve(),
      };
    },
  };
}

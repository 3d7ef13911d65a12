import pLimit from "p-limit";
import type { Fleet } from "../ports/fleet.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { portForwardPool } from "./port-forward-pool.ts";

export interface FleetLimits {
  /** Requests to all API servers that are under way at the same time. A watch is none of them: it only waits. */
  readonly requests: number;
  /** Port-forwards to istiods that are open at the same time. */
  readonly portForwards: number;
}

/** The same fleet, which never has more under way at once than that, however much is asked of it. */
export function limitedFleet(fleet: Fleet, limits: FleetLimits): Fleet {
  const request = pLimit(limits.requests);
  const pool = portForwardPool(limits.portForwards);
  const members = new Map<MemberApi, MemberApi>();

  function limited(api: MemberApi): MemberApi {
    const { reader, writer, tokens, access, istiod } = api;
    return {
      reader: {
        get: (...given) => request(() => reader.get(...given)),
        list: (...given) => request(() => reader.list(...given)),
        until: (...given) => reader.until(...given),
      },
      writer: {
        create: (...given) => request(() => writer.create(...given)),
        replace: (...given) => request(() => writer.replace(...given)),
        apply: (...given) => request(() => writer.apply(...given)),
        delete: (...given) => request(() => writer.delete(...given)),
      },
      tokens: {
        request: (...given) => request(() => tokens.request(...given)),
        isAccepted: (...given) => request(() => tokens.isAccepted(...given)),
      },
      access: {
        isAllowed: (...given) => request(() => access.isAllowed(...given)),
        serverTime: (...given) => request(() => access.serverTime(...given)),
      },
      istiod: pool.of(istiod),
    };
  }

  return {
    member(cluster) {
      const api = fleet.member(cluster);
      const known = members.get(api) ?? limited(api);
      members.set(api, known);
      return known;
    },
    async close() {
      pool.close();
      await fleet.close();
    },
  };
}

import pLimit from "p-limit";
import type { Fleet } from "../ports/fleet.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { portForwardPool } from "./port-forward-pool.ts";

export interface FleetLimits {
  /** Requests in flight at the same time, to all API servers. Watches do not count: they only wait. */
  readonly requests: number;
  /** Port-forwards to istiods and probes that are open at the same time. */
  readonly portForwards: number;
}

/** The same fleet within these limits; requests beyond them wait. */
export function limitedFleet(fleet: Fleet, limits: FleetLimits): Fleet {
  const request = pLimit(limits.requests);
  const pool = portForwardPool(limits.portForwards);
  const members = new Map<MemberApi, MemberApi>();

  function limited(api: MemberApi): MemberApi {
    const { reader, writer, tokens, access, istiod, probe } = api;
    return {
      reader: {
        get: (...args) => request(() => reader.get(...args)),
        list: (...args) => request(() => reader.list(...args)),
        until: (...args) => reader.until(...args),
      },
      writer: {
        create: (...args) => request(() => writer.create(...args)),
        replace: (...args) => request(() => writer.replace(...args)),
        apply: (...args) => request(() => writer.apply(...args)),
        delete: (...args) => request(() => writer.delete(...args)),
      },
      tokens: {
        request: (...args) => request(() => tokens.request(...args)),
        isAccepted: (...args) => request(() => tokens.isAccepted(...args)),
      },
      access: {
        isAllowed: (...args) => request(() => access.isAllowed(...args)),
        userName: (...args) => request(() => access.userName(...args)),
        serverTime: (...args) => request(() => access.serverTime(...args)),
      },
      istiod: pool.of(istiod),
      probe: pool.ofProbe(probe),
    };
  }

  return {
    member(cluster) {
      const api = fleet.member(cluster);
      const member = members.get(api) ?? limited(api);
      members.set(api, member);
      return member;
    },
    async close() {
      pool.close();
      await fleet.close();
    },
  };
}

import type { Cluster } from "../core/cluster/cluster.ts";
import { functionEndpoint } from "../core/cluster/endpoints.ts";
import { clusterId } from "../core/names.ts";
import type { Access } from "../core/spec.ts";
import { RefusedError } from "../errors.ts";
import type { Fleet } from "../ports/fleet.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { accessReview } from "./member-api/access.ts";
import { type AccessToken, type ApiConnection, connect } from "./member-api/connection.ts";
import { istiodProbe } from "./member-api/istiod.ts";
import { objectReader, objectWriter } from "./member-api/objects.ts";
import { sidecarProbe } from "./member-api/probe.ts";
import { readerTokens } from "./member-api/tokens.ts";

export interface FleetOptions {
  readonly access: Access;
  /** The credential with which Meshjoin calls a member's API server. */
  readonly credentialOf: (cluster: Cluster) => AccessToken;
}

/** The members' API servers, with one connection pool each while the fleet is open. */
export function kubernetesFleet({ access, credentialOf }: FleetOptions): Fleet {
  const connections: ApiConnection[] = [];
  const members = new Map<string, MemberApi>();

  function open(cluster: Cluster): MemberApi {
    const id = clusterId(cluster.ref);
    const choice = functionEndpoint(cluster, access, id);
    if ("finding" in choice) {
      const { message, cure } = choice.finding;
      throw new RefusedError(message, {
        code: "EndpointNotAvailable",
        cure,
        fields: { clusterId: id },
      });
    }
    const api = connect(choice.endpoint, credentialOf(cluster), { clusterId: id });
    connections.push(api);
    return {
      reader: objectReader(api),
      writer: objectWriter(api),
      tokens: readerTokens(api),
      istiod: istiodProbe(api, { clusterId: id }),
      probe: sidecarProbe(api, { clusterId: id }),
      access: accessReview(api),
    };
  }

  return {
    member(cluster) {
      const key = `${cluster.id} ${clusterId(cluster.ref)}`;
      const member = members.get(key) ?? open(cluster);
      members.set(key, member);
      return member;
    },
    async close() {
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}

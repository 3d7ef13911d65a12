import { startFaultProxy } from "../../sandbox/cluster/fault-proxy.ts";
import { kubernetesFleet } from "../../shared/adapters/fleet.ts";
import { connect } from "../../shared/adapters/member-api/connection.ts";
import { aCluster } from "../support/builders/cluster.ts";
import { fakeApiServer } from "../support/fakes/member-api/api-server.ts";
import { loopbackIdentity } from "../support/fakes/member-api/http/identity.ts";
import { httpApiServer } from "../support/fakes/member-api/http/server.ts";
import { usageMeter } from "../support/fakes/member-api/http/usage.ts";
import { appliesAs } from "./applies-as.ts";
import { describeMemberApi, type MemberWorld } from "./member-api.contract.ts";

const RIGHTS = new Map([
  ["owner", "everything"],
  ["stranger", "nothing"],
] as const);

/** What the bench measures against: the fake behind HTTP, met by the adapter of production. */
async function startWorld(): Promise<MemberWorld> {
  const identity = await loopbackIdentity();
  const server = await httpApiServer({
    server: fakeApiServer({ name: "east", clock: { now: () => new Date() }, reach: () => "refused" }),
    identity,
    authorize: async (token) => RIGHTS.get(token === "owner" ? "owner" : "stranger"),
    usage: usageMeter(),
  });
  const proxy = await startFaultProxy(server.port, identity);
  const caData = Buffer.from(identity.cert).toString("base64");
  const endpoint = { kind: "public", server: `https://127.0.0.1:${proxy.port}`, caData } as const;
  const cluster = aCluster({ endpoints: { public: endpoint } });
  const fleet = kubernetesFleet({ access: "public", credentialOf: () => async () => "owner" });
  const strangers = kubernetesFleet({ access: "public", credentialOf: () => async () => "stranger" });
  const others = connect(endpoint, async () => "owner", {});
  return {
    api: fleet.member(cluster),
    stranger: strangers.member(cluster),
    interrupt() {
      proxy.setFault({ kind: "refuse" });
      proxy.setFault(undefined);
    },
    applyAs: appliesAs(others),
    async close() {
      await others.close();
      await fleet.close();
      await strangers.close();
      await proxy.stop();
      await server.close();
    },
  };
}

describeMemberApi("the fake behind HTTP", startWorld);

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBinaries } from "../../sandbox/binaries/build.ts";
import { startCluster } from "../../sandbox/cluster/running-cluster.ts";
import { startTokenReview } from "../../sandbox/google/identity/token-review.ts";
import { createTokenRegistry } from "../../sandbox/google/identity/tokens.ts";
import { kubernetesFleet } from "../../shared/adapters/fleet.ts";
import { connect } from "../../shared/adapters/member-api/connection.ts";
import pin from "../../shared/istio/pin.json" with { type: "json" };
import { aCluster } from "../support/builders/cluster.ts";
import { fakeClock } from "../support/fakes/clock.ts";
import { fakeFleet } from "../support/fakes/fleet.ts";
import { VERBS } from "../support/fakes/member-api/requests.ts";
import { appliesAs } from "./applies-as.ts";
import { describeMemberApi, type MemberWorld } from "./member-api.contract.ts";

const CALLER = "reconciler@shop.iam.gserviceaccount.com";

/** A real kube-apiserver with etcd and controllers, and Meshjoin as a Google service account. */
async function startWorld(): Promise<MemberWorld> {
  const dir = await mkdtemp(join(tmpdir(), "meshjoin-member-api-"));
  const tokens = createTokenRegistry();
  const review = await startTokenReview(tokens);
  const plane = await startCluster({
    name: "east",
    dir,
    logDir: join(dir, "logs"),
    binaries: await ensureBinaries(() => undefined, pin.release),
    tokenReviewUrl: review.url,
    adminUsers: [CALLER],
    registry: { refusal: () => undefined },
    podCidrIndex: 90,
  });
  const caData = Buffer.from(plane.caPem).toString("base64");
  const endpoint = { kind: "public", server: plane.server, caData } as const;
  const accessToken = () => Promise.resolve(tokens.issue(CALLER));
  const fleet = kubernetesFleet({ access: "public", credentialOf: () => accessToken });
  const strangers = kubernetesFleet({
    access: "public",
    credentialOf: () => () => Promise.resolve(tokens.issue("stranger@shop.iam.gserviceaccount.com")),
  });
  const others = connect(endpoint, accessToken, {});
  return {
    api: fleet.member(aCluster({ endpoints: { public: endpoint } })),
    stranger: strangers.member(aCluster({ endpoints: { public: endpoint } })),
    interrupt() {
      plane.proxy.setFault({ kind: "refuse" });
      plane.proxy.setFault(undefined);
    },
    applyAs: appliesAs(others),
    async close() {
      await others.close();
      await fleet.close();
      await strangers.close();
      await plane.stop();
      await review.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

describeMemberApi("the fake", async () => {
  const cluster = aCluster();
  const fleet = fakeFleet(fakeClock());
  const { store } = fleet.add(cluster);
  const other = aCluster({ name: "other" });
  fleet.add(other).faults.forbidden = VERBS;
  return {
    api: fleet.process().member(cluster),
    stranger: fleet.process().member(other),
    // Its watches are no connections.
    interrupt: () => undefined,
    async applyAs(manager, object) {
      store.apply(object, { force: true, manager });
    },
    close: () => Promise.resolve(),
  };
});

describeMemberApi("the Kubernetes API", startWorld);

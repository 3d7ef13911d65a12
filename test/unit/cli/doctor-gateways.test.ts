import { describe, expect, it } from "@jest/globals";
import type { Check, Diagnosis } from "../../../shared/core/answers/check.ts";
import type { FirewallRule } from "../../../shared/core/firewall/firewall.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { aCluster, allEndpoints } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { call } from "./host.ts";

const EAST_VPC = { project: "shop", name: "default" };
const WEST_VPC = { project: "shop", name: "dmz" };
const EAST = aCluster({ name: "east", podRanges: { cidrs: ["10.4.0.0/14"], namesOnly: [] } });
const WEST = aCluster({
  name: "west",
  network: WEST_VPC,
  podRanges: { cidrs: ["10.20.0.0/14"], namesOnly: [] },
});
const SPEC = { connectedNetworks: [["shop.default", "shop.dmz"]] };

function aRule(seed: Partial<FirewallRule> = {}): FirewallRule {
  return {
    name: "k8s2-gateway",
    direction: "INGRESS",
    action: "allow",
    priority: 1000,
    tcp: ["15021", "15443"],
    sourceRanges: ["0.0.0.0/0"],
    destinationRanges: [],
    byName: false,
    ...seed,
  };
}

async function joined(): Promise<FakeMesh> {
  const mesh = await aMesh({ clusters: [EAST, WEST], spec: SPEC });
  for (const cluster of mesh.clusters) await mesh.join(cluster);
  mesh.firewalls.clear();
  for (const vpc of [EAST_VPC, WEST_VPC]) mesh.firewalls.put(vpc, aRule());
  return mesh;
}

async function firewallChecks(mesh: FakeMesh): Promise<readonly Check[]> {
  const { out } = await call(mesh, "doctor -o json");
  const { checks }: Diagnosis = JSON.parse(out);
  return checks.filter(({ name }) => name === "firewall");
}

describe("doctor, of internal gateways between connected networks,", () => {
  it("finds them open where GKE made a rule for the port, for any address or for that of the gateway", async () => {
    const mesh = await joined();
    const fine = [{ state: "ok", message: "rules let pods reach the internal gateways of 2 networks" }];
    expect(await firewallChecks(mesh)).toMatchObject(fine);
  });

  it("finds a network where no rule lets pods of the other reach the port, and gives the rule", async () => {
    const mesh = await joined();
    mesh.firewalls.clear();
    mesh.firewalls.put(EAST_VPC, aRule());
    mesh.firewalls.put(WEST_VPC, aRule({ tcp: ["443", "16000-17000"] }));
    expect(await firewallChecks(mesh)).toMatchObject([
      {
        state: "fault",
        clusterId: clusterId(WEST.ref),
        message: expect.stringContaining("no rule allows them"),
        cure: "gcloud compute firewall-rules create meshjoin-gateway-east --project=shop --network=dmz --direction=INGRESS --source-ranges=10.4.0.0/14 --allow=tcp:15443",
      },
    ]);
  });

  it("finds a rule that lets no pod out to the other network's gateway", async () => {
    const mesh = await joined();
    const deny = { direction: "EGRESS", action: "deny", priority: 900, tcp: "all" } as const;
    mesh.firewalls.put(
      EAST_VPC,
      aRule({ ...deny, name: "nothing-out", sourceRanges: [], destinationRanges: ["0.0.0.0/0"] }),
    );
    expect(await firewallChecks(mesh)).toMatchObject([
      {
        state: "fault",
        message: expect.stringContaining("rule nothing-out denies them"),
        cure: expect.stringMatching(/--network=default --direction=EGRESS --destination-ranges=[\d.]+\/32/),
      },
    ]);
  });

  it("does not know it where a policy may decide, or where the rules may not be read", async () => {
    const mesh = await joined();
    mesh.firewalls.putPolicy(WEST_VPC, { name: "policy acme, priority 1", direction: "INGRESS" });
    expect(await firewallChecks(mesh)).toMatchObject([
      { state: "unknown", clusterId: clusterId(WEST.ref), message: expect.stringContaining("policy acme") },
    ]);
    mesh.firewalls.refuse("shop");
    expect((await firewallChecks(mesh)).map(({ state }) => state)).toEqual(["unknown", "unknown"]);
  });

  it("looks at none that is not declared to be reached, or is on the internet", async () => {
    const mesh = await aMesh({ clusters: [EAST, WEST], spec: { gatewayExposure: "external" } });
    for (const cluster of mesh.clusters) await mesh.join(cluster);
    mesh.firewalls.clear();
    expect(await firewallChecks(mesh)).toEqual([]);
  });

  it("does not know whether another network reaches a private endpoint, until its istiod has synced it", async () => {
    const { private: inner } = allEndpoints("west");
    const clusters = [EAST, { ...WEST, endpoints: { private: inner! } }];
    const mesh = await aMesh({ clusters, spec: SPEC });
    const networkChecks = async () => {
      const { checks }: Diagnosis = JSON.parse((await call(mesh, "doctor -o json")).out);
      return checks.filter(({ name }) => name === "network");
    };
    const open = {
      state: "unknown",
      clusterId: clusterId(EAST.ref),
      message: expect.stringContaining(`reaches the private endpoints of ${clusterId(WEST.ref)}`),
    };
    expect(await networkChecks()).toMatchObject([{ state: "ok" }, open]);
    for (const cluster of mesh.clusters) await mesh.join(cluster);
    await mesh.reconcile("mesh");
    expect(await networkChecks()).toMatchObject([
      { state: "ok" },
      { state: "ok", message: expect.stringContaining(`have synced ${clusterId(WEST.ref)}`) },
    ]);
    mesh.servers[0]!.faults.unreachable = true;
    expect(await networkChecks()).toMatchObject([
      { state: "ok" },
      { state: "unknown", clusterId: clusterId(EAST.ref) },
    ]);
  });
});

import { describe, expect, it } from "@jest/globals";
import { startCompute } from "../../../../sandbox/google/compute/api.ts";
import { createPodFirewall, type VpcBalancer } from "../../../../sandbox/google/compute/pod-firewall.ts";
import type { Fault } from "../../../../sandbox/google/faults/faults.ts";
import type { GkeBackend } from "../../../../sandbox/google/gke/api.ts";
import type { ClusterRecord } from "../../../../sandbox/google/gke/cluster.ts";
import { withFirewallRules } from "../../../../sandbox/google/gke/firewall.ts";
import { clusterId } from "../../../../shared/core/names.ts";
import { aGround, PROJECT } from "./stand-ins.ts";

const backend: GkeBackend = {
  create: async () => ({ endpoint: "127.0.0.1:6443", caPem: "a CA", kubernetesVersion: "1.36.3" }),
  setWorkloadPolicy: async () => undefined,
  remove: async () => undefined,
};
const ALLOWED = [{ IPProtocol: "tcp" }];
const PORT = 8080;

function aRecord(index: number, stated: Record<string, unknown> = {}): ClusterRecord {
  const name = `c${index}`;
  return {
    ref: { project: PROJECT.id, location: "europe-west1", name },
    id: String(index).repeat(64),
    createTime: "",
    request: { name, resourceLabels: {}, stated },
    givenPodRange: `10.${index}.0.0/17`,
    serviceRange: "34.118.224.0/20",
    status: "RUNNING",
    labels: {},
  };
}

/** Two clusters in one network and a third in another, each with the rule that GKE makes. */
async function aVpc() {
  const clusters = [aRecord(1), aRecord(2), aRecord(3, { network: "other" })];
  const faults: Fault[] = [];
  const compute = await startCompute({ ...aGround(), networks: () => ["other"] });
  const gke = withFirewallRules({ backend, clusters: () => clusters, compute: () => compute });
  for (const { ref } of clusters)
    await gke.create(ref, { serviceRange: "34.118.224.0/20", gatewayApi: true });
  const firewall = createPodFirewall({
    clusters: () => clusters,
    rules: (project, network) => compute.rules(project, network),
    faults: () => faults,
  });
  const aPod = (index: number) => {
    const id = clusterId({ project: PROJECT.id, location: "europe-west1", name: `c${index}` });
    return { clusterId: id, address: firewall.newAddress(id) };
  };
  const lets = (from: number, to: number) => firewall.lets(aPod(from), aPod(to), PORT);
  const create = (rule: object) => compute.create(PROJECT.id, { allowed: ALLOWED, ...rule });
  return { clusters, compute, gke, faults, firewall, aPod, lets, create };
}

describe("the firewall between pods of the sandbox", () => {
  it("lets pods of one cluster reach each other by GKE's own rule, and no others", async () => {
    const { compute, lets } = await aVpc();
    expect([lets(1, 1), lets(2, 2), lets(1, 2), lets(2, 1)]).toEqual([true, true, false, false]);
    await compute.close();
  });

  it("denies them even that by a rule of a lower number", async () => {
    const { compute, create, lets } = await aVpc();
    const all = [{ IPProtocol: "all" }];
    create({ name: "none", allowed: [], denied: all, priority: 999, sourceRanges: ["10.1.0.0/17"] });
    expect([lets(1, 1), lets(2, 2)]).toEqual([false, true]);
    await compute.close();
  });

  it("lets pods of two clusters through by a rule of the source's range", async () => {
    const { compute, create, lets } = await aVpc();
    create({ name: "pods", sourceRanges: ["10.1.0.0/17"] });
    expect([lets(1, 2), lets(2, 1)]).toEqual([true, false]);
    await compute.close();
  });

  it("never lets pods of two networks through, whatever the rules of both say", async () => {
    const { compute, create, lets } = await aVpc();
    create({ name: "here", sourceRanges: ["0.0.0.0/0"] });
    create({ name: "there", sourceRanges: ["0.0.0.0/0"], network: "global/networks/other" });
    expect([lets(1, 2), lets(1, 3), lets(3, 1), lets(3, 3)]).toEqual([true, false, false, true]);
    await compute.close();
  });

  it.each([
    [
      "one pair, in one direction",
      { from: "cn-shop-europe-west1-c1", to: "cn-shop-europe-west1-c2" },
      [1, 2],
    ],
    ["all of a network to a cluster", { from: "default", to: "cn-shop-europe-west1-c1" }, [1, 1], [2, 1]],
  ])("a fault drops the connections of %s", async (_, places, ...dropped) => {
    const { compute, create, faults, lets } = await aVpc();
    create({ name: "pods", sourceRanges: ["10.0.0.0/9"] });
    faults.push({ target: "firewall", kind: "firewall", ...places });
    const pairs: [number, number][] = [
      [1, 1],
      [1, 2],
      [2, 1],
      [2, 2],
    ];
    expect(pairs.filter(([from, to]) => !lets(from, to))).toEqual(dropped);
    await compute.close();
  });

  it("lets nothing reach a cluster that is gone, whose rule goes with it", async () => {
    const { clusters, compute, gke, firewall, aPod } = await aVpc();
    const [pod, other] = [aPod(2), aPod(2)];
    const ref = { project: PROJECT.id, location: "europe-west1", name: "c2" };
    await gke.remove(ref);
    expect(compute.rules(PROJECT.id, "default").map(({ name }) => name)).toEqual(["gke-c1-11111111-all"]);
    clusters.splice(1, 1);
    expect(firewall.lets(pod, other, PORT)).toBe(false);
    await compute.close();
  });

  it("gives each pod an address of its cluster's range", async () => {
    const { compute, aPod } = await aVpc();
    expect([aPod(1), aPod(1), aPod(2)].map(({ address }) => address)).toEqual([
      "10.1.0.2",
      "10.1.0.3",
      "10.2.0.2",
    ]);
    await compute.close();
  });

  it.each<[string, Partial<VpcBalancer>, boolean]>([
    ["an external load balancer", {}, true],
    ["an internal one", { isInternal: true }, false],
    ["an external one for a few ranges", { sourceRanges: ["10.0.0.0/8"] }, false],
    ["an external one for all ranges", { sourceRanges: ["0.0.0.0/0"] }, true],
    ["one of a cluster that is gone", { clusterId: "cn-shop-europe-west1-gone" }, false],
  ])("to a user on the internet %s is open as it says", async (_, about, isOpen) => {
    const { compute, firewall } = await aVpc();
    const balancer = { clusterId: "cn-shop-europe-west1-c1", port: 80, isInternal: false, sourceRanges: [] };
    expect(firewall.letsToBalancer(undefined, { ...balancer, ...about })).toBe(isOpen);
    await compute.close();
  });
});

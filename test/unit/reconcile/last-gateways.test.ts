import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { annotation, clusterId, ISTIO_NAMESPACE, lastGatewayName } from "../../../shared/core/names.ts";
import { gatewayRef } from "../../../shared/istio/gateway.ts";
import { secretRef } from "../../../shared/istio/secrets.ts";
import { preview } from "../../../shared/preview.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { ProcessDeath, processFaults } from "../../support/fakes/member-api/faults.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { readBy } from "./raw-addresses.ts";
import { inLockstep, lastGatewaysOf, secretsOf, versionsOf, waitShortly } from "./world.ts";

const SPEC = { connectedNetworks: [["shop.default", "shop.dmz", "edge"]] };
const EAST = aCluster({ name: "east" });
const WEST = aCluster({ name: "west", network: { project: "shop", name: "dmz" } });
const WEST2 = aCluster({ name: "west2", network: { project: "shop", name: "dmz" } });

async function joined(...clusters: readonly Cluster[]): Promise<FakeMesh> {
  const mesh = await aMesh({ clusters, spec: SPEC });
  for (const cluster of clusters) await mesh.join(cluster);
  return mesh;
}

const idOf = ({ ref }: Cluster) => clusterId(ref);
const NAME = lastGatewayName(idOf(WEST));
const reasons = (findings: readonly { readonly reason: string }[]) => findings.map(({ reason }) => reason);

function addressOf(mesh: FakeMesh, cluster: Cluster): string {
  const { store } = mesh.fleet.server(cluster);
  const ref = {
    apiVersion: "v1",
    kind: "Service",
    namespace: ISTIO_NAMESPACE,
    name: "meshjoin-eastwest-istio",
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 Service
  const status = store.get(ref)?.["status"] as { loadBalancer: { ingress: readonly { ip: string }[] } };
  return status.loadBalancer.ingress[0]!.ip;
}

function noteOf(mesh: FakeMesh, reader: Cluster, target: Cluster): string | undefined {
  const secrets = secretsOf(mesh, reader);
  const secret = secrets.find(({ metadata }) => metadata.name === `istio-remote-secret-${idOf(target)}`);
  const [network, addresses, uid] =
    secret?.metadata.annotations?.[annotation("last-gateway")]?.split(" ") ?? [];
  if (network === undefined) return undefined;
  expect(uid).toBe(secret?.metadata.uid);
  return `${network} ${addresses}`;
}

/** Of the western cluster, in the eastern one. */
const heldAt = (address: string) => [`${NAME}: shop.dmz ${address}`];

afterEach(() => {
  jest.restoreAllMocks();
});

describe("the last known address of a gateway", () => {
  it("is in each reader of another network as soon as the pair is made, with a note of it", async () => {
    const mesh = await joined(EAST, WEST);
    expect(lastGatewaysOf(mesh, EAST)).toEqual(heldAt(addressOf(mesh, WEST)));
    expect(noteOf(mesh, EAST, WEST)).toBe(`shop.dmz ${addressOf(mesh, WEST)}`);
    expect(lastGatewaysOf(mesh, WEST)).toEqual([
      `${lastGatewayName(idOf(EAST))}: shop.default ${addressOf(mesh, EAST)}`,
    ]);
  });

  it("is in no reader of the same network", async () => {
    const mesh = await joined(EAST, aCluster({ name: "near" }));
    expect(mesh.clusters.flatMap((cluster) => lastGatewaysOf(mesh, cluster))).toEqual([]);
  });

  it("comes before the gateway is up into no reader", async () => {
    waitShortly();
    const mesh = await aMesh({ clusters: [EAST], spec: SPEC });
    await mesh.join(EAST);
    mesh.add(WEST);
    mesh.fleet.server(WEST).gateways.isServing = false;
    await mesh.join(WEST);
    expect([readBy(mesh, EAST), lastGatewaysOf(mesh, EAST)]).toEqual([[], []]);
  });

  it("stays while the gateway is deleted, and follows it to another address in the run that sees it", async () => {
    const mesh = await joined(EAST, WEST);
    const server = mesh.fleet.server(WEST);
    const before = addressOf(mesh, WEST);
    server.gateways.address = "192.0.2.77";
    server.store.delete(gatewayRef("meshjoin-eastwest"));
    expect(lastGatewaysOf(mesh, EAST)).toEqual(heldAt(before));
    const { summary } = await mesh.reconcile("mesh");
    expect(reasons(summary.findings)).toContain("LastGatewayOutdated");
    expect(lastGatewaysOf(mesh, EAST)).toEqual(heldAt("192.0.2.77"));
    expect(noteOf(mesh, EAST, WEST)).toBe("shop.dmz 192.0.2.77");
    expect((await mesh.reconcile("mesh")).summary.outcome).toBe("unchanged");
  });

  it("stays while the target does not answer", async () => {
    const mesh = await joined(EAST, WEST);
    const before = lastGatewaysOf(mesh, EAST);
    mesh.fleet.server(WEST).faults.unreachable = true;
    await mesh.reconcile("mesh", { deep: true });
    expect(lastGatewaysOf(mesh, EAST)).toEqual(before);
  });

  it("goes with a remote secret that is withdrawn, and comes back with it", async () => {
    waitShortly();
    const mesh = await joined(EAST, WEST);
    const server = mesh.fleet.server(WEST);
    server.gateways.isServing = false;
    server.settleGateways();
    await mesh.reconcile("mesh");
    expect([readBy(mesh, EAST), lastGatewaysOf(mesh, EAST)]).toEqual([[], []]);
    server.gateways.isServing = true;
    server.settleGateways();
    await mesh.reconcile("mesh");
    expect(lastGatewaysOf(mesh, EAST)).toEqual(heldAt(addressOf(mesh, WEST)));
  });

  it("goes with a remote secret that a person deletes, and comes back with the next", async () => {
    const mesh = await joined(EAST, WEST);
    mesh.fleet.server(EAST).store.delete(secretRef(`istio-remote-secret-${idOf(WEST)}`));
    expect(lastGatewaysOf(mesh, EAST)).toEqual([]);
    await mesh.reconcile("mesh");
    expect(lastGatewaysOf(mesh, EAST)).toEqual(heldAt(addressOf(mesh, WEST)));
  });

  it("comes back where a person has put a copy in the place of the remote secret", async () => {
    const mesh = await joined(EAST, WEST);
    const { store } = mesh.fleet.server(EAST);
    const secret = store.get(secretRef(`istio-remote-secret-${idOf(WEST)}`))!;
    store.delete(secretRef(secret.metadata.name));
    const { uid: _, resourceVersion: __, ...metadata } = secret.metadata;
    store.create({ ...secret, metadata });
    expect(lastGatewaysOf(mesh, EAST)).toEqual([]);
    await mesh.reconcile("mesh");
    expect(lastGatewaysOf(mesh, EAST)).toEqual(heldAt(addressOf(mesh, WEST)));
  });

  it("goes from both sides when a cluster leaves", async () => {
    const mesh = await joined(EAST, aCluster({ name: "north" }), WEST);
    mesh.directory.put({ ...WEST, labels: {} });
    await mesh.reconcile("mesh", { leaving: [idOf(WEST)] });
    expect(mesh.clusters.flatMap((cluster) => lastGatewaysOf(mesh, cluster))).toEqual([]);
  });

  it("outlives the renewal of a token, whose note it gets back in the same run", async () => {
    const mesh = await joined(EAST, WEST);
    const before = lastGatewaysOf(mesh, EAST);
    const token = () =>
      secretsOf(mesh, EAST).find(({ metadata }) => metadata.name.startsWith("istio-remote-secret"))?.metadata
        .annotations?.[annotation("token-issued-at")];
    const issued = token();
    mesh.clock.advance(6 * 86_400_000);
    await mesh.reconcile("mesh");
    expect(token()).not.toBe(issued);
    expect(lastGatewaysOf(mesh, EAST)).toEqual(before);
    expect(noteOf(mesh, EAST, WEST)).toBe(`shop.dmz ${addressOf(mesh, WEST)}`);
  });

  it("goes when a second member of the network comes, in the run that makes its pairs", async () => {
    const mesh = await joined(EAST, WEST);
    mesh.add(WEST2);
    await mesh.join(WEST2);
    expect(readBy(mesh, EAST)).toEqual([idOf(WEST), idOf(WEST2)]);
    expect([lastGatewaysOf(mesh, EAST), noteOf(mesh, EAST, WEST)]).toEqual([[], undefined]);
    expect(lastGatewaysOf(mesh, WEST)).toHaveLength(1);
  });

  it("is not of a gateway that a person has made", async () => {
    const mesh = await joined(EAST, WEST);
    const { store } = mesh.fleet.server(WEST);
    const mine = {
      apiVersion: "v1",
      kind: "Service",
      metadata: {
        name: "mine",
        namespace: ISTIO_NAMESPACE,
        labels: { "topology.istio.io/network": "shop.dmz" },
      },
      spec: { ports: [{ port: 15_443 }] },
      status: { loadBalancer: { ingress: [{ ip: "192.0.2.9" }] } },
    };
    store.write(mine, "someone");
    await mesh.reconcile("mesh");
    expect(lastGatewaysOf(mesh, EAST)).toEqual([]);
  });

  it("is in no reader that should have no gateway", async () => {
    const reader = aCluster({ name: "east", labels: { mesh_id: "prod", mesh_gateway: "none" } });
    const mesh = await joined(reader, WEST);
    expect([readBy(mesh, reader), lastGatewaysOf(mesh, reader)]).toEqual([[idOf(WEST)], []]);
  });

  it("is taken back, and made anew, by a deep run", async () => {
    const mesh = await joined(EAST, WEST);
    const { store } = mesh.fleet.server(EAST);
    const held = lastGatewaysOf(mesh, EAST);
    const gateway = store.get(gatewayRef(NAME))!;
    const elsewhere = { addresses: [{ type: "IPAddress", value: "192.0.2.66" }] };
    store.replace({ ...gateway, spec: { gatewayClassName: "istio-remote", ...elsewhere } }, "someone");
    expect(lastGatewaysOf(mesh, EAST)).not.toEqual(held);
    await mesh.reconcile("mesh", { deep: true });
    expect(lastGatewaysOf(mesh, EAST)).toEqual(held);
    store.delete(gatewayRef(NAME));
    await mesh.reconcile("mesh", { deep: true });
    expect(lastGatewaysOf(mesh, EAST)).toEqual(held);
    const before = versionsOf(mesh);
    await mesh.reconcile("mesh", { deep: true });
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("is found by a deep run where no note tells of it", async () => {
    const mesh = await joined(EAST, WEST);
    const { store } = mesh.fleet.server(EAST);
    const left = store.get(gatewayRef(NAME))!;
    mesh.add(WEST2);
    await mesh.join(WEST2);
    const { uid: _, resourceVersion: __, ...metadata } = left.metadata;
    store.create({ ...left, metadata });
    await mesh.reconcile("mesh");
    expect(lastGatewaysOf(mesh, EAST)).toHaveLength(1);
    const { summary } = await mesh.reconcile("mesh", { deep: true });
    expect([lastGatewaysOf(mesh, EAST), reasons(summary.findings)]).toEqual([[], ["LastGatewayOutdated"]]);
  });

  it("leaves a Gateway of its name alone that is not Meshjoin's", async () => {
    const mesh = await joined(EAST, WEST);
    const { store } = mesh.fleet.server(EAST);
    store.delete(gatewayRef(NAME));
    const { apiVersion, kind, name, namespace = "" } = gatewayRef(NAME);
    store.create(
      { apiVersion, kind, metadata: { name, namespace }, spec: { gatewayClassName: "other" } },
      "someone",
    );
    const { summary } = await mesh.reconcile("mesh", { deep: true });
    expect(store.get(gatewayRef(NAME))).toMatchObject({ spec: { gatewayClassName: "other" } });
    expect(summary.members.find(({ clusterId: id }) => id === idOf(EAST))).toMatchObject({
      outcome: "failed",
    });
    expect(readBy(mesh, EAST)).toEqual([idOf(WEST)]);
  });

  it("that may not be written is that reader's outcome, and no pair waits for it", async () => {
    const mesh = await joined(EAST, WEST);
    waitShortly();
    mesh.fleet.server(WEST).gateways.address = "192.0.2.77";
    mesh.fleet.server(WEST).settleGateways();
    mesh.fleet.server(EAST).faults.forbidden = ["apply Gateway"];
    const { summary } = await mesh.reconcile("mesh");
    expect(summary.members.find(({ clusterId: id }) => id === idOf(EAST))?.outcome).toBe("failed");
    expect(summary.members.find(({ clusterId: id }) => id === idOf(WEST))?.outcome).toBe("unchanged");
    expect(summary.pairs.map(({ outcome }) => outcome)).toEqual(["unchanged", "unchanged"]);
    expect(readBy(mesh, EAST)).toEqual([idOf(WEST)]);
  }, 30_000);

  it.each(["dieAfter", "loseAnswer"] as const)(
    "is there in the end, whatever write a run ends at (%s)",
    async (fault) => {
      const mesh = await joined(EAST, WEST);
      for (let k = 1; k <= 6; k += 1) {
        const address = `192.0.2.${k}`;
        mesh.fleet.server(WEST).gateways.address = address;
        mesh.fleet.server(WEST).settleGateways();
        const faults = processFaults();
        faults.onWrite(k, fault);
        await mesh.reconcile("mesh", { faults }).catch((error: unknown) => {
          if (!(error instanceof ProcessDeath)) throw error;
        });
        await mesh.reconcile("mesh");
        expect(lastGatewaysOf(mesh, EAST)).toEqual(heldAt(address));
        expect(noteOf(mesh, EAST, WEST)).toBe(`shop.dmz ${address}`);
      }
    },
  );

  it("is written by two runs at once as by one", async () => {
    const mesh = await joined(EAST, WEST);
    mesh.fleet.server(WEST).gateways.address = "192.0.2.77";
    mesh.fleet.server(WEST).settleGateways();
    inLockstep(mesh);
    const both = await Promise.all([mesh.reconcile("mesh"), mesh.reconcile("mesh")]);
    for (const { errors } of both) expect(errors).toEqual([]);
    expect(lastGatewaysOf(mesh, EAST)).toEqual(heldAt("192.0.2.77"));
    expect((await mesh.reconcile("mesh")).summary.outcome).toBe("unchanged");
  });

  it("stands in a plan", async () => {
    const mesh = await joined(EAST, WEST);
    mesh.fleet.server(WEST).gateways.address = "192.0.2.77";
    mesh.fleet.server(WEST).settleGateways();
    const { actions } = await preview(mesh.run(), { scope: "mesh", reason: "test" });
    expect(
      actions.map(({ verb, clusterId: id, object }) => `${verb} ${id} ${object.kind} ${object.name}`),
    ).toEqual([
      `update ${idOf(EAST)} Gateway ${NAME}`,
      `update ${idOf(EAST)} Secret istio-remote-secret-${idOf(WEST)}`,
    ]);
  });

  it("follows the gateway where a person has made a note of a loss no time", async () => {
    const mesh = await joined(EAST, WEST);
    const { store } = mesh.fleet.server(EAST);
    const secret = store.get(secretRef(`istio-remote-secret-${idOf(WEST)}`))!;
    const { metadata } = secret;
    const annotations = { ...metadata.annotations, [annotation("lost-since")]: "yesterday" };
    store.write({ ...secret, metadata: { ...metadata, annotations } }, "kubectl");
    mesh.fleet.server(WEST).gateways.address = "192.0.2.77";
    mesh.fleet.server(WEST).settleGateways();
    const { errors } = await mesh.reconcile("mesh");
    expect([errors, lastGatewaysOf(mesh, EAST)]).toEqual([[], heldAt("192.0.2.77")]);
    expect(noteOf(mesh, EAST, WEST)).toBe("shop.dmz 192.0.2.77");
  });

  it("and the loss of the cluster are noted side by side", async () => {
    const mesh = await joined(EAST, aCluster({ name: "north" }), WEST);
    const note = `shop.dmz ${addressOf(mesh, WEST)}`;
    const lostSince = () =>
      secretsOf(mesh, EAST).find(({ metadata }) => metadata.name === `istio-remote-secret-${idOf(WEST)}`)
        ?.metadata.annotations?.[annotation("lost-since")];
    mesh.directory.put({ ...WEST, labels: {} });
    await mesh.reconcile("mesh");
    expect([typeof lostSince(), noteOf(mesh, EAST, WEST)]).toEqual(["string", note]);
    mesh.directory.put(WEST);
    await mesh.reconcile("mesh");
    expect([lostSince(), noteOf(mesh, EAST, WEST)]).toEqual([undefined, note]);
  });
});

import { afterEach, describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId, NETWORK_LABEL } from "../../../shared/core/names.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { rawAddresses, rawAddressesFromNow, readBy } from "./raw-addresses.ts";
import { lastGatewaysOf, realGatewaysOf, versionsOf, waitShortly } from "./world.ts";

const NETWORKS = ["edge", "core"];
const SPEC = { connectedNetworks: [["shop.default", "shop.dmz", ...NETWORKS]] };
const CLUSTERS = [
  aCluster({ name: "m1" }),
  aCluster({ name: "m2" }),
  aCluster({ name: "m3", network: { project: "shop", name: "dmz" } }),
];

type Step =
  | { readonly kind: "network"; readonly of: number; readonly label: string | undefined }
  | { readonly kind: "gateway"; readonly of: number; readonly label: string | undefined }
  | { readonly kind: "serving" | "reached"; readonly of: number; readonly is: boolean }
  | { readonly kind: "restart"; readonly of: number }
  | { readonly kind: "read" | "listed"; readonly of: number; readonly is: boolean }
  | { readonly kind: "event"; readonly of: number }
  | { readonly kind: "run"; readonly confirm: readonly string[]; readonly deep: boolean };

const of = fc.nat({ max: CLUSTERS.length - 1 });
const run = fc.record({
  kind: fc.constant("run" as const),
  confirm: fc.constantFrom<string[]>([], ["NetworkChanges"], ["NetworkChanges"], ["GatewayInUse"]),
  deep: fc.boolean(),
});
const event = fc.record({ kind: fc.constant("event" as const), of });
const change = fc.oneof(
  fc.record({
    kind: fc.constant("network" as const),
    of,
    label: fc.constantFrom(undefined, ...NETWORKS),
  }),
  fc.record({
    kind: fc.constant("gateway" as const),
    of,
    label: fc.constantFrom(undefined, "internal", "external", "none"),
  }),
  fc.record({
    kind: fc.constantFrom("serving" as const, "reached" as const, "read" as const, "listed" as const),
    of,
    is: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("restart" as const), of }),
);
const steps = fc.array(fc.tuple(change, fc.oneof(run, run, event)), { minLength: 1, maxLength: 5 });

/** The run of an event finds that the one gateway which leads to two members is down. */
const CARRIER_LOST: [Exclude<Step, { kind: "run" | "event" }>, Extract<Step, { kind: "run" | "event" }>][] = [
  [
    { kind: "gateway", of: 0, label: "none" },
    { kind: "run", confirm: [], deep: false },
  ],
  [
    { kind: "serving", of: 1, is: false },
    { kind: "event", of: 1 },
  ],
];

/** The mesh, and the labels that its clusters have by now. */
interface World {
  readonly mesh: FakeMesh;
  readonly labels: Record<string, string>[];
}

async function begin(): Promise<World> {
  const mesh = await aMesh({ clusters: CLUSTERS, spec: SPEC });
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (const cluster of CLUSTERS) await mesh.join(cluster);
  for (const cluster of CLUSTERS) restart(mesh, cluster);
  return { mesh, labels: CLUSTERS.map(({ labels }) => ({ ...labels })) };
}

/** The cluster's one workload, as istiod's injector labels it now. */
function restart(mesh: FakeMesh, cluster: Cluster): void {
  const { store } = mesh.fleet.server(cluster);
  const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: "istio-system", name: "istiod" };
  const network = store.get(ref)?.metadata.annotations?.["meshjoin.dev/network"] ?? "";
  const labels = { "topology.istio.io/network": network };
  store.write(
    { apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: "shop", labels } },
    "kubelet",
  );
}

function relabel({ mesh, labels }: World, index: number, key: string, value: string | undefined): void {
  const { [key]: _, ...rest } = labels[index] ?? {};
  labels[index] = value === undefined ? rest : { ...rest, [key]: value };
  const cluster = CLUSTERS[index];
  if (cluster !== undefined) mesh.directory.put({ ...cluster, labels: labels[index] });
}

async function take(world: World, step: Step): Promise<void> {
  const { mesh } = world;
  if (step.kind === "run") {
    // So that one run finds a gateway that settles, and another one that has.
    mesh.clock.advance(mesh.spec.gatewaySettle / 2);
    await mesh.reconcile("mesh", { confirm: step.confirm, deep: step.deep });
    return;
  }
  if (step.kind === "event") {
    await mesh.join(CLUSTERS[step.of]!);
    return;
  }
  const server = mesh.fleet.server(CLUSTERS[step.of]!);
  if (step.kind === "network") relabel(world, step.of, "mesh_network", step.label);
  else if (step.kind === "gateway") relabel(world, step.of, "mesh_gateway", step.label);
  else if (step.kind === "restart") restart(mesh, CLUSTERS[step.of]!);
  else if (step.kind === "read") server.faults.forbidden = step.is ? [] : ["list EndpointSlice"];
  else if (step.kind === "listed") server.istiod.seesNoGateway = !step.is;
  else if (step.kind === "reached") server.faults.unreachable = !step.is;
  else {
    server.gateways.isServing = step.is;
    server.settleGateways();
  }
}

/** All faults end, and every label is confirmed; until a run changes nothing. */
async function heal(world: World): Promise<void> {
  const { mesh } = world;
  for (const [index, cluster] of CLUSTERS.entries()) {
    const server = mesh.fleet.server(cluster);
    server.faults.unreachable = false;
    server.faults.forbidden = [];
    server.istiod.seesNoGateway = false;
    server.gateways.isServing = true;
    server.settleGateways();
    relabel(world, index, "mesh_gateway", undefined);
  }
  for (let runs = 0; runs < 20; runs += 1) {
    for (const cluster of CLUSTERS) restart(mesh, cluster);
    const before = JSON.stringify(versionsOf(mesh));
    mesh.clock.advance(mesh.spec.gatewaySettle);
    // oxlint-disable-next-line no-await-in-loop -- one run after the other
    await mesh.reconcile("mesh", { confirm: ["NetworkChanges"], deep: true });
    if (JSON.stringify(versionsOf(mesh)) === before) return;
  }
  throw new Error("the mesh does not come to rest");
}

const idOf = ({ ref }: Cluster) => clusterId(ref);

/** `reader target` of each last known gateway. */
function held(mesh: FakeMesh): string[] {
  return CLUSTERS.flatMap((reader) => {
    const names = lastGatewaysOf(mesh, reader).map((line) => line.split(":")[0]);
    return CLUSTERS.filter((target) => names.includes(`meshjoin-last-${idOf(target)}`)).map(
      (target) => `${reader.ref.name} ${target.ref.name}`,
    );
  });
}

function networkOf(mesh: FakeMesh, cluster: Cluster): string | undefined {
  const namespace = { apiVersion: "v1", kind: "Namespace", name: "istio-system" };
  return mesh.fleet.server(cluster).store.get(namespace)?.metadata.labels?.[NETWORK_LABEL];
}

/** The pairs whose target is alone in another network. */
function toBeHeld(mesh: FakeMesh): string[] {
  return CLUSTERS.flatMap((reader) =>
    CLUSTERS.filter((target) => {
      const network = networkOf(mesh, target);
      const inIt = CLUSTERS.filter((each) => networkOf(mesh, each) === network);
      return inIt.length === 1 && reader !== target;
    }).map((target) => `${reader.ref.name} ${target.ref.name}`),
  );
}

/**
 * Last known gateways without a remote secret, or of networks in which the reader's istiod may know others.
 */
function misleading(mesh: FakeMesh): string[] {
  return CLUSTERS.flatMap((reader) => {
    const read = readBy(mesh, reader);
    return lastGatewaysOf(mesh, reader).filter((line) => {
      const [name = "", network] = line.split(/:? /);
      const others = CLUSTERS.filter(
        (each) => (read.includes(idOf(each)) || each === reader) && name !== `meshjoin-last-${idOf(each)}`,
      );
      const isShared = others.some(
        (each) =>
          networkOf(mesh, each) === network ||
          realGatewaysOf(mesh, each).some(({ metadata }) => metadata.labels?.[NETWORK_LABEL] === network),
      );
      return isShared || !read.some((id) => name === `meshjoin-last-${id}`);
    });
  });
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe("any sequence of labels, faults, restarts, events and confirmations", () => {
  it("makes no run put a raw address into a proxy, and ends with every pair, once the faults end", async () => {
    waitShortly(20);
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const world = await begin();
        for (const step of taken.flat()) {
          const before = new Set(rawAddresses(world.mesh));
          const { stop, seen } = rawAddressesFromNow(world.mesh);
          // oxlint-disable-next-line no-await-in-loop -- one step after the other
          await take(world, step);
          stop();
          const isOfRun = step.kind === "run" || step.kind === "event";
          expect([...seen].filter((each) => isOfRun && !before.has(each))).toEqual([]);
          const areAllSeen = world.mesh.servers.every(({ faults }) => !faults.unreachable);
          expect(isOfRun && areAllSeen ? misleading(world.mesh) : []).toEqual([]);
        }
        await heal(world);
        expect(rawAddresses(world.mesh)).toEqual([]);
        expect(misleading(world.mesh)).toEqual([]);
        expect(held(world.mesh)).toEqual(toBeHeld(world.mesh));
        for (const cluster of CLUSTERS) expect(readBy(world.mesh, cluster)).toHaveLength(CLUSTERS.length - 1);
      }),
      { numRuns: 15, examples: [[CARRIER_LOST]] },
    );
  }, 60_000);
});

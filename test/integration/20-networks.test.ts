import { describe, expect, it } from "@jest/globals";
import type { SandboxFleet } from "../../sandbox/fleet/fleet.ts";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { ROTATION } from "../../sandbox/google/pubsub/pubsub.ts";
import type { Summary } from "../../shared/core/answers/summary.ts";
import { MESH_LABEL, membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { clearFaults, setFault, setLabels } from "./world/google.ts";
import { kubectl, list, secrets } from "./world/kubectl.ts";
import { eventually, expectPaired, joined } from "./world/mesh.ts";
import { sync } from "./world/sync-mesh.ts";

const NETWORKS = ["meshjoin-sandbox.default", "meshjoin-sandbox.network-2"];
const world = useFleet({
  members: 2,
  networks: 2,
  env: { MESHJOIN_CONNECTED_NETWORKS: [...NETWORKS, "edge"].join("+") },
});

interface NetworkGateway {
  readonly Cluster: string;
  readonly Addr: string;
  readonly ServiceAccount: { readonly Name: string };
}

/**
 * The gateways that the member's istiod knows by their Services, by the cluster that each is of. It knows the
 * last known addresses of others by Gateways of its own cluster, and names an account for them.
 */
async function gatewaysKnownIn(member: FleetMember): Promise<Readonly<Record<string, string>>> {
  const response = await fetch(`${member.istiodHttp}/debug/networkz`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Istio pilot/pkg/xds/debug.go
  const gateways = ((await response.json()) ?? []) as readonly NetworkGateway[];
  return Object.fromEntries(
    gateways
      .filter(({ ServiceAccount }) => ServiceAccount.Name === "")
      .map(({ Cluster, Addr }) => [Cluster, Addr]),
  );
}

const NAMESPACE = ["-n", "istio-system"] as const;
/** ClusterRoleBindings of the accounts that write custom resources. */
const RIGHTS = "meshjoin-custom-resources-";

/** What the member's API server lets the user do in Istio's namespace. */
async function may(member: FleetMember, user: string, verb: string, resource: string): Promise<boolean> {
  const asked = kubectl(member, ...NAMESPACE, "auth", "can-i", verb, resource, `--as=${user}`);
  // It ends with 1 for a no, and tells so.
  const answer = await asked.catch((error: { stdout?: string }) => error.stdout ?? "");
  if (!/^(?:yes|no)/.test(answer)) throw new Error(`kubectl auth can-i answers ${answer}`);
  return answer.startsWith("yes");
}

async function addressOf(member: FleetMember, gateway = "meshjoin-eastwest"): Promise<string> {
  const path = "jsonpath={.status.loadBalancer.ingress[0].ip}";
  return await kubectl(member, ...NAMESPACE, "get", "service", `${gateway}-istio`, "-o", path);
}

/** Names of the member's own Gateways, each with its network. */
async function gatewaysIn(member: FleetMember): Promise<readonly string[]> {
  const gateways = await list(member, "gateways.gateway.networking.k8s.io", ...NAMESPACE);
  return gateways
    .filter(({ metadata }) => !metadata.name.startsWith("meshjoin-last-"))
    .map(({ metadata }) => `${metadata.name} of ${metadata.labels?.["topology.istio.io/network"]}`);
}

async function networksIn(member: FleetMember): Promise<readonly (string | undefined)[]> {
  const [namespace] = await list(member, "namespace", "--field-selector", "metadata.name=istio-system");
  const [istiod] = await list(member, "deployment", ...NAMESPACE, "--field-selector", "metadata.name=istiod");
  return [
    namespace?.metadata.labels?.["topology.istio.io/network"],
    istiod?.metadata.annotations?.["meshjoin.dev/network"],
  ];
}

/** Cluster IDs of those that the member has a remote secret of. */
async function readBy(member: FleetMember): Promise<readonly string[]> {
  const names = [...(await secrets(member)).keys()];
  return names
    .filter((name) => name.startsWith("istio-remote-secret-"))
    .map((name) => name.replace("istio-remote-secret-", ""));
}

/** The members of the two networks. */
function two(fleet: SandboxFleet): readonly [FleetMember, FleetMember] {
  const [one, other] = membersOf(fleet);
  if (one === undefined || other === undefined) throw new Error("the fleet lacks a member");
  return [one, other];
}

/** All findings of a run, of members and of the mesh. */
function findingsOf({ members, findings }: Summary) {
  return [...members.flatMap((each) => each.findings), ...findings];
}

const reasonsOf = (findings: readonly { readonly reason: string }[]) => findings.map(({ reason }) => reason);

describe("members of two networks", () => {
  it(
    "20.1 are one mesh: each has a gateway, and each istiod knows the other's; a tick of the rotator finds nothing to do",
    async () => {
      const { fleet } = world;
      const [one, other] = two(fleet);
      expect(await gatewaysKnownIn(one)).toMatchObject({ [other.clusterId]: await addressOf(other) });
      expect(await gatewaysKnownIn(other)).toMatchObject({ [one.clusterId]: await addressOf(one) });
      await expectPaired([one, other]);
      expect(await sync(fleet)).toMatchObject({ body: { outcome: "unchanged", findings: [] } });
      expect(await sync(fleet, { deep: true })).toMatchObject({
        body: { outcome: "unchanged", findings: [] },
      });
      await fleet.publish(ROTATION, { kind: "tick" });
      await fleet.waitUntilDelivered();
      await expectPaired([one, other]);
    },
    SCENARIO_MS,
  );

  it(
    "20.2 are no pair while a gateway has no address: no proxy gets pod addresses of the other network; with the address they are one again",
    async () => {
      const { fleet } = world;
      const [one, other] = two(fleet);
      await setFault(fleet, { target: other.clusterId, kind: "gatewayAddress" });
      expect(
        await eventually(
          () => addressOf(other),
          (address) => address === "",
        ),
      ).toBe("");
      const { body } = await sync(fleet);
      expect(reasonsOf(body.findings)).toContain("GatewayLost");
      expect([await readBy(one), await readBy(other)]).toEqual([[], [one.clusterId]]);
      await clearFaults(fleet);
      await sync(fleet);
      await expectPaired([one, other]);
      expect(await sync(fleet)).toMatchObject({ body: { outcome: "unchanged", findings: [] } });
    },
    SCENARIO_MS,
  );

  it(
    "20.3 get a gateway back that a person has deleted, and a field that a person has changed",
    async () => {
      const { fleet } = world;
      const [one, other] = two(fleet);
      await kubectl(other, ...NAMESPACE, "delete", "gateway", "meshjoin-eastwest");
      await sync(fleet);
      await expectPaired([one, other]);
      expect(await gatewaysKnownIn(one)).toMatchObject({ [other.clusterId]: await addressOf(other) });

      const patch = '{"data":{"podDisruptionBudget":"{}"}}';
      await kubectl(other, ...NAMESPACE, "patch", "configmap", "meshjoin-eastwest-options", "--patch", patch);
      const { body } = await sync(fleet, { deep: true });
      expect(reasonsOf(body.findings)).toContain("ControlPlaneEdited");
      const [options] = await list(
        other,
        "configmap",
        ...NAMESPACE,
        "--field-selector",
        "metadata.name=meshjoin-eastwest-options",
      );
      expect(options?.data?.["podDisruptionBudget"]).toBe('{"spec":{"minAvailable":1}}');
    },
    SCENARIO_MS,
  );

  it(
    "20.4 keep a pair whose own gateway is down, where another member of its network has one; and get definitions of the Gateway API where GKE brings none, which stay those of GKE where it does",
    async () => {
      const { fleet } = world;
      const [one, other] = two(fleet);
      const options = { labels: MESH_LABEL, network: "network-2", gatewayApi: false };
      const { clusterId: newcomer } = await fleet.createCluster("third", options);
      await joined(fleet);
      const third = membersOf(fleet).find(({ clusterId }) => clusterId === newcomer);
      if (third === undefined) throw new Error("the third cluster is no member");
      await sync(fleet);
      await expectPaired([one, other, third]);
      await setFault(fleet, { target: third.clusterId, kind: "gatewayAddress" });
      expect(
        await eventually(
          () => addressOf(third),
          (address) => address === "",
        ),
      ).toBe("");
      const { body } = await sync(fleet);
      expect(reasonsOf(body.findings)).not.toContain("GatewayLost");
      expect((await readBy(one)).toSorted()).toEqual([other.clusterId, third.clusterId].toSorted());
      await clearFaults(fleet);

      const managers = async (member: FleetMember) =>
        (await list(member, "crd"))
          .filter(({ metadata }) => metadata.name === "gateways.gateway.networking.k8s.io")
          .flatMap(({ metadata }) => metadata.managedFields?.map(({ manager }) => manager) ?? []);
      expect(await managers(other)).not.toContain("meshjoin");
      expect(await managers(third)).toContain("meshjoin");
    },
    SCENARIO_MS,
  );

  it(
    "20.5 get a second gateway for another exposure, and lose the first when all istiods list the second; the pair stays",
    async () => {
      const { fleet } = world;
      const [one, other] = two(fleet);
      const [, network = ""] = NETWORKS;
      const second = "meshjoin-eastwest-b";
      for (const [exposure, gateway] of [
        ["external", second],
        ["internal", "meshjoin-eastwest"],
      ] as const) {
        await setLabels(fleet, other, { ...MESH_LABEL, mesh_gateway: exposure });
        await fleet.waitUntilDelivered();
        await sync(fleet);
        expect(await readBy(one)).toContain(other.clusterId);
        await sync(fleet);
        expect(await gatewaysIn(other)).toEqual([`${gateway} of ${network}`]);
        const known = async () => await gatewaysKnownIn(one);
        const address = await addressOf(other, gateway);
        expect(await eventually(known, (seen) => seen[other.clusterId] === address)).toMatchObject({
          [other.clusterId]: address,
        });
      }
      await setLabels(fleet, other, MESH_LABEL);
      await fleet.waitUntilDelivered();
      expect(await sync(fleet)).toMatchObject({ body: { outcome: "unchanged", findings: [] } });
      await expectPaired(membersOf(fleet));
    },
    SCENARIO_MS,
  );

  it(
    "20.6 change a network that a person has confirmed: gateway, namespace, istiod; the former gateway stays for pods that are still in the former network",
    async () => {
      const { fleet } = world;
      const [one, other] = two(fleet);
      const [, former = ""] = NETWORKS;
      const [first, second] = [`meshjoin-eastwest of ${former}`, "meshjoin-eastwest-b of edge"];
      const pod = ["-n", "default", "web"];
      const labels = `--labels=topology.istio.io/network=${former}`;
      await kubectl(other, "run", ...pod, "--image=registry.k8s.io/pause:3.10", labels);
      await setLabels(fleet, other, { ...MESH_LABEL, mesh_network: "edge" });
      await fleet.waitUntilDelivered();
      const asked = await sync(fleet);
      expect(reasonsOf(findingsOf(asked.body))).toContain("NetworkChanges");
      expect([await networksIn(other), await gatewaysIn(other)]).toEqual([[former, former], [first]]);

      await sync(fleet, { confirm: ["NetworkChanges"] });
      const next = async () => {
        await sync(fleet);
        expect(await readBy(one)).toContain(other.clusterId);
        expect(await gatewaysKnownIn(one)).toHaveProperty([other.clusterId]);
        return await networksIn(other);
      };
      expect(await eventually(next, (seen) => seen.every((network) => network === "edge"))).toEqual([
        "edge",
        "edge",
      ]);
      const { body } = await sync(fleet);
      expect(findingsOf(body)).toContainEqual(
        expect.objectContaining({
          reason: "PodsInFormerNetwork",
          message: expect.stringMatching(/^1 pod of 1 workload is still in network/),
        }),
      );
      expect(await gatewaysIn(other)).toEqual([first, second]);
      await expectPaired(membersOf(fleet));

      await kubectl(other, "delete", "pod", ...pod, "--now");
      await sync(fleet);
      expect(await gatewaysIn(other)).toEqual([second]);
      await expectPaired(membersOf(fleet));
      expect(await sync(fleet, { deep: true })).toMatchObject({
        body: { outcome: "unchanged", findings: [] },
      });
    },
    SCENARIO_MS,
  );

  it(
    "20.7 let Meshjoin's account write gateways by a role inside the cluster alone, which it gives itself again",
    async () => {
      const { fleet } = world;
      const [one] = two(fleet);
      const bindings = await list(one, "clusterrolebindings", "-l", "app.kubernetes.io/managed-by=meshjoin");
      const own = bindings.filter(({ metadata }) => metadata.name.startsWith(RIGHTS));
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- rbac/v1 ClusterRoleBinding
      const subjectsOf = (each: object) => (each as { subjects: readonly { name: string }[] }).subjects;
      const users = own.flatMap((each) => subjectsOf(each).map(({ name }) => name));
      expect(users).not.toEqual([]);
      const writes = async (resource: string) =>
        await Promise.all(users.map(async (user) => await may(one, user, "create", resource)));
      const all = (answer: boolean) => users.map(() => answer);
      expect(await writes("gateways.gateway.networking.k8s.io")).toEqual(all(true));
      expect(await writes("envoyfilters.networking.istio.io")).toEqual(all(false));

      for (const { metadata } of own) await kubectl(one, "delete", "clusterrolebinding", metadata.name);
      expect(
        await eventually(
          () => writes("gateways.gateway.networking.k8s.io"),
          (seen) => !seen.includes(true),
        ),
      ).toEqual(all(false));
      const [gateway = ""] = (await gatewaysIn(one)).map((text) => text.split(" ")[0] ?? "");
      await kubectl(one, ...NAMESPACE, "delete", "gateways.gateway.networking.k8s.io", gateway);
      const names = async () => (await gatewaysIn(one)).map((text) => text.split(" ")[0]);
      await eventually(
        async () => (await sync(fleet)).body && (await names()),
        (seen) => seen.includes(gateway),
      );
      expect(await names()).toEqual([gateway]);
    },
    SCENARIO_MS,
  );

  it(
    "20.8 have no gateway any more once one network is left",
    async () => {
      const { fleet } = world;
      const [one, other] = two(fleet);
      await fleet.deleteCluster("third");
      await fleet.deleteCluster(other.name);
      await fleet.waitUntilDelivered();
      await sync(fleet, { deep: true });
      await sync(fleet, { deep: true });
      const left = async () => await list(one, "gateways.gateway.networking.k8s.io,services", ...NAMESPACE);
      const names = async () => (await left()).map(({ metadata }) => metadata.name);
      const isGone = (seen: readonly string[]) => !seen.some((name) => name.startsWith("meshjoin-"));
      expect(await eventually(names, isGone)).toEqual(["istiod"]);
    },
    SCENARIO_MS,
  );
});

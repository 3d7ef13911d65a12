import { describe, expect, it } from "@jest/globals";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { kubectl, list, secrets, snapshot } from "./world/kubectl.ts";
import { expectPaired } from "./world/mesh.ts";
import { plan, sync } from "./world/sync-mesh.ts";

const world = useFleet({ members: 2 });

interface Drift {
  /** Kind and name of what the plan says will be written; `PEER` stands for the other member's cluster ID. */
  readonly planned: readonly string[];
  readonly make: (member: FleetMember, peer: string) => Promise<unknown>;
}

const inIstio = (member: FleetMember, ...args: string[]) => kubectl(member, "-n", "istio-system", ...args);
const patch = (member: FleetMember, name: string, change: object) =>
  inIstio(member, "patch", "secret", name, "--type=merge", "-p", JSON.stringify(change));

const DRIFTS: readonly [string, Drift][] = [
  [
    "a remote secret is deleted",
    {
      planned: ["create Secret istio-remote-secret-PEER"],
      make: (member, peer) => inIstio(member, "delete", "secret", `istio-remote-secret-${peer}`),
    },
  ],
  [
    "somebody's data is in a remote secret",
    {
      planned: ["update Secret istio-remote-secret-PEER"],
      make: (member, peer) => patch(member, `istio-remote-secret-${peer}`, { data: { [peer]: "e30=" } }),
    },
  ],
  [
    "a remote secret has lost the label that istiod looks for",
    {
      planned: ["update Secret istio-remote-secret-PEER"],
      make: (member, peer) =>
        inIstio(member, "label", "secret", `istio-remote-secret-${peer}`, "istio/multiCluster-"),
    },
  ],
  [
    "a reader Secret is deleted, and with it the token that is bound to it",
    {
      planned: ["create Secret meshjoin-reader-PEER", "update Secret istio-remote-secret-OWN"],
      make: (member, peer) => inIstio(member, "delete", "secret", `meshjoin-reader-${peer}`),
    },
  ],
  [
    "an annotation of cacerts is edited",
    {
      planned: ["update Secret cacerts"],
      make: (member) =>
        inIstio(member, "annotate", "secret", "cacerts", "--overwrite", "meshjoin.dev/serial=00"),
    },
  ],
  [
    "the network of the namespace is edited",
    {
      planned: ["update Namespace istio-system"],
      make: (member) =>
        kubectl(
          member,
          "label",
          "namespace",
          "istio-system",
          "--overwrite",
          "topology.istio.io/network=elsewhere",
        ),
    },
  ],
];

describe("07.1 a full run repairs a mesh in which", () => {
  it.each(DRIFTS)(
    "%s",
    async (_, { planned, make }) => {
      const { fleet } = world;
      const members = membersOf(fleet);
      const [member, peer] = members;
      if (member === undefined || peer === undefined) throw new Error("there are no two members");
      await make(member, peer.clusterId);

      const { actions } = await plan(fleet);
      const named = planned.map((each) =>
        each.replace("PEER", peer.clusterId).replace("OWN", member.clusterId),
      );
      expect(actions.map(({ verb, object }) => `${verb} ${object.kind} ${object.name}`).toSorted()).toEqual(
        named.toSorted(),
      );

      expect((await sync(fleet)).status).toBe(200);
      await expectPaired(members);
      const [namespace] = await list(member, "namespaces", "-l", "meshjoin.dev/mesh");
      expect(namespace?.metadata.labels?.["topology.istio.io/network"]).toBe("meshjoin-sandbox.default");
      expect(
        (await secrets(member)).get("cacerts")?.metadata.annotations?.["meshjoin.dev/loaded-at"],
      ).toMatch(/Z$/);

      const before = await Promise.all(members.map((each) => snapshot(each)));
      expect(await sync(fleet)).toMatchObject({ status: 200, body: { outcome: "unchanged", findings: [] } });
      expect(await Promise.all(members.map((each) => snapshot(each)))).toEqual(before);
    },
    SCENARIO_MS,
  );
});

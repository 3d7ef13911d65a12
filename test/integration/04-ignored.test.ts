import { beforeAll, describe, expect, it } from "@jest/globals";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { finishedEntry, handle, loggedDuring, push, pushCloudEvent } from "./world/events.ts";
import { MESH_LABEL, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { beginCreation, beginDeletion, clearFaults, setFault, setLabels } from "./world/google.ts";
import { expectUntouched, joined } from "./world/mesh.ts";

const world = useFleet({ members: 0, env: { MESHJOIN_ALLOW: "shop-*" } });

const NOBODY = { project: "meshjoin-sandbox", location: "europe-west1", name: "nobody" };
const ENTRY = finishedEntry(NOBODY);
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made one line above
const PAYLOAD = ENTRY["protoPayload"] as Readonly<Record<string, unknown>>;
const withMethod = (name: string) => ({
  protoPayload: { ...PAYLOAD, methodName: `google.container.v1.ClusterManager.${name}` },
});

describe("04.1 an event that says nothing of a new member", () => {
  it.each([
    ["a first entry", { operation: { id: "o", first: true } }],
    ["a rejected creation", { operation: undefined, protoPayload: { ...PAYLOAD, status: { code: 3 } } }],
    ["a failed creation", { protoPayload: { ...PAYLOAD, status: { code: 13 } } }],
    ["another service", { protoPayload: { ...PAYLOAD, serviceName: "compute.googleapis.com" } }],
    ["another method", withMethod("SetLegacyAbac")],
    ["a node-pool operation", withMethod("CreateNodePool")],
  ])("(%s) is acknowledged without any request, in every envelope", async (_, change) => {
    const { fleet } = world;
    const { reconciler } = fleet.accounts;
    const count = async () => {
      const { gke, secretmanager } = fleet.ledger.requests(reconciler);
      return gke + secretmanager + (await fleet.clusterRequests(reconciler));
    };
    const before = await count();
    const ignored = finishedEntry(NOBODY, change);
    const lines = await loggedDuring(fleet, async () => {
      expect(await push(fleet, ignored)).toBe(204);
      expect(await pushCloudEvent(fleet, ignored, "binary")).toBe(204);
      expect(await pushCloudEvent(fleet, ignored, "structured")).toBe(204);
    });
    const ours = lines.filter(({ eventId }) => eventId === "1");
    expect(ours.map(({ severity, message }) => [severity, message])).toEqual(
      Array.from({ length: 3 }, () => ["DEBUG", "event ignored"]),
    );
    expect(await count()).toBe(before);
  });
});

/** Of the one line that says why the cluster of the event is none of ours. */
async function reasonsOf(cluster: Pick<FleetMember, "project" | "location" | "name">, expected: number) {
  const { status, lines } = await handle(world.fleet, cluster);
  expect(status).toBe(expected);
  return lines.flatMap(({ message, reason, code }) =>
    message === "cluster is no member" || message === "event is delivered again" ? [reason ?? code] : [],
  );
}

describe("04.2 an event of a cluster that is no member", () => {
  let cluster: FleetMember;
  beforeAll(async () => {
    cluster = await world.fleet.createCluster("shop-one", { labels: {} });
  }, SCENARIO_MS);

  it.each([
    ["NotLabelled", {}],
    ["NotLabelled", { team: "shop" }],
    ["OtherMesh", { mesh_id: "staging" }],
  ])("is acknowledged as %s", async (reason, labels) => {
    await setLabels(world.fleet, cluster, labels);
    expect(await reasonsOf(cluster, 204)).toEqual([reason]);
    await expectUntouched(cluster);
  });

  it(
    "is acknowledged when the allow-list does not name it",
    async () => {
      const barred = await world.fleet.createCluster("barred", { labels: MESH_LABEL });
      expect(await reasonsOf(barred, 204)).toEqual(["NotAllowed"]);
      await expectUntouched(barred);
      await setLabels(world.fleet, barred, {});
    },
    SCENARIO_MS,
  );

  it("is acknowledged when there is no such cluster, or none in a configured project", async () => {
    expect(await reasonsOf(NOBODY, 204)).toEqual(["Gone"]);
    expect(await reasonsOf({ ...NOBODY, project: "another-project" }, 204)).toEqual(["ProjectNotConfigured"]);
  });

  it(
    "is delivered again while the cluster is being made, and acknowledged while it is being deleted",
    async () => {
      const made = { ...NOBODY, name: "shop-two" };
      await setFault(world.fleet, { target: "gke", kind: "holdOperations" });
      const created = await beginCreation(world.fleet, made, MESH_LABEL);
      expect(await reasonsOf(made, 500)).toEqual(["Provisioning"]);
      await clearFaults(world.fleet);
      await created();
      await joined(world.fleet);

      await setFault(world.fleet, { target: "gke", kind: "holdOperations" });
      const deleted = await beginDeletion(world.fleet, made);
      expect(await reasonsOf(made, 204)).toEqual(["Stopping"]);
      await clearFaults(world.fleet);
      await deleted();
      expect(await reasonsOf(made, 204)).toEqual(["Gone"]);
    },
    SCENARIO_MS,
  );
});

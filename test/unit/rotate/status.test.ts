import { describe, expect, it } from "@jest/globals";
import { clusterId } from "../../../shared/core/names.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aJoinedMesh, order, STAGE, throughStage, ticks } from "./world.ts";

describe("the status of a root rotation", () => {
  it("is idle, and costs nothing, while there is none", async () => {
    const mesh = await aJoinedMesh();
    const before = mesh.servers.map(({ requests: { counts } }) => counts.list);
    const { rotation } = await collectStatus(mesh.run());
    expect(rotation).toMatchObject({ stage: "idle", since: null, loaded: 0, waitingFor: [], until: null });
    expect(mesh.servers.map(({ requests: { counts } }, index) => counts.list - (before[index] ?? 0))).toEqual(
      [4, 4],
    );
  });

  it("tells until when certificates of the stage before may live", async () => {
    const mesh = await aJoinedMesh();
    await order(mesh, "start");
    await ticks(mesh);
    const loadedAt = mesh.clock.now().getTime();
    const { rotation } = await collectStatus(mesh.run());
    expect(rotation).toMatchObject({
      stage: "distribute",
      loaded: 2,
      waitingFor: [],
      until: new Date(loadedAt + (STAGE - 1) * 1000).toISOString(),
    });
  });

  it("names what a person must mend, and that a person has paused it", async () => {
    const mesh = await aJoinedMesh();
    await order(mesh, "start");
    await throughStage(mesh);
    await ticks(mesh);
    await order(mesh, "pause");
    mesh.servers[1]!.faults.unreachable = true;
    const { rotation } = await collectStatus(mesh.run());
    expect(rotation).toMatchObject({
      stage: "switch",
      paused: expect.any(String),
      loaded: 1,
      waitingFor: [`${clusterId(mesh.clusters[1]!.ref)} cannot be reached`],
      until: null,
    });
  });
});

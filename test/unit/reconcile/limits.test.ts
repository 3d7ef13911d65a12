import { describe, expect, it } from "@jest/globals";
import { clusterId } from "../../../shared/core/names.ts";
import { rotateIntermediates } from "../../../shared/rotate/rotate.ts";
import { closing } from "../../../shared/runtime.ts";
import { aMesh } from "../../support/fakes/mesh.ts";

const PORT_FORWARDS_MOST = 16;

describe("a run over many members", () => {
  it("has no more port-forwards open at once than its limit, also when every intermediate is replaced at once", async () => {
    const mesh = await aMesh({ members: 19 });
    await mesh.reconcile("mesh");
    expect(mesh.fleet.portForwards.most).toBe(PORT_FORWARDS_MOST);
    mesh.clock.advance(60);
    const givenAt = mesh.clock.now();
    const order = { scope: "mesh", reason: "compromise", givenAt } as const;
    const { summary } = await closing(mesh.run(), (run) => rotateIntermediates(run, order));
    expect(summary.members.map(({ outcome }) => outcome)).toEqual(mesh.clusters.map(() => "updated"));
    expect(mesh.fleet.portForwards.most).toBe(PORT_FORWARDS_MOST);
  });

  it("looks at every reader, though more than its limit wait for a target that pods cannot reach", async () => {
    const mesh = await aMesh({ members: 19 });
    await mesh.reconcile("mesh");
    const [lost, ...others] = mesh.clusters;
    mesh.fleet.cutOff(lost!);
    const { summary } = await mesh.reconcile("mesh", { signal: AbortSignal.timeout(4000) });
    const named = new Set(
      summary.findings.filter(({ reason }) => reason === "PairNotSynced").map(({ message }) => message),
    );
    expect(named.size).toBe(others.length);
    for (const message of named) expect(message).toContain(`show ${clusterId(lost!.ref)} as synced`);
  });
});

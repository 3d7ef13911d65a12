import { describe, expect, it } from "@jest/globals";
import type { Diagnosis } from "../../../shared/core/answers/check.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { call } from "./host.ts";

async function requestsIn(mesh: FakeMesh) {
  const { out } = await call(mesh, "doctor -o json");
  const { checks }: Diagnosis = JSON.parse(out);
  return checks.filter(({ name }) => name === "requests");
}

describe("doctor, of requests between members that keep probes,", () => {
  it("says that they pass, and that they do not, with the cause and its cure", async () => {
    const mesh = await aMesh({ members: 2, spec: { probe: "on" } });
    await mesh.reconcile("mesh");
    await mesh.reconcile("mesh");
    expect(await requestsIn(mesh)).toMatchObject([
      { state: "ok", message: "requests pass between 2 pairs of members" },
    ]);
    const [first, second] = mesh.clusters.map(({ ref }) => clusterId(ref));
    mesh.servers[0]!.probe.answers.set(second ?? "", {
      status: 503,
      headers: { "x-ask-flags": "UF", "x-ask-details": "upstream_reset{connection_timeout}" },
      body: "",
    });
    expect(await requestsIn(mesh)).toMatchObject([
      { state: "fault", clusterId: first, cure: expect.stringContaining("gcloud compute firewall-rules") },
    ]);
  });

  it("calls nothing well that nobody asked: one member, and members without a way", async () => {
    const one = await aMesh({ members: 1, spec: { probe: "on" } });
    await one.reconcile("mesh");
    expect(await requestsIn(one)).toMatchObject([{ state: "ok", message: "there is no pair to ask about" }]);
    const network = { project: "shop", name: "dmz" };
    const apart = await aMesh({
      clusters: [aCluster({ name: "a" }), aCluster({ name: "b", network })],
      spec: { probe: "on" },
    });
    await apart.reconcile("mesh");
    await apart.reconcile("mesh");
    expect(await requestsIn(apart)).toMatchObject([
      { state: "ok", message: "there is no pair to ask about" },
    ]);
  });

  it("does not know it of a member that it does not reach", async () => {
    const mesh = await aMesh({ members: 3, spec: { probe: "on" } });
    await mesh.reconcile("mesh");
    await mesh.reconcile("mesh");
    mesh.servers[2]!.faults.unreachable = true;
    expect(await requestsIn(mesh)).toMatchObject([
      { state: "unknown", message: "nobody asked whether requests pass between 4 of 6 pairs of members" },
    ]);
  });

  it("does not know it before a full run has written the probes, and is silent where none are kept", async () => {
    const mesh = await aMesh({ members: 2, spec: { probe: "on" } });
    for (const cluster of mesh.clusters) await mesh.join(cluster);
    expect((await requestsIn(mesh)).map(({ state }) => state)).toEqual(["unknown", "unknown"]);
    expect(await requestsIn(await aMesh({ members: 2 }))).toEqual([]);
  });
});

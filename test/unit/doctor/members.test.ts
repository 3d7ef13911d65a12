import { expect, it } from "@jest/globals";
import { clusterId } from "../../../shared/core/names.ts";
import { callersGrants, functionsGrants, type Grants } from "../../../shared/doctor/grants.ts";
import { checkMembers } from "../../../shared/doctor/members.ts";
import type { Fleet } from "../../../shared/ports/fleet.ts";
import { aMesh } from "../../support/fakes/mesh.ts";

it("what nobody foresaw of one member leaves the checks of the others as they are, and quotes nothing", async () => {
  const mesh = await aMesh({ members: 2 });
  await mesh.reconcile("mesh");
  const { ports, spec } = mesh.run();
  const [odd] = mesh.clusters;
  const fleet: Fleet = {
    ...ports.fleet,
    member(cluster) {
      if (cluster === odd) throw new TypeError("what a cluster said");
      return ports.fleet.member(cluster);
    },
  };
  const question = { spec, grants: functionsGrants("reconciler"), deep: true, facts: true };
  const checks = await checkMembers({ ...ports, fleet }, mesh.clusters, question);
  expect(checks).toMatchObject([
    { clusterId: clusterId(mesh.clusters[0]!.ref), state: "unknown", cure: expect.stringMatching(/\w/) },
    { clusterId: clusterId(mesh.clusters[1]!.ref), state: "ok" },
  ]);
  expect(checks[0]?.message).toContain("an unexpected error (TypeError)");
  expect(checks[0]?.message).not.toContain("what a cluster said");
});

it("tells a person to set a clock only where it is the person's own machine's", async () => {
  const mesh = await aMesh({ members: 1 });
  mesh.servers[0]!.skewClock(400);
  const { ports, spec } = mesh.run();
  const cureFor = async (grants: Grants) => {
    const [check] = await checkMembers(ports, mesh.clusters, { spec, grants, deep: false, facts: true });
    return check?.cure;
  };
  expect(await cureFor(callersGrants("ada@example.com"))).toContain("set this machine's clock");
  expect(await cureFor(functionsGrants("reconciler"))).not.toContain("this machine");
});

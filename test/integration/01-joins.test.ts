import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createService, endpointsSeen } from "../../sandbox/demo/endpoints.ts";
import type { FleetMember } from "../../sandbox/fleet-file.ts";
import { unsyncedPairs } from "../../sandbox/sync-state.ts";
import { acknowledged } from "./support/events.ts";
import { kubectl, secretsOf, textOf } from "./support/kubectl.ts";
import {
  FLEET_TIMEOUT_MS,
  SCENARIO_TIMEOUT_MS,
  type ScenarioFleet,
  startScenarioFleet,
} from "./support/scenario-fleet.ts";

let world: ScenarioFleet;

beforeAll(async () => {
  world = await startScenarioFleet();
}, FLEET_TIMEOUT_MS);

afterAll(() => world?.close(), 60_000);

function remoteSecretsOf(secrets: ReadonlyMap<string, unknown>): string[] {
  return [...secrets.keys()].filter((name) => name.startsWith("istio-remote-secret-")).toSorted();
}

/** Both directions: what the reader holds of the target, and what stands for the reader in the target. */
async function expectPaired(members: readonly FleetMember[]): Promise<void> {
  for (const member of members) {
    const others = members.filter((other) => other !== member).map(({ clusterId }) => clusterId);
    const secrets = await secretsOf(member);
    expect(remoteSecretsOf(secrets)).toEqual(others.map((id) => `istio-remote-secret-${id}`).toSorted());
    expect([...secrets.keys()].filter((name) => name.startsWith("meshjoin-reader-")).toSorted()).toEqual(
      others.map((id) => `meshjoin-reader-${id}`).toSorted(),
    );
  }
  expect(await unsyncedPairs(members)).toEqual([]);
}

describe("clusters that are created one after the other", () => {
  it(
    "01: the first becomes a mesh of one",
    async () => {
      await world.fleet.createCluster("east");
      await acknowledged(world.fleet, "east");
      const east = world.member("east");
      const secrets = await secretsOf(east);
      const cacerts = secrets.get("cacerts");
      expect(Object.keys(cacerts?.data ?? {}).toSorted()).toEqual([
        "ca-cert.pem",
        "ca-key.pem",
        "cert-chain.pem",
        "root-cert.pem",
      ]);
      const intermediate = new X509Certificate(textOf(cacerts, "ca-cert.pem"));
      const root = new X509Certificate(textOf(cacerts, "root-cert.pem"));
      expect(intermediate.ca).toBe(true);
      expect(intermediate.verify(root.publicKey)).toBe(true);
      expect(cacerts?.metadata.annotations?.["meshjoin.dev/root-versions"]).toBe('{"signing":1}');
      expect(remoteSecretsOf(secrets)).toEqual([]);
      const network = ["-o", "jsonpath={.metadata.labels.topology\\.istio\\.io/network}"];
      expect(await kubectl(east, "get", "namespace", "istio-system", ...network)).not.toBe("");
      const ready = ["get", "deployment", "istiod", "-o", "jsonpath={.status.readyReplicas}"];
      expect(await kubectl(east, "-n", "istio-system", ...ready)).toBe("1");
    },
    SCENARIO_TIMEOUT_MS,
  );

  it(
    "02: the second and the first read each other",
    async () => {
      await world.fleet.createCluster("west", { location: "us-central1-a" });
      await acknowledged(world.fleet, "west");
      await expectPaired([world.member("east"), world.member("west")]);
    },
    SCENARIO_TIMEOUT_MS,
  );

  it(
    "03: the third joins two, and each sees its services",
    async () => {
      await world.fleet.createCluster("north", { location: "europe-north1-b" });
      await acknowledged(world.fleet, "north");
      const north = world.member("north");
      await expectPaired([world.member("east"), world.member("west"), north]);
      await createService(north);
      expect(await endpointsSeen(world.member("east"), north)).toBe(1);
      expect(await endpointsSeen(world.member("west"), north)).toBe(1);
    },
    SCENARIO_TIMEOUT_MS,
  );
});

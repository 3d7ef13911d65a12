import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@jest/globals";
import type { SandboxFleet } from "../../../sandbox/fleet/fleet.ts";
import { remoteClusters, unsyncedPairs } from "../../../sandbox/fleet/istiod-sync.ts";
import type { FleetMember } from "../../../sandbox/google/member.ts";
import { membersOf } from "./fleet.ts";
import { kubectl, list, secrets } from "./kubectl.ts";
import { writesTo } from "./writes.ts";

const POLL_MS = 200;

/** Asks again until it holds, and says at the end what it is. */
export async function eventually<T>(
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
  patienceMs = 60_000,
): Promise<T> {
  for (const end = Date.now() + patienceMs; ; await sleep(POLL_MS)) {
    const seen = await look();
    if (holds(seen) || Date.now() > end) return seen;
  }
}

/** The labelled members are one mesh, and no function has anything of that in hand any more. */
export async function joined(fleet: SandboxFleet): Promise<void> {
  await fleet.waitUntilSynced();
  await fleet.waitUntilDelivered();
}

/** Every istiod sees every other one, by exactly one remote secret and one reader Secret for each. */
export async function expectPaired(members: readonly FleetMember[]): Promise<void> {
  expect(await unsyncedPairs(members)).toEqual([]);
  for (const reader of members) {
    const found = await secrets(reader);
    const others = members.filter((member) => member !== reader).map(({ clusterId }) => clusterId);
    for (const id of others) {
      expect(found.get(`istio-remote-secret-${id}`)?.metadata.annotations).toMatchObject({
        "networking.istio.io/cluster": id,
        "meshjoin.dev/token-expires-at": expect.stringMatching(/Z$/),
      });
      expect(found.get(`meshjoin-reader-${id}`)?.metadata.labels).toMatchObject({
        "meshjoin.dev/reader": id,
      });
    }
  }
}

/** Nothing of the leaver is left on the others, not even in what their istiods list. */
export async function expectForgotten(fleet: SandboxFleet, leaver: FleetMember): Promise<void> {
  const rest = membersOf(fleet).filter(({ clusterId }) => clusterId !== leaver.clusterId);
  expect(rest.length).toBeGreaterThan(0);
  const traces = async () =>
    (
      await Promise.all(
        rest.map(async (member) => [
          ...[...(await secrets(member)).keys()].filter((name) => name.endsWith(leaver.clusterId)),
          ...[...(await remoteClusters(member)).keys()].filter((id) => id === leaver.clusterId),
        ]),
      )
    ).flat();
  expect(await eventually(traces, (seen) => seen.length === 0)).toEqual([]);
  await expectPaired(rest);
}

/** Of any Secret: by the audit log of its API server, because times tell seconds alone. */
export async function expectWrittenOnce(
  fleet: SandboxFleet,
  member: FleetMember,
  name: string,
): Promise<void> {
  expect((await secrets(member)).has(name)).toBe(true);
  expect(await writesTo(fleet, member, name)).toEqual(["create"]);
}

/** Nothing in the cluster carries the mesh's label. */
export async function expectUntouched(member: FleetMember): Promise<void> {
  expect(await list(member, "namespaces,secrets,deployments", "-A", "-l", "meshjoin.dev/mesh")).toEqual([]);
}

/** The last write of a starting istiod: it turns its validating webhooks from Ignore to Fail. */
export async function untilFailClosed(member: FleetMember): Promise<void> {
  const path = "jsonpath={.items[*].webhooks[*].failurePolicy}";
  const policies = () => kubectl(member, "get", "validatingwebhookconfigurations", "-o", path);
  expect(await eventually(policies, (seen) => seen === "Fail Fail")).toBe("Fail Fail");
}

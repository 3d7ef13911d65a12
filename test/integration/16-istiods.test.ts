import { connect } from "node:tls";
import { describe, expect, it } from "@jest/globals";
import { ApiError } from "../../sandbox/cluster/api-client.ts";
import { remoteClusters, unsyncedPairs } from "../../sandbox/fleet/istiod-sync.ts";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { memberApi } from "../../sandbox/traffic/member-api.ts";
import { remoteSecretName } from "../../shared/core/names.ts";
import { membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { kubectl, secrets } from "./world/kubectl.ts";
import { eventually } from "./world/mesh.ts";
import { pushRotation } from "./world/rotation.ts";
import { status, sync } from "./world/sync-mesh.ts";

const world = useFleet({ members: 2, autoscaler: true });

const ISTIO = ["-n", "istio-system"] as const;

interface Istiods {
  readonly member: FleetMember;
  readonly peer: FleetMember;
  readonly first: FleetMember["istiods"][number];
  readonly second: FleetMember["istiods"][number];
}

/** Of the first member, once every member's two istiods serve and list every other member. */
async function settled(): Promise<Istiods> {
  const { fleet } = world;
  const rows = async () => (await status(fleet)).pairs.map((pair) => pair.status);
  const all = Array<string>(4).fill("synced");
  expect(await eventually(rows, (seen) => String(seen) === String(all))).toEqual(all);
  const [member, peer] = membersOf(fleet);
  const [first, second] = member?.istiods ?? [];
  if (member === undefined || peer === undefined || first === undefined || second === undefined) {
    throw new Error("there are no two istiods");
  }
  expect(await unsyncedPairs(membersOf(fleet))).toEqual([]);
  return { member, peer, first, second };
}

/** While the process is stopped, its sockets take connections and no answer comes. */
async function whileFrozen<T>(pid: number, act: () => Promise<T>): Promise<T> {
  process.kill(pid, "SIGSTOP");
  try {
    return await act();
  } finally {
    process.kill(pid, "SIGCONT");
  }
}

/** SHA-256 of the intermediate that an istiod serves, as a sidecar sees it. */
async function servedIntermediate(xds: string): Promise<string> {
  const [host = "", port] = xds.split(":");
  return await new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate(true).issuerCertificate.fingerprint256);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

async function evict(member: FleetMember, name: string): Promise<number> {
  const namespace = "istio-system";
  try {
    await memberApi(member).create(`/api/v1/namespaces/${namespace}/pods/${name}/eviction`, {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name, namespace },
    });
    return 201;
  } catch (error) {
    if (error instanceof ApiError) return error.status;
    throw error;
  }
}

describe("16.1 with two istiods in each member, as Istio's autoscaler has it", () => {
  it(
    "a full run finds all as it should be, over one port-forward for each istiod",
    async () => {
      const { fleet } = world;
      await settled();
      const since = Date.now();
      expect(await sync(fleet)).toMatchObject({ status: 200, body: { outcome: "unchanged", findings: [] } });
      const { forPortForwards } = await fleet.clusterConnections(fleet.accounts.reconciler, since);
      expect(forPortForwards).toBe(4);
      expect(await sync(fleet, { deep: true })).toMatchObject({
        body: { outcome: "unchanged", findings: [] },
      });
    },
    SCENARIO_MS,
  );

  it(
    "the disruption budget lets one go at a time, and the one that comes reads the others by itself",
    async () => {
      const { fleet } = world;
      const { member, first, second } = await settled();
      const budget = () =>
        kubectl(member, ...ISTIO, "get", "pdb", "istiod", "-o", "jsonpath={.status.disruptionsAllowed}");
      expect(await eventually(budget, (allowed) => allowed === "1")).toBe("1");
      expect([await evict(member, first.pod), await evict(member, second.pod)]).toEqual([201, 429]);
      const pods = async () => membersOf(fleet)[0]?.istiods.map(({ pod }) => pod) ?? [];
      expect(await eventually(pods, (seen) => seen.length === 2 && !seen.includes(first.pod))).toContain(
        second.pod,
      );
      await settled();
    },
    SCENARIO_MS,
  );

  it(
    "one that dies comes back, and reads the others again",
    async () => {
      const { fleet } = world;
      const { second } = await settled();
      process.kill(second.pid, "SIGKILL");
      const pid = async () => membersOf(fleet)[0]?.istiods.find(({ pod }) => pod === second.pod)?.pid;
      expect(await eventually(pid, (seen) => seen !== undefined && seen !== second.pid)).not.toBe(second.pid);
      await settled();
      expect(await sync(fleet)).toMatchObject({ status: 200, body: { outcome: "unchanged" } });
    },
    SCENARIO_MS,
  );

  it(
    "a pair is synced when both list it: a run waits for the one that does not",
    async () => {
      const { fleet } = world;
      const { member, peer, first, second } = await settled();
      await kubectl(member, ...ISTIO, "delete", "secret", remoteSecretName(peer.clusterId));
      const listed = async () => (await remoteClusters(member)).has(peer.clusterId);
      expect(await eventually(listed, (is) => !is)).toBe(false);
      const run = await whileFrozen(second.pid, async () => {
        let ended = false;
        const answer = sync(fleet).finally(() => {
          ended = true;
        });
        const byFirst = async () =>
          (await remoteClusters({ ...member, istiods: [first] })).get(peer.clusterId);
        expect(await eventually(byFirst, (is) => is === "synced")).toBe("synced");
        const { pairs } = await status(fleet);
        const rows = pairs.filter(({ reader }) => reader === member.clusterId);
        expect(Object.fromEntries(rows.map((row) => [row.pod, row.status]))).toEqual({
          [first.pod]: "synced",
          [second.pod]: "unknown",
        });
        expect(ended).toBe(false);
        return { answer };
      });
      expect(await run.answer).toMatchObject({ status: 200 });
      await settled();
    },
    SCENARIO_MS,
  );

  it(
    "an intermediate is loaded when both serve it",
    async () => {
      const { fleet } = world;
      const { member, first, second } = await settled();
      const loadedAt = async () =>
        (await secrets(member)).get("cacerts")?.metadata.annotations?.["meshjoin.dev/loaded-at"];
      const before = await servedIntermediate(first.xds);
      expect(await loadedAt()).toBeDefined();
      const scope = { clusterId: member.clusterId };
      expect(await pushRotation(fleet, { data: { kind: "intermediate", scope, reason: "manual" } })).toBe(
        204,
      );
      expect(await eventually(loadedAt, (is) => is !== undefined)).toBeDefined();
      const both = await Promise.all([first, second].map(({ xds }) => servedIntermediate(xds)));
      expect(new Set(both).size).toBe(1);
      expect(both[0]).not.toBe(before);
    },
    SCENARIO_MS,
  );
});

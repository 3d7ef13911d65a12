import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { unsyncedPairs } from "../../sandbox/fleet/istiod-sync.ts";
import { finishedEntry, functionLog, push } from "./world/events.ts";
import { MESH_LABEL, membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { clearFaults, setFault, setLabels } from "./world/google.ts";
import { kubectl, list, secrets, snapshot } from "./world/kubectl.ts";
import { eventually, expectPaired, expectUntouched, expectWrittenOnce, joined } from "./world/mesh.ts";

const world = useFleet({ members: 1 });

describe("joining", () => {
  it(
    "01.1 the first cluster gets a namespace with its network, a CA of its own, and a Ready istiod",
    async () => {
      const [first] = membersOf(world.fleet);
      if (first === undefined) throw new Error("there is no member");
      const [namespace] = await list(first, "namespaces", "-l", "meshjoin.dev/mesh=sandbox");
      expect(namespace?.metadata.labels).toMatchObject({
        "topology.istio.io/network": "meshjoin-sandbox.default",
      });
      const budgets = await list(first, "poddisruptionbudgets", "-n", "istio-system");
      expect(budgets).toMatchObject([
        {
          metadata: { name: "istiod", labels: { "meshjoin.dev/mesh": "sandbox" } },
          spec: { minAvailable: 1 },
        },
      ]);
      const cacerts = (await secrets(first)).get("cacerts");
      expect(Object.keys(cacerts?.data ?? {}).toSorted()).toEqual([
        "ca-cert.pem",
        "ca-key.pem",
        "cert-chain.pem",
        "root-cert.pem",
      ]);
      expect(cacerts?.metadata.annotations).toMatchObject({
        "meshjoin.dev/root-versions": '{"signing":1}',
        "meshjoin.dev/loaded-at": expect.stringMatching(/Z$/),
      });
      expect(await kubectl(first, "-n", "istio-system", "rollout", "status", "deployment/istiod")).toContain(
        "successfully rolled out",
      );
    },
    SCENARIO_MS,
  );

  it(
    "01.2 the second one gets no istiod while an object of any kind is refused, and is then paired with it, both ways",
    async () => {
      const { fleet } = world;
      const giveBack = fleet.iam.withhold("reconciler", "container.podDisruptionBudgets.create");
      const second = await fleet.createCluster("second");
      await fleet.waitUntilDelivered();
      expect(await list(second, "deployments,poddisruptionbudgets", "-n", "istio-system")).toEqual([]);
      const told = (await functionLog(fleet, "on-cluster-event")).map((line) => JSON.stringify(line));
      expect(told).toContainEqual(expect.stringContaining("PodDisruptionBudget istio-system/istiod"));
      giveBack();
      expect(await push(fleet, finishedEntry(second))).toBe(204);
      await joined(fleet);
      expect(membersOf(fleet)).toHaveLength(2);
      await expectPaired(membersOf(fleet));
    },
    SCENARIO_MS,
  );

  it(
    "01.3 the third one joins both, and their own pair is not touched",
    async () => {
      const { fleet } = world;
      const { reconciler } = fleet.accounts;
      const since = Date.now();
      const before = await Promise.all(membersOf(fleet).map((member) => secrets(member)));
      const { clusterId } = await fleet.createCluster("third");
      await joined(fleet);
      expect(membersOf(fleet)).toHaveLength(3);
      await expectPaired(membersOf(fleet));
      for (const [index, member] of membersOf(fleet).slice(0, 2).entries()) {
        const after = await secrets(member);
        for (const [name, secret] of before[index] ?? []) {
          expect(after.get(name)?.metadata.resourceVersion).toBe(secret.metadata.resourceVersion);
        }
      }
      expect(fleet.ledger.requests(reconciler, since).signer).toBe(1);
      const signed = (await functionLog(fleet, "sign-intermediate")).filter(
        (line) => line.clusterId === clusterId,
      );
      expect(signed).toMatchObject([{ message: "intermediate issued", caller: reconciler }]);
    },
    SCENARIO_MS,
  );

  it(
    "01.4 the same event ten times in sequence writes nothing more",
    async () => {
      const { fleet } = world;
      const members = membersOf(fleet);
      const [first] = members;
      if (first === undefined) throw new Error("there is no member");
      const before = await Promise.all(members.map((member) => snapshot(member)));
      for (let count = 0; count < 10; count += 1) expect(await push(fleet, finishedEntry(first))).toBe(204);
      expect(await Promise.all(members.map((member) => snapshot(member)))).toEqual(before);
      expect(before[0]?.length).toBeGreaterThan(30);
    },
    SCENARIO_MS,
  );

  it(
    "01.5 ten events at once mint one CA and one token per reader",
    async () => {
      const { fleet } = world;
      const contended = await fleet.createCluster("contended", { labels: {} });
      await expectUntouched(contended);
      await setLabels(fleet, contended, MESH_LABEL);
      const entry = finishedEntry(contended);
      const answers = await Promise.all(Array.from({ length: 10 }, () => push(fleet, entry)));
      expect(answers.every((status) => status === 204 || status === 500)).toBe(true);
      // What was answered with 500 is delivered again.
      for (let tries = 0; tries < 5 && (await push(fleet, entry)) !== 204; tries += 1) await sleep(500);
      await joined(fleet);
      expect(membersOf(fleet)).toHaveLength(4);
      await expectPaired(membersOf(fleet));
      await expectWrittenOnce(fleet, contended, "cacerts");
      for (const peer of membersOf(fleet).filter(({ clusterId }) => clusterId !== contended.clusterId)) {
        await expectWrittenOnce(fleet, contended, `istio-remote-secret-${peer.clusterId}`);
        await expectWrittenOnce(fleet, contended, `meshjoin-reader-${peer.clusterId}`);
        await expectWrittenOnce(fleet, peer, `istio-remote-secret-${contended.clusterId}`);
        await expectWrittenOnce(fleet, peer, `meshjoin-reader-${contended.clusterId}`);
      }
    },
    SCENARIO_MS,
  );

  it(
    "01.6 two clusters that join at the same instant are paired both ways",
    async () => {
      const { fleet } = world;
      await Promise.all([fleet.createCluster("twin-a"), fleet.createCluster("twin-b")]);
      await joined(fleet);
      expect(membersOf(fleet)).toHaveLength(6);
      await expectPaired(membersOf(fleet));
    },
    SCENARIO_MS,
  );

  it(
    "01.7 an unreachable member holds up nobody, and the same event after its recovery completes the join",
    async () => {
      const { fleet } = world;
      const [gone, ...reachable] = membersOf(fleet);
      if (gone === undefined) throw new Error("there is no member");
      await setFault(fleet, { target: gone.clusterId, kind: "refuse" });
      const late = await fleet.createCluster("late");
      const acknowledged = async () =>
        (await functionLog(fleet)).some(
          (line) => line.message === "reconciled" && line.clusterId === late.clusterId,
        );
      expect(await eventually(acknowledged, Boolean)).toBe(true);
      const named = (await functionLog(fleet)).filter(
        (each) => each.clusterId === late.clusterId && each.finding?.reason === "ApiServerUnreachable",
      );
      expect(named.map(({ finding }) => finding?.clusterId)).toEqual([gone.clusterId]);
      const others = fleet
        .file()
        .members.filter(({ clusterId }) =>
          [...reachable, late].some((member) => member.clusterId === clusterId),
        );
      expect(await unsyncedPairs(others)).toEqual([]);
      expect((await secrets(late)).has(`istio-remote-secret-${gone.clusterId}`)).toBe(false);
      expect(await push(fleet, finishedEntry(late))).toBe(204);

      await clearFaults(fleet);
      expect(await push(fleet, finishedEntry(late))).toBe(204);
      await expectPaired(membersOf(fleet));
    },
    SCENARIO_MS,
  );
});

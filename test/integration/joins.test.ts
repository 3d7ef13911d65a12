import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type SandboxFleet, startFleet } from "../../sandbox/fleet.ts";
import type { FleetMember } from "../../sandbox/fleet-file.ts";
import { unsyncedPairs } from "../../sandbox/sync-state.ts";
import { makeRoot } from "../../shared/pki/make-root.ts";
import { finishedEntry, functionLog, loggedDuring, push, pushCloudEvent } from "./world/events.ts";
import { addRoot, aliasRoots, clearFaults, setFault, setLabels, setRootEnabled } from "./world/google.ts";
import { kubectl, list, secrets, snapshot } from "./world/kubectl.ts";

const START_MS = 30 * 60_000;
const SCENARIO_MS = 120_000;
const MESH_LABEL = { mesh_id: "sandbox" };

let dir: string;
let fleet: SandboxFleet;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "meshjoin-joins-"));
  fleet = await startFleet({ members: 1, dir, join: true, progress: () => undefined });
}, START_MS);

afterAll(async () => {
  await fleet?.stop();
  await rm(dir, { recursive: true, force: true });
}, SCENARIO_MS);

function joined(): readonly FleetMember[] {
  return fleet.file().members.filter(({ labels }) => labels["mesh_id"] === "sandbox");
}

/** The write is the first and the only one: nobody has replaced the object since. */
async function wasWrittenOnce(member: FleetMember, name: string): Promise<void> {
  const secret = (await secrets(member)).get(name);
  const updates = secret?.metadata.managedFields?.filter(({ operation }) => operation === "Update") ?? [];
  expect(updates.map(({ manager, time }) => [manager, time])).toEqual([
    ["meshjoin", secret?.metadata.creationTimestamp],
  ]);
}

async function expectPaired(members: readonly FleetMember[]): Promise<void> {
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

/** The last write of a starting istiod: it turns its validating webhooks from Ignore to Fail. */
async function untilFailClosed(member: FleetMember): Promise<void> {
  const policies = async () => {
    const path = "jsonpath={.items[*].webhooks[*].failurePolicy}";
    return await kubectl(member, "get", "validatingwebhookconfigurations", "-o", path);
  };
  for (let tries = 0; tries < 150 && (await policies()) !== "Fail Fail"; tries += 1) await sleep(200);
  expect(await policies()).toBe("Fail Fail");
}

async function isUntouched(member: FleetMember): Promise<void> {
  expect(await list(member, "namespaces,secrets,deployments", "-A", "-l", "meshjoin.dev/mesh")).toEqual([]);
}

describe("joining", () => {
  it(
    "01 the first cluster gets a namespace with its network, a CA of its own, and a Ready istiod",
    async () => {
      const [first] = joined();
      if (first === undefined) throw new Error("there is no member");
      const [namespace] = await list(first, "namespaces", "-l", "meshjoin.dev/mesh=sandbox");
      expect(namespace?.metadata.labels).toMatchObject({
        "topology.istio.io/network": "meshjoin-sandbox.default",
      });
      const cacerts = (await secrets(first)).get("cacerts");
      expect(Object.keys(cacerts?.data ?? {}).toSorted()).toEqual([
        "ca-cert.pem",
        "ca-key.pem",
        "cert-chain.pem",
        "root-cert.pem",
      ]);
      expect(cacerts?.metadata.annotations).toMatchObject({ "meshjoin.dev/root-versions": '{"signing":1}' });
      expect(await kubectl(first, "-n", "istio-system", "rollout", "status", "deployment/istiod")).toContain(
        "successfully rolled out",
      );
      // The fleet counts a mesh of one as joined once istiod answers; the function's last note comes a moment later.
      const loadedAt = async () =>
        (await secrets(first)).get("cacerts")?.metadata.annotations?.["meshjoin.dev/loaded-at"];
      for (let tries = 0; tries < 50 && (await loadedAt()) === undefined; tries += 1) await sleep(200);
      expect(await loadedAt()).toMatch(/Z$/);
    },
    SCENARIO_MS,
  );

  it(
    "02 the second one is paired with it, both ways",
    async () => {
      await fleet.createCluster("second");
      await fleet.waitUntilSynced();
      expect(joined()).toHaveLength(2);
      await expectPaired(joined());
    },
    SCENARIO_MS,
  );

  it(
    "03 the third one joins both, and their own pair is not touched",
    async () => {
      const before = await Promise.all(joined().map((member) => secrets(member)));
      await fleet.createCluster("third");
      await fleet.waitUntilSynced();
      expect(joined()).toHaveLength(3);
      await expectPaired(joined());
      for (const [index, member] of joined().slice(0, 2).entries()) {
        const after = await secrets(member);
        for (const [name, secret] of before[index] ?? []) {
          expect(after.get(name)?.metadata.resourceVersion).toBe(secret.metadata.resourceVersion);
        }
      }
    },
    SCENARIO_MS,
  );

  it(
    "04 the same event ten times in sequence writes nothing more",
    async () => {
      const [first] = joined();
      if (first === undefined) throw new Error("there is no member");
      await Promise.all(joined().map((member) => untilFailClosed(member)));
      const before = await Promise.all(joined().map((member) => snapshot(member)));
      for (let count = 0; count < 10; count += 1) expect(await push(fleet, finishedEntry(first))).toBe(204);
      expect(await Promise.all(joined().map((member) => snapshot(member)))).toEqual(before);
      expect(before[0]?.length).toBeGreaterThan(30);
    },
    SCENARIO_MS,
  );

  it(
    "04 ten events at once mint one CA and one token per reader",
    async () => {
      const contended = await fleet.createCluster("contended", { labels: {} });
      await isUntouched(contended);
      await setLabels(fleet, contended, MESH_LABEL);
      const entry = finishedEntry(contended);
      const answers = await Promise.all(Array.from({ length: 10 }, () => push(fleet, entry)));
      expect(answers.every((status) => status === 204 || status === 500)).toBe(true);
      // What was answered with 500 is delivered again.
      for (let tries = 0; tries < 5 && (await push(fleet, entry)) !== 204; tries += 1) await sleep(500);
      await fleet.waitUntilSynced();
      expect(joined()).toHaveLength(4);
      await expectPaired(joined());
      await wasWrittenOnce(contended, "cacerts");
      for (const peer of joined().filter(({ clusterId }) => clusterId !== contended.clusterId)) {
        await wasWrittenOnce(contended, `istio-remote-secret-${peer.clusterId}`);
        await wasWrittenOnce(contended, `meshjoin-reader-${peer.clusterId}`);
        await wasWrittenOnce(peer, `istio-remote-secret-${contended.clusterId}`);
        await wasWrittenOnce(peer, `meshjoin-reader-${contended.clusterId}`);
      }
    },
    SCENARIO_MS,
  );

  it(
    "05 two clusters that join at the same instant are paired both ways",
    async () => {
      await Promise.all([fleet.createCluster("twin-a"), fleet.createCluster("twin-b")]);
      await fleet.waitUntilSynced();
      expect(joined()).toHaveLength(6);
      await expectPaired(joined());
    },
    SCENARIO_MS,
  );

  it(
    "06 an unreachable member holds up nobody, and the same event after its recovery completes the join",
    async () => {
      const [gone, ...reachable] = joined();
      if (gone === undefined) throw new Error("there is no member");
      await setFault(fleet, { target: gone.clusterId, kind: "refuse" });
      const late = await fleet.createCluster("late");
      const acknowledged = async () =>
        (await functionLog(fleet)).some(
          (line) => line.message === "reconciled" && line.clusterId === late.clusterId,
        );
      for (let tries = 0; tries < 300 && !(await acknowledged()); tries += 1) await sleep(200);
      expect(await acknowledged()).toBe(true);
      const named = (await functionLog(fleet)).filter(
        (each) => each.clusterId === late.clusterId && each.finding?.reason === "ApiServerUnreachable",
      );
      expect(named.map(({ finding }) => finding?.clusterId)).toEqual([gone.clusterId]);
      const now = fleet.file().members;
      const others = now.filter(({ clusterId }) =>
        [...reachable, late].some((member) => member.clusterId === clusterId),
      );
      expect(await unsyncedPairs(others)).toEqual([]);
      expect((await secrets(late)).has(`istio-remote-secret-${gone.clusterId}`)).toBe(false);
      expect(await push(fleet, finishedEntry(late))).toBe(204);

      await clearFaults(fleet);
      expect(await push(fleet, finishedEntry(late))).toBe(204);
      await expectPaired(joined());
    },
    SCENARIO_MS,
  );
});

async function badRoots(): Promise<readonly (readonly [string, string])[]> {
  const now = new Date();
  const years = (count: number) => new Date(now.getTime() + count * 365 * 86_400_000);
  const [good, other, expired, future] = await Promise.all([
    makeRoot({ organization: "a", now }),
    makeRoot({ organization: "b", now }),
    makeRoot({ organization: "c", now: years(-11) }),
    makeRoot({ organization: "d", now: years(1) }),
  ]);
  return [
    ["RootKeyMismatch", good.certificate + other.privateKey],
    ["RootExpired", expired.certificate + expired.privateKey],
    ["RootNotYetValid", future.certificate + future.privateKey],
    ["RootPayloadMalformed", "not a certificate at all"],
    ["RootPayloadMalformed", good.certificate],
  ];
}

describe("what is left alone", () => {
  it(
    "07 no bad root is used: acknowledged, one ERROR line with its code, nothing written",
    async () => {
      const rootless = await fleet.createCluster("rootless", { labels: {} });
      await setLabels(fleet, rootless, MESH_LABEL);
      const expectRefused = async (code: string) => {
        let status = 0;
        const lines = await loggedDuring(fleet, async () => {
          status = await push(fleet, finishedEntry(rootless));
        });
        expect(status).toBe(204);
        const errors = lines.filter(({ severity }) => severity === "ERROR");
        expect(errors.map((line) => line.code)).toEqual([code]);
        await isUntouched(rootless);
      };
      try {
        await aliasRoots(fleet, {});
        await expectRefused("NoSigningRoot");
        for (const [code, payload] of await badRoots()) {
          await aliasRoots(fleet, { signing: await addRoot(fleet, payload) });
          await expectRefused(code);
        }
        const disabled = await addRoot(fleet, "whatever it is");
        await aliasRoots(fleet, { signing: disabled });
        await setRootEnabled(fleet, disabled, false);
        await expectRefused("RootVersionDisabled");
      } finally {
        await aliasRoots(fleet, { signing: "1" });
        await setLabels(fleet, rootless, {});
      }
    },
    SCENARIO_MS,
  );

  it(
    "08 foreign certificates and self-signed installations are named and not touched",
    async () => {
      const foreign = await fleet.createCluster("foreign", { labels: {} });
      const root = await makeRoot({ organization: "elsewhere", now: new Date() });
      await kubectl(foreign, "create", "namespace", "istio-system");
      const literal = (name: string, value: string) => `--from-literal=${name}=${value}`;
      const create = ["-n", "istio-system", "create", "secret", "generic"];
      await kubectl(
        foreign,
        ...create,
        "cacerts",
        literal("ca-cert.pem", root.certificate),
        literal("ca-key.pem", root.privateKey),
        literal("cert-chain.pem", root.certificate),
        literal("root-cert.pem", root.certificate),
      );
      await setLabels(fleet, foreign, MESH_LABEL);
      const reasons = async () => {
        const lines = await loggedDuring(fleet, async () => {
          expect(await push(fleet, finishedEntry(foreign))).toBe(204);
        });
        return lines.flatMap(({ finding }) => (finding?.severity === "error" ? [finding.reason] : []));
      };
      expect(await reasons()).toEqual(["ForeignCacerts"]);
      await isUntouched(foreign);

      await kubectl(foreign, "-n", "istio-system", "delete", "secret", "cacerts");
      await kubectl(foreign, ...create, "istio-ca-secret", literal("ca-cert.pem", root.certificate));
      const image = "--image=example.com/istiod:1.20.0";
      await kubectl(foreign, "-n", "istio-system", "create", "deployment", "istiod", image);
      await kubectl(
        foreign,
        "-n",
        "istio-system",
        "label",
        "deployment",
        "istiod",
        "app=istiod",
        "--overwrite",
      );
      expect(await reasons()).toContain("SelfSignedMesh");
      await isUntouched(foreign);
      await setLabels(fleet, foreign, {});
    },
    SCENARIO_MS,
  );

  const member = { project: "meshjoin-sandbox", location: "europe-west1", name: "nobody" };
  const entry = finishedEntry(member);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made a few lines above
  const payload = entry["protoPayload"] as Readonly<Record<string, unknown>>;
  it.each([
    ["a first entry", { operation: { id: "o", first: true } }],
    ["a rejected creation", { operation: undefined, protoPayload: { ...payload, status: { code: 3 } } }],
    ["a failed creation", { protoPayload: { ...payload, status: { code: 13 } } }],
    ["another service", { protoPayload: { ...payload, serviceName: "compute.googleapis.com" } }],
    [
      "another method",
      { protoPayload: { ...payload, methodName: "google.container.v1.ClusterManager.SetLegacyAbac" } },
    ],
    [
      "a node-pool operation",
      { protoPayload: { ...payload, methodName: "google.container.v1.ClusterManager.CreateNodePool" } },
    ],
  ])("09 %s is acknowledged without any request, in every envelope", async (_, change) => {
    const { reconciler } = fleet.accounts;
    const count = async () => {
      const { gke, secretmanager } = fleet.ledger.requests(reconciler);
      return gke + secretmanager + (await fleet.clusterRequests(reconciler));
    };
    const before = await count();
    const ignored = finishedEntry(member, change);
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

import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { kubectl, snapshot } from "./world/kubectl.ts";
import { untilFailClosed } from "./world/mesh.ts";
import { doctor, sync } from "./world/sync-mesh.ts";

const world = useFleet({ members: 2 });

const SERVICE = ["-n", "istio-system", "service", "istiod"] as const;
const deep = async () => await sync(world.fleet, { deep: true });
const describeFindings = async () =>
  (await deep()).body.findings.map(({ reason, clusterId }) => [reason, clusterId]);

async function selectorOf(member: FleetMember): Promise<string> {
  return await kubectl(member, "get", ...SERVICE, "-o", "jsonpath={.spec.selector.app}");
}

/** As a person does who wants another istiod behind the Service. */
async function edit(member: FleetMember): Promise<void> {
  const change = JSON.stringify({ spec: { selector: { app: "theirs" } } });
  await kubectl(member, "patch", ...SERVICE, "--field-manager=their-tool", "--type=merge", "-p", change);
}

/** Of the one kind that `kubectl create` has no words for. */
const LEFT_OVER_POLICY = fileURLToPath(new URL("../support/fixtures/left-over-policy.json", import.meta.url));

/** An object of each kind that Meshjoin deletes, and one that it does not. */
const LEFT_OVER: readonly (readonly string[])[] = [
  ["create", "configmap", "left-over"],
  ["create", "serviceaccount", "left-over"],
  ["create", "role", "left-over", "--verb=get", "--resource=pods"],
  ["create", "rolebinding", "left-over", "--role=left-over", "--serviceaccount=istio-system:left-over"],
  ["create", "service", "clusterip", "left-over", "--tcp=80"],
  ["create", "poddisruptionbudget", "left-over", "--selector=app=left-over", "--min-available=0"],
  ["create", "quota", "left-over"],
  ["create", "-f", LEFT_OVER_POLICY],
  ["create", "clusterrole", "left-over", "--verb=get", "--resource=pods"],
  ["autoscale", "deployment", "istiod", "--name=left-over", "--max=2"],
];
const KINDS_LEFT_OVER =
  "configmap,serviceaccount,role,rolebinding,service,poddisruptionbudget,horizontalpodautoscaler,resourcequota,networkpolicy,clusterrole";

async function leaveOver(member: FleetMember): Promise<void> {
  const inNamespace = async (...args: string[]) => await kubectl(member, "-n", "istio-system", ...args);
  for (const args of LEFT_OVER) await inNamespace(...args);
  const mesh = await kubectl(
    member,
    "get",
    "namespace",
    "istio-system",
    "-o",
    String.raw`jsonpath={.metadata.labels.meshjoin\.dev/mesh}`,
  );
  const labels = [
    "app.kubernetes.io/managed-by=meshjoin",
    "app.kubernetes.io/part-of=istio",
    `meshjoin.dev/mesh=${mesh}`,
  ];
  for (const name of await leftOver(member)) await inNamespace("label", name, ...labels);
}

async function leftOver(member: FleetMember): Promise<string[]> {
  const all = await kubectl(member, "-n", "istio-system", "get", KINDS_LEFT_OVER, "-o", "name");
  return all.split("\n").filter((name) => name.endsWith("/left-over"));
}

describe("09.1 a deep run", () => {
  it(
    "writes nothing where nobody has changed anything, istiod and autoscaler included",
    async () => {
      const members = membersOf(world.fleet);
      await Promise.all(members.map((member) => untilFailClosed(member)));
      const before = await Promise.all(members.map((member) => snapshot(member)));
      expect(await deep()).toMatchObject({ status: 200, body: { outcome: "unchanged", findings: [] } });
      expect(await Promise.all(members.map((member) => snapshot(member)))).toEqual(before);
    },
    SCENARIO_MS,
  );

  it(
    "takes a field back once, and leaves it to a manager that changes it again",
    async () => {
      const [member] = membersOf(world.fleet);
      if (member === undefined) throw new Error("there is no member");
      await edit(member);
      expect(await sync(world.fleet)).toMatchObject({ body: { outcome: "unchanged" } });
      expect(await describeFindings()).toEqual([["ControlPlaneEdited", member.clusterId]]);
      expect(await selectorOf(member)).toBe("istiod");

      await edit(member);
      const { status, body } = await deep();
      expect([status, body.findings.map(({ reason }) => reason)]).toEqual([207, ["FieldConflict"]]);
      expect(body.findings[0]?.message).toContain("their-tool");
      expect(await selectorOf(member)).toBe("theirs");

      await kubectl(member, "delete", ...SERVICE);
      await deep();
      expect(await selectorOf(member)).toBe("istiod");
      expect((await deep()).body).toMatchObject({ outcome: "unchanged", findings: [] });
    },
    SCENARIO_MS,
  );

  it(
    "deletes what an earlier manifest has left over, and tells of what a person is to delete",
    async () => {
      const [member] = membersOf(world.fleet);
      if (member === undefined) throw new Error("there is no member");
      await leaveOver(member);
      expect(await leftOver(member)).toHaveLength(LEFT_OVER.length);
      expect(await sync(world.fleet)).toMatchObject({ body: { outcome: "unchanged", findings: [] } });
      expect(await leftOver(member)).toHaveLength(LEFT_OVER.length);

      const { findings } = (await deep()).body;
      expect(findings.filter(({ reason }) => reason === "ObjectPruned")).toHaveLength(LEFT_OVER.length - 1);
      const told = findings.filter(({ reason }) => reason === "ObjectLeftOver");
      expect(told.map(({ cure }) => cure)).toEqual([
        expect.stringContaining("delete clusterroles left-over"),
      ]);
      expect(await leftOver(member)).toEqual(["clusterrole.rbac.authorization.k8s.io/left-over"]);
      await kubectl(member, "delete", "clusterrole", "left-over");
      expect((await deep()).body).toMatchObject({ outcome: "unchanged", findings: [] });
    },
    SCENARIO_MS,
  );

  it(
    "names a permission that the reconciler lacks, as its doctor does, and neither names one where none is missing",
    async () => {
      const { iam } = world.fleet;
      const ids = membersOf(world.fleet).map(({ clusterId }) => clusterId);
      const missing = async () => {
        const { checks } = await doctor(world.fleet);
        const { findings } = (await deep()).body;
        return {
          faults: checks.filter(({ state }) => state === "fault"),
          findings: findings.filter(({ reason }) => reason === "PermissionMissing"),
        };
      };
      expect(await missing()).toEqual({ faults: [], findings: [] });

      const giveBack = iam.withhold("reconciler", "container.podDisruptionBudgets.create");
      try {
        const { faults, findings } = await missing();
        const message = expect.stringContaining("not allowed: poddisruptionbudgets (create)");
        const each = (about: object) =>
          expect.arrayContaining(ids.map((clusterId) => expect.objectContaining({ ...about, clusterId })));
        expect(faults).toEqual(each({ account: "reconciler", message }));
        expect(findings).toEqual(each({ severity: "error", message }));
      } finally {
        giveBack();
      }
      expect(await missing()).toEqual({ faults: [], findings: [] });
    },
    SCENARIO_MS,
  );

  it.each([
    ["rotator", "secretmanager.versions.add", "not allowed: secretmanager.versions.add"],
    ["rotator", "container.podDisruptionBudgets.create", "not allowed: poddisruptionbudgets (create)"],
    ["signer", "secretmanager.versions.access", "secretmanager.versions.access"],
  ] as const)(
    "has the %s examine itself: without %s it is named, with it it is well",
    async (account, permission, message) => {
      const { fleet } = world;
      const own = async () =>
        (await doctor(fleet)).checks.filter((check) => check.account === account && check.state !== "ok");
      const found = async () =>
        (await deep()).body.findings.filter(({ reason }) => reason.startsWith("Account"));
      expect(await own()).toEqual([]);
      const giveBack = fleet.iam.withhold(account, permission);
      try {
        const told = expect.objectContaining({ state: "fault", message: expect.stringContaining(message) });
        expect(await own()).toContainEqual(told);
        expect(await found()).toContainEqual(
          expect.objectContaining({ reason: "AccountFault", message: expect.stringContaining(message) }),
        );
      } finally {
        giveBack();
      }
      expect(await own()).toEqual([]);
      expect(await found()).toEqual([]);
    },
    SCENARIO_MS,
  );
});

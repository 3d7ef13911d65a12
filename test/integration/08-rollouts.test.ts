import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { MIRROR_HUB } from "../../sandbox/google/cloud.ts";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { parsePin } from "../../shared/istio/pin.ts";
import { meshjoinOfClone, sitDown } from "./world/desk.ts";
import { membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { clearFaults, setFault } from "./world/google.ts";
import { kubectl } from "./world/kubectl.ts";
import { eventually, expectPaired } from "./world/mesh.ts";
import { plan, status, sync } from "./world/sync-mesh.ts";

const world = useFleet({ members: 3 });

const ISTIOD = ["-n", "istio-system", "deployment", "istiod"] as const;
const HASH = "meshjoin.dev/manifest-hash";

async function imageOf(member: FleetMember): Promise<string> {
  return await kubectl(member, "get", ...ISTIOD, "-o", "jsonpath={..containers[0].image}");
}

const pin = parsePin(await readFile(new URL("../../shared/istio/pin.json", import.meta.url), "utf8"));

/** Nodes get no istiod of this hub until faults are cleared. */
async function keepBack(hub: string): Promise<string> {
  const image = `${hub}/pilot:${pin.tag}`;
  await setFault(world.fleet, { target: "registry", kind: "imagePull", image });
  return image;
}

async function hashOf(member: FleetMember): Promise<string> {
  return await kubectl(
    member,
    "get",
    ...ISTIOD,
    "-o",
    String.raw`jsonpath={.metadata.annotations.meshjoin\.dev/manifest-hash}`,
  );
}

/** The API server refuses any caller's change of istiod in this cluster. */
const FREEZE = [
  {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    metadata: { name: "freeze" },
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: ["apps"], apiVersions: ["v1"], operations: ["UPDATE"], resources: ["deployments"] },
        ],
      },
      validations: [{ expression: 'object.metadata.name != "istiod"', message: "changes are frozen" }],
    },
  },
  {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: { name: "freeze" },
    spec: { policyName: "freeze", validationActions: ["Deny"] },
  },
];

async function freeze(member: FleetMember): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "meshjoin-freeze-"));
  const file = join(dir, "freeze.json");
  await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: FREEZE }));
  await kubectl(member, "apply", "-f", file);
  await rm(dir, { recursive: true });
  // A new policy takes a moment until it is enforced.
  const refused = () =>
    kubectl(member, "annotate", ...ISTIOD, "--overwrite", "frozen=no", "--dry-run=server").then(
      () => false,
      (error: unknown) => String(error).includes("changes are frozen"),
    );
  expect(await eventually(refused, Boolean)).toBe(true);
}

describe("08.1 a changed manifest", () => {
  it(
    "goes to one member after the other, stops at one that refuses it, and goes on when it does not",
    async () => {
      const { fleet } = world;
      const members = membersOf(fleet).toSorted((a, b) => (a.clusterId < b.clusterId ? -1 : 1));
      const [first, second, third] = members;
      if (first === undefined || second === undefined || third === undefined) throw new Error("not three");
      const hashes = await Promise.all(members.map((member) => hashOf(member)));
      // As if all had been installed from the manifest before.
      await Promise.all(
        members.map((member) => kubectl(member, "annotate", ...ISTIOD, "--overwrite", `${HASH}=before`)),
      );
      await freeze(second);
      expect(new Set((await plan(fleet)).actions.map(({ clusterId }) => clusterId)).size).toBe(3);

      const stopped = await sync(fleet);
      expect(stopped.status).toBe(207);
      expect(stopped.body.findings.map(({ reason, clusterId }) => [reason, clusterId])).toEqual(
        expect.arrayContaining([["RollOutStopped", second.clusterId]]),
      );
      expect(await Promise.all(members.map((member) => hashOf(member)))).toEqual([
        hashes[0],
        "before",
        "before",
      ]);
      await expectPaired(members);

      await kubectl(second, "delete", "validatingadmissionpolicybinding", "freeze");
      const again = await eventually(
        () => sync(fleet),
        (seen) => seen.status === 200,
      );
      expect(again).toMatchObject({ status: 200, body: { outcome: "updated" } });
      expect(await Promise.all(members.map((member) => hashOf(member)))).toEqual(hashes);
      await expectPaired(members);
    },
    SCENARIO_MS,
  );
});

describe("an image that nodes cannot get", () => {
  it(
    "08.2 holds up a join, with the node's words, and no longer than that",
    async () => {
      const { fleet } = world;
      const image = await keepBack(pin.hub);
      const { clusterId, name } = await fleet.createCluster("unpulled");
      const findings = async () =>
        (await status(fleet)).members.find((each) => each.clusterId === clusterId)?.findings ?? [];
      const told = await eventually(findings, (found) =>
        found.some(({ reason, message }) => reason === "ImageNotPulled" && message.includes("BackOff")),
      );
      const finding = told.find(({ reason }) => reason === "ImageNotPulled");
      expect(finding?.message).toContain(`Back-off pulling image "${image}": ErrImagePull: `);
      expect(finding?.cure).toContain("MESHJOIN_ISTIO_HUB");

      await clearFaults(fleet);
      await fleet.waitUntilSynced();
      expect(await findings()).toEqual([]);
      await fleet.deleteCluster(name);
      await fleet.waitUntilDelivered();
    },
    SCENARIO_MS,
  );

  it(
    "08.3 stops the roll-out of another hub at the first member, while its old istiod goes on",
    async () => {
      const { fleet } = world;
      const members = membersOf(fleet).toSorted((a, b) => (a.clusterId < b.clusterId ? -1 : 1));
      const images = () => Promise.all(members.map((member) => imageOf(member)));
      const published = `${pin.hub}/pilot:${pin.tag}`;
      expect(await images()).toEqual([published, published, published]);
      const mirrored = await keepBack(MIRROR_HUB);
      const desk = await sitDown(fleet, {});
      await desk.set(await meshjoinOfClone(fleet));
      await desk.set(`MESHJOIN_ISTIO_HUB=${MIRROR_HUB}`);

      const stopped = await desk.run("meshjoin sync");
      expect(stopped.out).toContain("RollOutStopped");
      const shown = await desk.run("meshjoin status");
      expect(shown.out).toContain("ImageNotPulled");
      expect(shown.out).toContain(`Back-off pulling image "${mirrored}"`);
      expect(await images()).toEqual([mirrored, published, published]);
      await expectPaired(members);

      await clearFaults(fleet);
      // A node that was refused for a minute asks again about a minute later.
      const last = await eventually(
        () => desk.run("meshjoin sync"),
        ({ code }) => code === 0,
        3 * 60_000,
      );
      expect(last).toMatchObject({ code: 0 });
      expect(await images()).toEqual([mirrored, mirrored, mirrored]);
      await fleet.waitUntilSynced();
      await expectPaired(membersOf(fleet));
    },
    // A run waits a minute for the istiod that cannot start.
    3 * SCENARIO_MS,
  );
});

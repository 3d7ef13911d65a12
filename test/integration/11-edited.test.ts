import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import type { SandboxFleet } from "../../sandbox/fleet/fleet.ts";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { clearFaults, holdEvents } from "./world/google.ts";
import { kubectl } from "./world/kubectl.ts";
import { eventually, expectForgotten, expectPaired } from "./world/mesh.ts";
import { pushRotation } from "./world/rotation.ts";
import { sync } from "./world/sync-mesh.ts";

const world = useFleet({ members: 1 });

const PART_OF = "app.kubernetes.io/part-of";
/** Of the manifest; the record has no such label. */
const OURS = ["-n", "istio-system", "-l", `meshjoin.dev/mesh=sandbox,${PART_OF}`] as const;
/**
 * Of every kind that a control plane consists of, custom resource definitions apart: those are always taken
 * back.
 */
const KINDS = [
  "serviceaccounts",
  "clusterroles",
  "clusterrolebindings",
  "roles",
  "rolebindings",
  "configmaps",
  "services",
  "horizontalpodautoscalers",
  "poddisruptionbudgets",
  "deployments",
  "mutatingwebhookconfigurations",
  "validatingwebhookconfigurations",
].join(",");

/**
 * Another tool takes a label of each object, and the hash that says that all of them are as they should be.
 */
async function edit(member: FleetMember): Promise<void> {
  const byThem = ["--overwrite", "--field-manager=their-tool"];
  await kubectl(member, "label", KINDS, ...OURS, ...byThem, `${PART_OF}=theirs`);
  await kubectl(
    member,
    "annotate",
    "deployment",
    "istiod",
    "-n",
    "istio-system",
    ...byThem,
    "meshjoin.dev/manifest-hash=theirs",
  );
}

async function labels(member: FleetMember): Promise<ReadonlySet<string>> {
  const path = `jsonpath={range .items[*]}{.metadata.labels.${PART_OF.replaceAll(".", String.raw`\.`)}}{"\\n"}{end}`;
  return new Set((await kubectl(member, "get", KINDS, ...OURS, "-o", path)).trim().split("\n"));
}

const tick = (fleet: SandboxFleet) => pushRotation(fleet, { data: { kind: "tick" } });

/** A run polls for a minute at most. A member that is not ready then is ready for the next run. */
async function tickUntilSynced(fleet: SandboxFleet): Promise<void> {
  const synced = fleet.waitUntilSynced().then(() => true);
  while (!(await Promise.race([synced, tick(fleet).then(() => sleep(100, false))]))) continue;
}

describe("11.1 objects of ours that somebody has edited, of every kind", () => {
  it.each([
    ["POST /sync", (fleet: SandboxFleet) => sync(fleet)],
    ["a tick", tick],
  ])(
    "are taken back by %s that has a manifest to roll out",
    async (_, run) => {
      const [member] = membersOf(world.fleet);
      if (member === undefined) throw new Error("there is no member");
      await edit(member);
      expect(await labels(member)).toEqual(new Set(["theirs"]));
      // The run of its join may not be over: until it is, nothing is rolled out.
      const afterRun = async () => {
        await run(world.fleet);
        return await labels(member);
      };
      const taken = new Set(["istio"]);
      expect(await eventually(afterRun, (seen) => seen.isSubsetOf(taken))).toEqual(taken);
    },
    SCENARIO_MS,
  );
});

describe("11.2 a tick", () => {
  it(
    "joins a cluster that no event told of, and forgets one that is gone",
    async () => {
      const { fleet } = world;
      await holdEvents(fleet);
      const unheard = await fleet.createCluster("unheard");
      await tickUntilSynced(fleet);
      expect(membersOf(fleet)).toHaveLength(2);
      await expectPaired(membersOf(fleet));

      await fleet.deleteCluster(unheard.name);
      expect(await tick(fleet)).toBe(204);
      await expectForgotten(fleet, unheard);
      await clearFaults(fleet);
    },
    2 * SCENARIO_MS,
  );
});

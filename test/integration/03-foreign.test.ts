import { describe, expect, it } from "@jest/globals";
import { unsyncedPairs } from "../../sandbox/fleet/istiod-sync.ts";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { makeRoot } from "../../shared/pki/make-root.ts";
import type { KubernetesObject } from "../../shared/ports/kubernetes-object.ts";
import { payloadOf } from "../support/pki/gen.ts";
import { cacertsFiles, createNamespace, createSecret, installIstio } from "./world/by-hand.ts";
import { handle } from "./world/events.ts";
import { MESH_LABEL, membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { setLabels, signingRoot } from "./world/google.ts";
import { kubectl, list, secrets, writes } from "./world/kubectl.ts";
import { expectUntouched } from "./world/mesh.ts";

const world = useFleet({ members: 1 });
const NETWORK = "meshjoin-sandbox.default";

/** A cluster that holds what `prepare` puts there, and is then labelled for the mesh. */
async function aCluster(
  name: string,
  prepare: (cluster: FleetMember) => Promise<void>,
): Promise<FleetMember> {
  const cluster = await world.fleet.createCluster(name, { labels: {} });
  await createNamespace(cluster);
  await prepare(cluster);
  await setLabels(world.fleet, cluster, MESH_LABEL);
  return cluster;
}

/** Reasons of the findings about the cluster that an event brings up; the event is acknowledged. */
async function reasons(cluster: FleetMember): Promise<readonly string[]> {
  const { status, lines } = await handle(world.fleet, cluster);
  expect(status).toBe(204);
  return lines.flatMap(({ finding }) => (finding?.clusterId === cluster.clusterId ? [finding.reason] : []));
}

async function namespace(cluster: FleetMember): Promise<KubernetesObject["metadata"]> {
  const [found] = await list(cluster, "namespaces", "--field-selector", "metadata.name=istio-system");
  if (found === undefined) throw new Error("there is no namespace istio-system");
  return found.metadata;
}

/** Every object that a person or a tool put there, with a value that changes with any write to it. */
async function contents(cluster: FleetMember): Promise<readonly string[]> {
  return writes(await list(cluster, "secrets,configmaps,serviceaccounts,services", "-n", "istio-system"));
}

async function expectLeftAlone(cluster: FleetMember, ...expected: string[]): Promise<void> {
  const before = await contents(cluster);
  expect(await reasons(cluster)).toEqual(expected);
  expect(await contents(cluster)).toEqual(before);
  await expectUntouched(cluster);
  await setLabels(world.fleet, cluster, {});
}

describe("03.1 what somebody else installed", () => {
  it(
    "is left alone and named ForeignCacerts when it chains to another root",
    async () => {
      const elsewhere = payloadOf(await makeRoot({ organization: "elsewhere", now: new Date() }));
      const cluster = await aCluster("other-root", async (made) => {
        await createSecret(made, "cacerts", await cacertsFiles(elsewhere));
      });
      await expectLeftAlone(cluster, "ForeignCacerts");
    },
    SCENARIO_MS,
  );

  it(
    "is left alone and named SelfSignedMesh when an istiod runs there with a CA of its own",
    async () => {
      const cluster = await aCluster("self-signed", async (made) => {
        await installIstio(made, { meshId: "sandbox", clusterName: "self-signed", network: NETWORK });
      });
      expect([...(await secrets(cluster)).keys()]).toContain("istio-ca-secret");
      await expectLeftAlone(cluster, "SelfSignedMesh");
    },
    SCENARIO_MS,
  );

  it(
    "is left alone and named ForeignControlPlane when its istiod is of another mesh with the same root",
    async () => {
      const files = await cacertsFiles(await signingRoot(world.fleet));
      const cluster = await aCluster("other-mesh", async (made) => {
        await createSecret(made, "cacerts", files);
        await installIstio(made, { meshId: "staging", clusterName: made.clusterId, network: NETWORK });
      });
      await expectLeftAlone(cluster, "ForeignControlPlane");
    },
    SCENARIO_MS,
  );

  it(
    "is accepted as a member when mesh, cluster, network and root are right, and gets nothing but its pairs and a note",
    async () => {
      const files = await cacertsFiles(await signingRoot(world.fleet));
      const cluster = await aCluster("by-hand", async (made) => {
        await createSecret(made, "cacerts", files);
        await installIstio(made, { meshId: "sandbox", clusterName: made.clusterId, network: NETWORK });
      });
      const before = await contents(cluster);
      expect(await reasons(cluster)).toEqual(["ForeignCacertsAccepted", "ForeignControlPlaneAccepted"]);
      expect(await unsyncedPairs(membersOf(world.fleet))).toEqual([]);
      expect(await contents(cluster)).toEqual(expect.arrayContaining([...before]));
      const settled = await contents(cluster);
      const noted = await namespace(cluster);
      expect(noted.annotations?.["meshjoin.dev/accepted-cacerts"]).toMatch(/^\d+ \{"signing":1\} \S+Z$/);
      expect(noted.labels).not.toHaveProperty("meshjoin.dev/mesh");
      expect(await reasons(cluster)).toEqual(["ForeignCacertsAccepted", "ForeignControlPlaneAccepted"]);
      expect(await namespace(cluster)).toEqual(noted);
      expect(await contents(cluster)).toEqual(settled);
      const ours = await list(cluster, "namespaces,secrets,deployments", "-A", "-l", "meshjoin.dev/mesh");
      const [first] = membersOf(world.fleet);
      expect(ours.map(({ metadata }) => metadata.name).toSorted()).toEqual([
        `istio-remote-secret-${first?.clusterId}`,
        `meshjoin-reader-${first?.clusterId}`,
      ]);
    },
    SCENARIO_MS,
  );

  it(
    "is kept as the pair's remote secret when the cluster had one before",
    async () => {
      const [first] = membersOf(world.fleet);
      if (first === undefined) throw new Error("there is no member");
      const name = `istio-remote-secret-${first.clusterId}`;
      const cluster = await aCluster("paired-by-hand", async (made) => {
        await createSecret(made, name, {
          [first.clusterId]: await kubectl(first, "config", "view", "--raw"),
        });
        const object = ["-n", "istio-system", "secret", name];
        await kubectl(made, "label", ...object, "istio/multiCluster=true");
        await kubectl(made, "annotate", ...object, `networking.istio.io/cluster=${first.clusterId}`);
      });
      const before = (await secrets(cluster)).get(name);
      expect(await reasons(cluster)).toContain("ForeignRemoteSecret");
      expect((await secrets(cluster)).get(name)).toEqual(before);
      expect(await unsyncedPairs(membersOf(world.fleet))).toEqual([]);
    },
    SCENARIO_MS,
  );
});

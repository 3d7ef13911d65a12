import { describe, expect, it } from "@jest/globals";
import { annotation, clusterId, ISTIO_NAMESPACE, NETWORK_LABEL } from "../../../shared/core/names.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { namespace as aNamespace, cacertsByHand } from "./installations.ts";
import { expectJoined, secretsOf, versionsOf } from "./world.ts";

type Store = FakeMesh["servers"][number]["store"];

const NAMESPACE = { apiVersion: "v1", kind: "Namespace", name: ISTIO_NAMESPACE };
const secretRef = (name: string) => ({ apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name });

function edit(
  store: Store,
  ref: ReturnType<typeof secretRef>,
  change: (object: KubernetesObject) => object,
): void {
  const found = store.get(ref);
  if (found === undefined) throw new Error(`${ref.name} is not there`);
  store.write({ ...found, ...change(found) }, "kubectl-edit");
}

function annotated(object: KubernetesObject, key: string, value: string): object {
  const { metadata } = object;
  return {
    metadata: { ...metadata, annotations: { ...metadata.annotations, [`meshjoin.dev/${key}`]: value } },
  };
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

/** What a person may do to the first of two members; `peer` is the other one's cluster ID. */
const DRIFTS: readonly [string, (store: Store, peer: string) => void][] = [
  ["a remote secret is deleted", (store, peer) => store.delete(secretRef(`istio-remote-secret-${peer}`))],
  [
    "the data of a remote secret is edited",
    (store, peer) =>
      edit(store, secretRef(`istio-remote-secret-${peer}`), ({ data }) => ({
        data: Object.fromEntries(
          Object.keys(data ?? {}).map((key) => [
            key,
            base64('{"clusters":[{"cluster":{"server":"x"}}],"users":[{"user":{"token":"x"}}]}'),
          ]),
        ),
      })),
  ],
  [
    "an annotation of a remote secret is edited",
    (store, peer) =>
      edit(store, secretRef(`istio-remote-secret-${peer}`), (object) =>
        annotated(object, "token-expires-at", "2099-01-01T00:00:00Z"),
      ),
  ],
  ["a reader Secret is deleted", (store, peer) => store.delete(secretRef(`meshjoin-reader-${peer}`))],
  [
    "a reader Secret is made to stand for another cluster",
    (store, peer) =>
      edit(store, secretRef(`meshjoin-reader-${peer}`), (object) =>
        annotated(object, "cluster-id", "another"),
      ),
  ],
  ["cacerts is deleted", (store) => store.delete(secretRef("cacerts"))],
  [
    "an annotation of cacerts is edited",
    (store) => edit(store, secretRef("cacerts"), (object) => annotated(object, "fingerprint", "00")),
  ],
  [
    "the network of the namespace is edited",
    (store) => {
      const found = store.get(NAMESPACE);
      const labels = { ...found?.metadata.labels, [NETWORK_LABEL]: "elsewhere" };
      store.write({ ...found!, metadata: { ...found!.metadata, labels } }, "kubectl-edit");
    },
  ],
];

describe("a full run repairs a mesh in which", () => {
  it.each(DRIFTS)("%s", async (_, drift) => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    const [first, second] = mesh.clusters;
    drift(mesh.servers[0]!.store, clusterId(second!.ref));
    const { summary, errors } = await mesh.reconcile("mesh");
    expect(errors).toEqual([]);
    expect(summary.outcome).not.toBe("unchanged");
    await mesh.reconcile("mesh");
    const before = versionsOf(mesh);
    expect((await mesh.reconcile("mesh")).summary.outcome).toBe("unchanged");
    expect(versionsOf(mesh)).toEqual(before);
    const namespace = mesh.servers[0]!.store.get(NAMESPACE);
    expect(namespace?.metadata.labels?.[NETWORK_LABEL]).toBe("shop.default");
    expect(secretsOf(mesh, first!).map(({ metadata }) => metadata.name)).toEqual([
      "cacerts",
      `istio-remote-secret-${clusterId(second!.ref)}`,
      `meshjoin-reader-${clusterId(second!.ref)}`,
    ]);
  });

  it("nothing has changed, without a write", async () => {
    const mesh = await aMesh({ members: 3 });
    await mesh.reconcile("mesh");
    const before = versionsOf(mesh);
    const counted = () => mesh.servers.map(({ requests }) => ({ ...requests.counts }));
    const requests = counted();
    expect((await mesh.reconcile("mesh")).summary).toMatchObject({ outcome: "unchanged", findings: [] });
    expect(versionsOf(mesh)).toEqual(before);
    expect(counted()).toEqual(
      requests.map((counts) => ({
        ...counts,
        get: counts.get + 2,
        list: counts.list + 4,
        portForward: counts.portForward + 1,
      })),
    );
    await expectJoined(mesh);
  });
});

describe("a cacerts that was taken over by its labels", () => {
  it("is replaced once, and left alone from then on", async () => {
    const mesh = await aMesh({ members: 1 });
    await mesh.reconcile("mesh");
    const adopted = aCluster({ name: "adopted" });
    const server = mesh.add(adopted);
    for (const object of [aNamespace(), cacertsByHand(mesh)]) server.store.write(object, "kubectl");
    mesh.clock.advance(60);
    const found = secretsOf(mesh, adopted).find(({ metadata }) => metadata.name === "cacerts");
    const labels = { "app.kubernetes.io/managed-by": "meshjoin", "meshjoin.dev/mesh": mesh.spec.meshId };
    server.store.write({ ...found!, metadata: { ...found!.metadata, labels } }, "kubectl");
    mesh.clock.advance(60);
    await mesh.reconcile("mesh");
    await mesh.reconcile("mesh");
    const before = versionsOf(mesh);
    for (let run = 0; run < 2; run += 1) {
      mesh.clock.advance(600);
      await mesh.reconcile("mesh");
    }
    expect(versionsOf(mesh)).toEqual(before);
  });
});

describe("two remote secrets for one cluster", () => {
  it("are said for the member that holds them, and neither is touched", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    const [m1, m2] = mesh.clusters;
    const id = clusterId(m2!.ref);
    const ours = secretsOf(mesh, m1!).find(({ metadata }) => metadata.name === `istio-remote-secret-${id}`);
    const metadata = {
      name: "by-hand",
      namespace: "istio-system",
      labels: { "istio/multiCluster": "true" },
      annotations: { "networking.istio.io/cluster": id },
    };
    mesh.servers[0]!.store.write({ ...ours!, metadata }, "kubectl");
    const before = versionsOf(mesh);
    const { summary } = await mesh.reconcile("mesh");
    const said = summary.members.flatMap(({ findings }) => findings);
    expect(said).toMatchObject([
      {
        reason: "RemoteSecretDoubled",
        clusterId: clusterId(m1!.ref),
        cure: expect.stringMatching(/by-hand$/),
      },
    ]);
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("do not keep ours from being renewed", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    const [, m2] = mesh.clusters;
    const id = clusterId(m2!.ref);
    const ours = () => mesh.servers[0]!.store.get(secretRef(`istio-remote-secret-${id}`))!;
    const before = ours();
    const metadata = {
      name: "by-hand",
      namespace: "istio-system",
      labels: { "istio/multiCluster": "true" },
      annotations: { "networking.istio.io/cluster": id },
    };
    mesh.servers[0]!.store.write({ ...before, metadata }, "kubectl");
    mesh.clock.advance(5 * 86_400);
    const { summary } = await mesh.reconcile("mesh");
    expect(summary.pairs.map(({ outcome }) => outcome)).toEqual(["updated", "updated"]);
    expect(ours().metadata.uid).toBe(before.metadata.uid);
    const issuedAt = annotation("token-issued-at");
    expect(ours().metadata.annotations?.[issuedAt]).toBe(mesh.clock.now().toISOString());
  });
});

import { describe, expect, it } from "@jest/globals";
import type { Summary } from "../../../shared/core/answers/summary.ts";
import { clusterId, ISTIO_NAMESPACE, NETWORK_LABEL } from "../../../shared/core/names.ts";
import { UnavailableError } from "../../../shared/errors.ts";
import { secretData } from "../../../shared/istio/member-state.ts";
import { makeRoot } from "../../../shared/pki/make-root.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import type { FakeApiServer } from "../../support/fakes/member-api/api-server.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { cacertsByHand, configMap, crd, istiod, namespace, secret } from "./installations.ts";
import { expectJoined, versionsOf } from "./world.ts";

const reads = ({ requests }: FakeApiServer) => requests.counts.get;

const NEWCOMER = aCluster({ name: "newcomer" });
const ID = clusterId(NEWCOMER.ref);
const NETWORK = { [NETWORK_LABEL]: "shop.default" };

/** One member, and a cluster that holds these objects when it is created. */
async function aMeshAndANewcomer(seed: (mesh: FakeMesh) => readonly KubernetesObject[]) {
  const mesh = await aMesh({ members: 1, spec: { projects: ["shop", "shop-europe"] } });
  await mesh.join(mesh.clusters[0]!);
  const server = mesh.add(NEWCOMER);
  for (const object of seed(mesh)) server.store.write(object, "kubectl");
  return { mesh, server };
}

/** A mesh whose first member's `cacerts` chains to another root than the mesh has now. */
async function withAnotherRoot(mesh: FakeMesh): Promise<void> {
  const { certificate, privateKey } = await makeRoot({ now: mesh.clock.now() });
  mesh.roots.setAliases({ signing: mesh.roots.addVersion(certificate + privateKey) });
}

interface Case {
  readonly reason: string;
  /** Time mends it, and the event comes again. */
  readonly passes?: boolean;
  readonly seed?: (mesh: FakeMesh) => readonly KubernetesObject[];
  readonly upset?: (mesh: FakeMesh, server: FakeApiServer) => void | Promise<void>;
}

const otherMesh = { "app.kubernetes.io/managed-by": "meshjoin", "meshjoin.dev/mesh": "staging" };

const CASES: readonly [string, Case][] = [
  [
    "its API server refuses Meshjoin",
    {
      reason: "ApiServerRefused",
      upset: (_, server) => {
        server.faults.forbidden = ["get", "list"];
      },
    },
  ],
  [
    "another member has its cluster ID",
    {
      reason: "ClusterIdCollision",
      upset: (mesh) => {
        mesh.add(aCluster({ project: "shop-europe", location: "west1", name: "newcomer", id: "other" }));
      },
    },
  ],
  [
    "Cloud Service Mesh manages it",
    { reason: "ManagedMesh", seed: () => [namespace(), configMap("istio-asm-managed", {})] },
  ],
  [
    "its namespace is being deleted",
    {
      reason: "NamespaceTerminating",
      passes: true,
      seed: () => {
        const held = configMap("held", {});
        const metadata = { ...held.metadata, finalizers: ["example.com/held"] };
        return [namespace(), { ...held, metadata }];
      },
      upset: (_, { store }) => {
        store.delete({ apiVersion: "v1", kind: "Namespace", name: ISTIO_NAMESPACE });
      },
    },
  ],
  ["it is a member of another mesh", { reason: "OtherMesh", seed: () => [namespace(otherMesh)] }],
  [
    "its namespace carries another network",
    { reason: "NetworkConflict", seed: () => [namespace({ [NETWORK_LABEL]: "shop.dmz" })] },
  ],
  [
    "an istiod wrote its cacerts",
    {
      reason: "SelfSignedMesh",
      seed: () => [namespace(), secret("cacerts", { "istio-generated": "", "ca-cert.pem": "…" })],
    },
  ],
  [
    "an istiod with a CA of its own runs in it",
    {
      reason: "SelfSignedMesh",
      seed: () => [namespace(), istiod("Kubernetes"), secret("istio-ca-secret", { "ca-cert.pem": "…" })],
    },
  ],
  [
    "its cacerts chains to other roots",
    {
      reason: "ForeignCacerts",
      seed: (mesh) => [namespace(), cacertsByHand(mesh)],
      upset: withAnotherRoot,
    },
  ],
  [
    "its cacerts is no set of certificates",
    { reason: "ForeignCacerts", seed: () => [namespace(), secret("cacerts", { "ca-cert.pem": "…" })] },
  ],
  [
    "its cacerts lacks the root file",
    {
      reason: "ForeignCacerts",
      seed: (mesh) => {
        const byHand = cacertsByHand(mesh);
        const { "root-cert.pem": _, ...data } = secretData(byHand);
        return [namespace(), { ...byHand, data }];
      },
    },
  ],
  [
    "somebody else's istiod of another mesh runs in it",
    {
      reason: "ForeignControlPlane",
      seed: (mesh) => [namespace(NETWORK), cacertsByHand(mesh), istiod("Kubernetes")],
    },
  ],
];

describe("a cluster is left as it is, and named, when", () => {
  it.each(CASES)("%s", async (_, { reason, passes = false, seed = () => [], upset }) => {
    const { mesh, server } = await aMeshAndANewcomer(seed);
    await upset?.(mesh, server);
    const before = server.store.resourceVersion;

    const { summary, retry } = await mesh.join(NEWCOMER);
    expect(summary.members[0]).toMatchObject({
      clusterId: ID,
      outcome: passes ? "waiting" : "failed",
      findings: expect.arrayContaining([expect.objectContaining({ reason, clusterId: ID })]),
    });
    expect(retry).toBe(passes);
    expect(server.store.resourceVersion).toBe(before);
    expect(server.requests.counts).toMatchObject({ create: 0, replace: 0, apply: 0, delete: 0 });
  });

  it("its API server does not answer, and its event comes again", async () => {
    const { mesh, server } = await aMeshAndANewcomer(() => []);
    server.faults.unreachable = true;
    const before = server.store.resourceVersion;
    const { summary, retry } = await mesh.join(NEWCOMER);
    expect(summary.members[0]).toMatchObject({
      outcome: "waiting",
      findings: [{ reason: "ApiServerUnreachable" }],
    });
    expect(retry).toBe(true);
    expect(server.store.resourceVersion).toBe(before);

    server.faults.unreachable = false;
    expect(await mesh.join(NEWCOMER)).toMatchObject({ retry: false });
    await expectJoined(mesh);
  });
});

describe("a cacerts of somebody else that cannot be judged", () => {
  const cases: readonly [string, string, "waiting" | "failed", (mesh: FakeMesh) => void][] = [
    ["the signer is away", "RunInterrupted", "waiting", (mesh) => failBundle(mesh)],
    ["the root may not be read", "RunFailed", "failed", (mesh) => mesh.roots.denyPayloads()],
  ];
  /** The second answer of the root secret: the first is the look at the roots. */
  const failBundle = (mesh: FakeMesh) => {
    const state = mesh.roots.state.bind(mesh.roots);
    let calls = 0;
    mesh.roots.state = async (signal) => {
      calls += 1;
      if (calls === 2) throw new UnavailableError("no answer", { code: "Unavailable" });
      return await state(signal);
    };
  };

  it.each(cases)(
    "keeps its member as it is and blames nothing of it: %s",
    async (_, reason, outcome, upset) => {
      const { mesh, server } = await aMeshAndANewcomer((given) => [namespace(), cacertsByHand(given)]);
      upset(mesh);
      const before = server.store.resourceVersion;
      const { summary, retry } = await mesh.join(NEWCOMER);
      expect(summary.members[0]).toMatchObject({ outcome, findings: [{ reason, clusterId: ID }] });
      expect(summary.members[0]?.findings[0]?.message).toContain("whether the mesh accepts Secret cacerts");
      expect(retry).toBe(outcome === "waiting");
      expect(server.store.resourceVersion).toBe(before);
    },
  );
});

describe("an object of Istio's name that is somebody else's", () => {
  const role: KubernetesObject = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "istio-reader-clusterrole-istio-system" },
    rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
  };

  it("is not adopted though no field of it conflicts", async () => {
    const metadata = { name: "istiod", namespace: ISTIO_NAMESPACE };
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata };
    const { mesh, server } = await aMeshAndANewcomer(() => [namespace(), account]);
    const ref = { ...account, ...metadata };
    const before = server.store.get(ref);
    const { summary, retry } = await mesh.join(NEWCOMER);
    expect(summary.members[0]).toMatchObject({ outcome: "failed" });
    expect(retry).toBe(false);
    expect(server.store.get(ref)).toEqual(before);
  });

  it.each<[string, KubernetesObject, string]>([
    [
      "an istiod that no label tells",
      { ...istiod(ID), metadata: { name: "istiod", namespace: ISTIO_NAMESPACE } },
      "an outage of the workloads that it serves",
    ],
    ["a cluster role", role, "an outage of all that relies on it"],
  ])("is not to be deleted without a word of the outage: %s", async (_, object, outage) => {
    const { mesh } = await aMeshAndANewcomer(() => [namespace(), object]);
    const { summary } = await mesh.join(NEWCOMER);
    const found = summary.members[0]?.findings.find(({ message }) => message.startsWith(object.kind));
    expect(found).toMatchObject({ reason: "ForeignControlPlane", cure: expect.stringContaining(outage) });
  });

  it("stops the installation before a webhook without an istiod could stop pods", async () => {
    const { mesh, server } = await aMeshAndANewcomer(() => [role]);
    const before = server.store.get({ ...role, name: role.metadata.name });
    const { summary, retry } = await mesh.join(NEWCOMER);
    expect(summary.members[0]).toMatchObject({ outcome: "failed" });
    expect(summary.members[0]?.findings.at(-1)).toMatchObject({ reason: "ForeignControlPlane" });
    expect(retry).toBe(false);
    for (const kind of ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "Deployment"]) {
      expect(server.store.list({ apiVersion: "", kind })).toEqual([]);
    }
    expect(server.store.get({ ...role, name: role.metadata.name })).toEqual(before);
  });
});

describe("a Secret in the way of a remote secret", () => {
  /** Of the newcomer, for the first member. */
  const remoteOf = (mesh: FakeMesh, name: string, labels: Record<string, string>): KubernetesObject => {
    const id = clusterId(mesh.clusters[0]!.ref);
    const remote = secret(name, { [id]: kubeconfigOf(mesh) });
    return { ...remote, metadata: { ...remote.metadata, labels } };
  };
  const kubeconfigOf = (mesh: FakeMesh): string => {
    const [{ endpoints }] = [mesh.clusters[0]!];
    const { server, caData } = endpoints.public!;
    const cluster = { server, "certificate-authority-data": caData };
    return JSON.stringify({ clusters: [{ cluster }], users: [{ user: { token: "none" } }] });
  };
  const toFirst = (mesh: FakeMesh, { pairs }: Summary) =>
    pairs.find(({ target }) => target === clusterId(mesh.clusters[0]!.ref))?.outcome;

  it("is named when it has the name and istiod passes it over, and is left alone", async () => {
    let name = "";
    const { mesh, server } = await aMeshAndANewcomer((given) => {
      name = `istio-remote-secret-${clusterId(given.clusters[0]!.ref)}`;
      return [namespace(), remoteOf(given, name, {})];
    });
    const ref = { apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name };
    const before = server.store.get(ref);
    const { summary, retry } = await mesh.join(NEWCOMER);
    expect(summary.findings.map(({ reason }) => reason)).toEqual(["ForeignRemoteSecret"]);
    expect(toFirst(mesh, summary)).toBe("failed");
    expect(retry).toBe(false);
    expect(server.store.get(ref)).toEqual(before);
  });

  it("is named when istiod reads the member by it instead of by ours", async () => {
    const { mesh } = await aMeshAndANewcomer((given) => [
      namespace(),
      remoteOf(given, "a-secret-of-somebody", { "istio/multiCluster": "true" }),
    ]);
    const { summary, retry } = await mesh.join(NEWCOMER);
    expect(summary.findings).toMatchObject([
      { reason: "ForeignRemoteSecret", message: expect.stringContaining("a-secret-of-somebody") },
    ]);
    expect(toFirst(mesh, summary)).toBe("failed");
    expect(retry).toBe(false);
  });

  it("is repaired when it is ours and has lost the label that istiod looks for", async () => {
    const { mesh, server } = await aMeshAndANewcomer(() => []);
    await mesh.join(NEWCOMER);
    const name = `istio-remote-secret-${clusterId(mesh.clusters[0]!.ref)}`;
    const ours = server.store.get({ apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name });
    const { "istio/multiCluster": _, ...labels } = { ...ours?.metadata.labels };
    server.store.write({ ...ours!, metadata: { ...ours!.metadata, labels } }, "kubectl");
    const { summary, retry } = await mesh.join(NEWCOMER);
    expect(toFirst(mesh, summary)).toBe("updated");
    expect(retry).toBe(false);
    await expectJoined(mesh);
  });
});

describe("what somebody else installed is accepted", () => {
  it("as a cacerts that chains to the mesh's roots", async () => {
    const { mesh, server } = await aMeshAndANewcomer((given) => [namespace(), cacertsByHand(given)]);
    const ref = { apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name: "cacerts" };
    const before = server.store.get(ref);
    const { summary, retry } = await mesh.join(NEWCOMER);
    expect(summary.members[0]?.findings).toMatchObject([{ reason: "ForeignCacertsAccepted" }]);
    expect(retry).toBe(false);
    expect(summary.pairs.map(({ outcome }) => outcome)).toEqual(["created", "created"]);
    expect(server.store.get(ref)).toEqual(before);
  });

  it("and is not read again until it or the mesh's roots change", async () => {
    const { mesh, server } = await aMeshAndANewcomer((given) => [namespace(), cacertsByHand(given)]);
    await mesh.join(NEWCOMER);
    await mesh.reconcile("mesh");
    const before = { versions: versionsOf(mesh), payloads: mesh.roots.calls.payload, gets: reads(server) };
    const { summary } = await mesh.reconcile("mesh");
    expect(summary.members.flatMap(({ findings }) => findings)).toMatchObject([
      { reason: "ForeignCacertsAccepted" },
    ]);
    expect(versionsOf(mesh)).toEqual(before.versions);
    expect(mesh.roots.calls.payload).toBe(before.payloads);
    expect(reads(server) - before.gets).toBe(2); // its namespace, and its record

    const ref = { apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name: "cacerts" };
    const { "ca-key.pem": _, ...data } = secretData(server.store.get(ref)!);
    server.store.write({ ...server.store.get(ref)!, data }, "kubectl");
    const after = await mesh.reconcile("mesh");
    expect(after.summary.members.flatMap(({ findings }) => findings)).toMatchObject([
      { reason: "ForeignCacerts", message: expect.stringContaining("it has no ca-key.pem") },
    ]);
  });

  it("as a TLS Secret that chains to the mesh's roots", async () => {
    const { mesh } = await aMeshAndANewcomer((given) => {
      const byHand = cacertsByHand(given);
      const files = secretData(byHand);
      const data = {
        "tls.crt": files["ca-cert.pem"],
        "tls.key": files["ca-key.pem"],
        "ca.crt": files["root-cert.pem"],
      };
      return [namespace(), { ...byHand, type: "kubernetes.io/tls", data }];
    });
    const { summary, retry } = await mesh.join(NEWCOMER);
    expect(summary.members[0]?.findings).toMatchObject([{ reason: "ForeignCacertsAccepted" }]);
    expect(retry).toBe(false);
  });

  it("as a control plane of this mesh, which gets its pairs and a note", async () => {
    const { mesh, server } = await aMeshAndANewcomer((given) => [
      crd(),
      namespace(NETWORK),
      cacertsByHand(given),
      configMap("istio", { mesh: "defaultConfig:\n  meshId: prod\n" }),
      { apiVersion: "v1", kind: "ServiceAccount", metadata: READER },
      istiod(ID),
    ]);
    const { summary, retry } = await mesh.join(NEWCOMER);
    expect(summary.members[0]).toMatchObject({
      outcome: "updated",
      findings: [{ reason: "ForeignCacertsAccepted" }, { reason: "ForeignControlPlaneAccepted" }],
    });
    expect(retry).toBe(false);
    expect(summary.pairs.map(({ outcome }) => outcome)).toEqual(["created", "created"]);
    expect(server.requests.counts).toMatchObject({ create: 2, replace: 0, apply: 1, delete: 0 });
    const found = server.store.get({ apiVersion: "v1", kind: "Namespace", name: ISTIO_NAMESPACE });
    expect(found?.metadata.labels).toEqual({ ...NETWORK, "kubernetes.io/metadata.name": ISTIO_NAMESPACE });
    expect(Object.keys(found?.metadata.annotations ?? {})).toEqual(["meshjoin.dev/accepted-cacerts"]);
  });

  it("as a namespace that is empty", async () => {
    const { mesh } = await aMeshAndANewcomer(() => [namespace({ team: "shop" })]);
    await mesh.join(NEWCOMER);
    await expectJoined(mesh);
    const found = mesh.fleet
      .server(NEWCOMER)
      .store.get({ apiVersion: "v1", kind: "Namespace", name: ISTIO_NAMESPACE });
    expect(found?.metadata.labels).toMatchObject({ team: "shop", ...NETWORK, "meshjoin.dev/mesh": "prod" });
  });

  it("as a remote secret, which stays as it is", async () => {
    const { mesh, server } = await aMeshAndANewcomer((given) => {
      const [first] = given.clusters;
      const id = clusterId(first!.ref);
      const remote = secret(`istio-remote-secret-${id}`, { [id]: "{}" });
      const metadata = {
        ...remote.metadata,
        labels: { "istio/multiCluster": "true" },
        annotations: { "networking.istio.io/cluster": id },
      };
      return [namespace(), { ...remote, metadata }];
    });
    const name = `istio-remote-secret-${clusterId(mesh.clusters[0]!.ref)}`;
    const ref = { apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name };
    const before = server.store.get(ref);
    const { summary, retry } = await mesh.join(NEWCOMER);
    expect(summary.findings.map(({ reason }) => reason)).toEqual(["ForeignRemoteSecret"]);
    expect(retry).toBe(false);
    expect(server.store.get(ref)).toEqual(before);
  });
});

const READER = { name: "istio-reader-service-account", namespace: ISTIO_NAMESPACE };

describe("a member that was emptied", () => {
  const NAMESPACE = { apiVersion: "v1", kind: "Namespace", name: ISTIO_NAMESPACE };
  const WIPED = [
    ["apps/v1", "Deployment"],
    ["v1", "Pod"],
    ["v1", "Secret"],
  ] as const;

  async function aMeshWithOneEmptied() {
    const mesh = await aMesh({ members: 3 });
    await mesh.reconcile("mesh");
    const { store } = mesh.servers[1]!;
    for (const [apiVersion, kind] of WIPED) {
      for (const { metadata } of store.list({ apiVersion, kind })) {
        store.delete({ apiVersion, kind, namespace: ISTIO_NAMESPACE, name: metadata.name });
      }
    }
    return { mesh, store };
  }

  it.each<[string, (store: FakeMesh["servers"][number]["store"]) => void]>([
    [
      "that is another mesh's now",
      (store) => label(store, { ...store.get(NAMESPACE)!.metadata.labels, "meshjoin.dev/mesh": "other" }),
    ],
    ["whose network is another", (store) => label(store, { "topology.istio.io/network": "elsewhere" })],
    ["that nobody has taken over", () => undefined],
  ])("and %s is written to by no event of another", async (_, happen) => {
    const { mesh, store } = await aMeshWithOneEmptied();
    happen(store);
    const { summary, retry, errors } = await mesh.join(mesh.clusters[0]!);
    expect({ outcome: summary.outcome, retry, errors }).toEqual({
      outcome: "unchanged",
      retry: false,
      errors: [],
    });
    expect(store.list({ apiVersion: "v1", kind: "Secret" })).toEqual([]);
  });

  it("fails no event of another where its reader account is gone", async () => {
    const mesh = await aMesh({ members: 3 });
    await mesh.reconcile("mesh");
    const { store } = mesh.servers[1]!;
    for (const { metadata } of store.list({ apiVersion: "apps/v1", kind: "Deployment" })) {
      store.delete({
        apiVersion: "apps/v1",
        kind: "Deployment",
        namespace: ISTIO_NAMESPACE,
        name: metadata.name,
      });
    }
    store.delete({
      apiVersion: "v1",
      kind: "ServiceAccount",
      namespace: ISTIO_NAMESPACE,
      name: "istio-reader-service-account",
    });
    mesh.clock.advance(6 * 24 * 3600);
    const { summary, retry } = await mesh.join(mesh.clusters[0]!);
    expect({ outcome: summary.outcome, retry }).toEqual({ outcome: "updated", retry: false });
  });

  function label(store: FakeMesh["servers"][number]["store"], labels: Record<string, string>): void {
    const found = store.get(NAMESPACE)!;
    store.write({ ...found, metadata: { ...found.metadata, labels } }, "kubectl-edit");
  }
});

import { describe, expect, it } from "@jest/globals";
import type { Diagnosis } from "../../../shared/core/answers/check.ts";
import { clusterId } from "../../../shared/core/names.ts";
import type { ConnectedProxy } from "../../../shared/ports/member-api.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { MANIFEST_TEMPLATE } from "../../support/fixtures/manifest-template.ts";
import { call } from "../cli/host.ts";

const OLD = "1.2.3";

/** A pod of a Deployment, whose proxy is connected. */
function connect(
  mesh: FakeMesh,
  { namespace = "shop", pod = "web-1", version = OLD }: Partial<ConnectedProxy>,
) {
  const { store, connected } = mesh.servers[0]!;
  const hash = { "pod-template-hash": "abc" };
  const ownerReferences = [{ kind: "ReplicaSet", name: `${pod.split("-")[0]}-abc` }];
  store.write(
    { apiVersion: "v1", kind: "Pod", metadata: { name: pod, namespace, labels: hash, ownerReferences } },
    "kube-controller-manager",
  );
  connected.push({ namespace, pod, version, rootsOpenSince: undefined });
}

const of = (
  findings: readonly { readonly reason: string; readonly message: string; readonly cure: string }[],
) => findings.filter(({ reason }) => reason === "ProxiesOutdated");

describe("proxies that are behind their istiod", () => {
  it("are counted in a deep run, and restarted by the cure", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    connect(mesh, { pod: "web-1" });
    connect(mesh, { pod: "web-2" });
    connect(mesh, { pod: "new-1", version: MANIFEST_TEMPLATE.tag });
    expect(of((await mesh.reconcile("mesh")).summary.findings)).toEqual([]);
    const { summary } = await mesh.reconcile("mesh", { deep: true });
    const id = clusterId(mesh.clusters[0]!.ref);
    expect(of(summary.findings)).toMatchObject([
      {
        severity: "warning",
        clusterId: id,
        message: `2 proxies of ${id} still run Istio ${OLD}, and istiod ${MANIFEST_TEMPLATE.tag}`,
        cure: expect.stringMatching(
          /^restart them: kubectl --context \S+ -n shop rollout restart deployment\/web$/,
        ),
      },
    ]);
    expect(summary.outcome).toBe("unchanged");
    mesh.servers[0]!.connected.length = 0;
    connect(mesh, { pod: "web-3", version: MANIFEST_TEMPLATE.tag });
    expect(of((await mesh.reconcile("mesh", { deep: true })).summary.findings)).toEqual([]);
  });

  it("are named in the largest namespaces alone: a deep run lists no more", async () => {
    const mesh = await aMesh({ members: 1 });
    await mesh.reconcile("mesh");
    for (let index = 0; index < 12; index += 1)
      connect(mesh, { namespace: `n${index}`, pod: `web-${index}` });
    const lists = () => mesh.servers[0]!.requests.counts.list;
    const before = lists();
    await mesh.reconcile("mesh", { deep: true });
    const withSome = lists() - before;
    mesh.servers[0]!.connected.length = 0;
    const again = lists();
    const { summary } = await mesh.reconcile("mesh", { deep: true });
    expect(withSome - (lists() - again)).toBe(10);
    expect(of(summary.findings)).toEqual([]);
  });

  it("are counted where one names a namespace that cannot be, and nobody lists that", async () => {
    const mesh = await aMesh({ members: 1 });
    await mesh.reconcile("mesh");
    mesh.servers[0]!.connected.push(
      ...["shop/secrets?x=", "", "A"].map((namespace) => ({
        namespace,
        pod: "web-1",
        version: OLD,
        rootsOpenSince: undefined,
      })),
    );
    const lists = () => mesh.servers[0]!.requests.counts.list;
    const before = lists();
    const { summary } = await mesh.reconcile("mesh", { deep: true });
    const withSome = lists() - before;
    expect(of(summary.findings)).toMatchObject([
      { cure: "3 more are shown by: istioctl proxy-status", message: expect.stringMatching(/^3 proxies /) },
    ]);
    mesh.servers[0]!.connected.length = 0;
    const again = lists();
    await mesh.reconcile("mesh", { deep: true });
    expect(withSome).toBe(lists() - again);
  });

  describe("whose images are from another registry", () => {
    const HUB = "docker.io/istio";

    function run(
      mesh: FakeMesh,
      name: string,
      spec: object,
      annotations: Readonly<Record<string, string>> = {},
    ) {
      const labels = { "pod-template-hash": "abc", "service.istio.io/canonical-name": name };
      const ownerReferences = [{ kind: "ReplicaSet", name: `${name}-abc` }];
      const metadata = { name: `${name}-abc-1`, namespace: "shop", labels, annotations, ownerReferences };
      mesh.servers[0]!.store.write({ apiVersion: "v1", kind: "Pod", metadata, spec }, "kubelet");
    }
    const proxy = (image: string) => ({ name: "istio-proxy", image });
    const app = { name: "app", image: "old.example/istio/app:1" };
    const OURS = proxy(`${HUB}/proxyv2:1`);
    const OTHER = proxy("old.example/istio/proxyv2@sha256:abc");

    async function told(mesh: FakeMesh) {
      const { checks }: Diagnosis = JSON.parse((await call(mesh, "doctor -o json")).out);
      return checks.filter(({ name }) => name === "proxies").map(({ message, cure }) => ({ message, cure }));
    }

    it("are counted by doctor, and no run asks for them", async () => {
      const mesh = await aMesh({ members: 1, spec: { istioHub: HUB } });
      await mesh.reconcile("mesh");
      run(mesh, "same", { containers: [app, OURS] });
      run(mesh, "short", { containers: [proxy("istio/proxyv2:1")] });
      run(mesh, "plain", { containers: [app] });
      run(mesh, "chosen", { containers: [OTHER] }, { "sidecar.istio.io/proxyImage": OTHER.image });
      expect(await told(mesh)).toEqual([
        { message: "every connected proxy is of the release of its istiod" },
      ]);
      run(mesh, "web", { containers: [app, OTHER] });
      run(mesh, "native", { containers: [app], initContainers: [OTHER] });
      const id = clusterId(mesh.clusters[0]!.ref);
      expect(await told(mesh)).toEqual([
        {
          message: `2 proxies of ${id} still have their images from old.example/istio, and istiod from ${HUB}`,
          cure: expect.stringMatching(/rollout restart deployment\/native deployment\/web$/),
        },
      ]);
      expect(of((await mesh.reconcile("mesh", { deep: true })).summary.findings)).toEqual([]);
    });

    it("are not known where the pods may not be listed", async () => {
      const mesh = await aMesh({ members: 1 });
      await mesh.reconcile("mesh");
      mesh.servers[0]!.faults.forbidden = ["list Pod"];
      expect((await told(mesh)).map(({ message }) => message)).not.toContain(
        "every connected proxy is of the release of its istiod",
      );
    });
  });

  it("are a fault that doctor names, and not known where istiod cannot be asked", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    const told = async () => {
      const { checks }: Diagnosis = JSON.parse((await call(mesh, "doctor -o json")).out);
      return checks
        .filter(({ name }) => name === "proxies")
        .map(({ state, message }) => `${state} ${message}`);
    };
    expect(await told()).toEqual(["ok every connected proxy is of the release of its istiod"]);
    connect(mesh, {});
    expect(await told()).toEqual([expect.stringMatching(/^fault 1 proxy of \S+ still runs Istio 1.2.3/)]);
    mesh.servers[0]!.faults.forbidden = ["portForward"];
    expect(await told()).toEqual([expect.stringMatching(/^unknown /)]);
  });
});

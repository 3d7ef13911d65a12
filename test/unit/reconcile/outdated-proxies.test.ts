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

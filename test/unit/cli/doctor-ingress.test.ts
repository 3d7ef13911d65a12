import { describe, expect, it } from "@jest/globals";
import type { Diagnosis } from "../../../shared/core/answers/check.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { call } from "./host.ts";

const SELECTOR = { istio: "ingressgateway" };

async function aMember(ingress: "on" | "off" = "on"): Promise<FakeMesh> {
  const mesh = await aMesh({ members: 1, spec: { ingress } });
  await mesh.reconcile("mesh");
  for (const name of ["shop", "istio-ingress", "web"])
    mesh.servers[0]!.store.write({ apiVersion: "v1", kind: "Namespace", metadata: { name } }, "kubectl");
  return mesh;
}

function addGateway(mesh: FakeMesh, namespace: string, selector: Readonly<Record<string, string>>): void {
  mesh.servers[0]!.store.write(
    {
      apiVersion: "networking.istio.io/v1",
      kind: "Gateway",
      metadata: { namespace, name: "public" },
      spec: { selector },
    },
    "kubectl",
  );
}

async function saidOf(mesh: FakeMesh): Promise<readonly string[]> {
  const { checks }: Diagnosis = JSON.parse((await call(mesh, "doctor -o json")).out);
  return checks.filter(({ name }) => name === "ingress").map(({ state, message }) => `${state} ${message}`);
}

const FINE = "ok every Istio Gateway for the ingress is in namespace istio-ingress";

describe("doctor, of ingresses", () => {
  it("says nothing where the configuration wants none", async () => {
    expect(await saidOf(await aMember("off"))).toEqual([]);
  });

  it("names Istio Gateways that istiod passes over", async () => {
    const mesh = await aMember();
    addGateway(mesh, "istio-ingress", SELECTOR);
    expect(await saidOf(mesh)).toEqual([FINE]);
    addGateway(mesh, "shop", SELECTOR);
    addGateway(mesh, "web", {});
    const [said = "", ...others] = await saidOf(mesh);
    expect([said, others]).toEqual([
      expect.stringMatching(/^fault IngressGatewayIgnored: .*: shop\/public$/),
      [],
    ]);
  });

  it.each([
    ["of another gateway", { istio: "other" }],
    ["that wants more labels", { ...SELECTOR, team: "web" }],
  ])("leaves one alone %s", async (_, selector) => {
    const mesh = await aMember();
    addGateway(mesh, "shop", selector);
    expect(await saidOf(mesh)).toEqual([FINE]);
  });

  it("does not know where another ingress gateway may serve it", async () => {
    const mesh = await aMember();
    addGateway(mesh, "shop", SELECTOR);
    const metadata = { namespace: "web", name: "own-ingress", labels: SELECTOR };
    mesh.servers[0]!.store.write({ apiVersion: "v1", kind: "Pod", metadata }, "kubelet");
    expect(await saidOf(mesh)).toEqual([FINE]);
  });

  it("says that it may not look", async () => {
    const mesh = await aMember();
    mesh.servers[0]!.faults.forbidden = ["list Gateway"];
    expect(await saidOf(mesh)).toEqual([expect.stringMatching(/^unknown /)]);
  });

  it("says nothing of members that it could not read", async () => {
    const mesh = await aMember();
    mesh.servers[0]!.faults.broken = ["list Gateway"];
    expect(await saidOf(mesh)).toEqual([]);
  });
});

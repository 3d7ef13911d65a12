import { describe, expect, it } from "@jest/globals";
import { clusterId } from "../../../shared/core/names.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { call, type Terminal } from "./host.ts";

/** A person who lets the command end. */
const WAITING: Terminal = { whileOpen: () => new Promise(() => undefined) };
const NAMESPACE = { apiVersion: "v1", kind: "Namespace", name: "meshjoin-probe" };

async function joined(members: number): Promise<FakeMesh> {
  const mesh = await aMesh({ members });
  await mesh.reconcile("mesh");
  await mesh.reconcile("mesh");
  return mesh;
}

const isClean = (mesh: FakeMesh) => mesh.servers.every(({ store }) => store.get(NAMESPACE) === undefined);

describe("check", () => {
  it("says what it writes, shows the matrix, and ends with 0 where all pass", async () => {
    const mesh = await joined(2);
    const { code, out, err } = await call(mesh, "check", WAITING);
    expect([code, isClean(mesh)]).toEqual([0, true]);
    expect(err).toContain("writes a probe to 2 members (namespace meshjoin-probe");
    expect(out).toBe(
      "PASSED: requests pass for 2 of 2 pairs\n\nFROM \\ TO      m1      m2\nm1                 1.5 ms\nm2         1.5 ms\n",
    );
  });

  it("ends with 1 where a request fails, with cause and cure", async () => {
    const mesh = await joined(2);
    const target = clusterId(mesh.clusters[1]!.ref);
    mesh.servers[0]!.probe.answers.set(target, {
      status: 403,
      headers: {
        "x-ask-details": "via_upstream",
        "x-ask-host": "10.1.2.3:15842",
        "x-ask-issuer": `L=${target},CN=Intermediate CA,O=Istio`,
      },
      body: "RBAC: access denied",
    });
    const { code, out } = await call(mesh, "check", WAITING);
    expect([code, isClean(mesh)]).toEqual([1, true]);
    expect(out).toMatch(/^FAILED: requests pass for 1 of 2 pairs, 1 failed\n/);
    expect(out).toContain(`m1 to m2: FAILED: an AuthorizationPolicy in ${target} refuses the request`);
    expect(out).toContain("get authorizationpolicies.security.istio.io --all-namespaces");
  });

  it("ends with 3 where a member could not be asked, and for a mesh without a pair", async () => {
    const mesh = await joined(2);
    mesh.servers[1]!.faults.unreachable = true;
    const { code, out } = await call(mesh, "check", WAITING);
    expect([code, out]).toEqual([
      3,
      expect.stringMatching(/^NOT ALL ASKED: requests pass for 0 of 2 pairs, 2/),
    ]);
    expect((await call(await joined(1), "check", WAITING)).code).toBe(3);
  });

  it("asks between two clusters alone, as a program reads it", async () => {
    const mesh = await joined(3);
    const { code, out } = await call(mesh, "check --pair m1,m3 -o json", WAITING);
    const result: unknown = JSON.parse(out);
    expect(code).toBe(0);
    expect(result).toMatchObject({
      keptUntil: null,
      left: [],
      pairs: [
        { reader: "cn-shop-europe-west1-m1", target: "cn-shop-europe-west1-m3", probe: { state: "passed" } },
        { reader: "cn-shop-europe-west1-m3", target: "cn-shop-europe-west1-m1", probe: { state: "passed" } },
      ],
    });
  });

  it.each(["--pair m1", "--pair m1,m1", "--pair m1,m9", "--timeout soon"])("refuses %s", async (option) => {
    const { code } = await call(await joined(2), `check ${option}`, WAITING);
    expect(code).toBe(2);
  });

  it("keeps the probes where a person wants that, and says until when", async () => {
    const mesh = await joined(2);
    const { code, out } = await call(mesh, "check --keep", WAITING);
    expect([code, isClean(mesh)]).toEqual([0, false]);
    expect(out).toMatch(/The probes stay until \d{4}-/);
  });

  it("deletes its probes after Ctrl-C, and does not say that all pass", async () => {
    const mesh = await joined(2);
    const { code } = await call(mesh, "check --keep", { whileOpen: async () => undefined });
    expect([code, isClean(mesh)]).toEqual([3, true]);
  });
});

import { once } from "node:events";
import { createServer } from "node:http";
import { describe, expect, it } from "@jest/globals";
import { type Check, type Diagnosis, worstState } from "../../../shared/core/answers/check.ts";
import { resourceOf } from "../../../shared/core/kubernetes-requests.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { RefusedError } from "../../../shared/errors.ts";
import {
  describePermissions,
  INVENTORY,
  neededPermissions,
} from "../../../shared/istio/needed-permissions.ts";
import { makeRoot } from "../../../shared/pki/make-root.ts";
import { aCluster, allEndpoints } from "../../support/builders/cluster.ts";
import { VERBS } from "../../support/fakes/member-api/requests.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { versionsOf } from "../reconcile/world.ts";
import { expectGolden } from "./golden.ts";
import { call, type Terminal } from "./host.ts";

const YEAR = 365 * 86_400;

async function faultsOf(mesh: FakeMesh, terminal?: Terminal): Promise<readonly Check[]> {
  const { code, out } = await call(mesh, "doctor -o json", terminal);
  const { checks }: Diagnosis = JSON.parse(out);
  expect(code).toBe({ ok: 0, fault: 1, unknown: 3 }[worstState(checks)]);
  return checks.filter(({ state }) => state !== "ok");
}

describe("doctor", () => {
  it("finds a mesh well, and writes nothing", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    const before = versionsOf(mesh);
    const { code, out, err } = await call(mesh, "doctor");
    expect([code, err]).toEqual([0, ""]);
    expectGolden("doctor-well", out.trimEnd());
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("names everything that is wrong at once, each with its cure", async () => {
    const mesh = await aMesh({
      clusters: [aCluster(), aCluster({ name: "west", network: { project: "shop", name: "other" } })],
    });
    mesh.roots.deny();
    mesh.servers[0]!.faults.forbidden = ["apply", "portForward"];
    mesh.servers[1]!.faults.unreachable = true;
    const { code, out } = await call(mesh, "doctor", { manifest: "missing" });
    expect(code).toBe(1);
    expectGolden("doctor-faults", out.trimEnd());
  });

  it("asks an API server for all that Meshjoin needs of it", async () => {
    const mesh = await aMesh({ members: 1 });
    mesh.servers[0]!.faults.forbidden = VERBS;
    const [fault] = await faultsOf(mesh);
    const { message } = fault!;
    expect(message).toBe(`not allowed: ${describePermissions(neededPermissions({ deep: true }))}`);
    for (const { kind } of INVENTORY) expect(message).toContain(` ${resourceOf(kind).plural} (`);
  });

  it.each<[string, (mesh: FakeMesh) => void | Promise<void>, Partial<Record<keyof Check, unknown>>]>([
    [
      "a project that may not be listed",
      (mesh) => mesh.directory.refuse("shop"),
      {
        name: "clusters",
        cure: "gcloud projects add-iam-policy-binding shop --member=user:ada@example.com --role=roles/container.clusterViewer",
      },
    ],
    [
      "no root that signs",
      (mesh) => mesh.roots.setAliases({}),
      { name: "root", cure: expect.stringContaining("--update-version-aliases=signing=VERSION") },
    ],
    [
      "a root that is disabled",
      (mesh) => mesh.roots.disable(1),
      { name: "root", message: expect.stringContaining("is disabled") },
    ],
    [
      "a root that is about to end",
      (mesh) => mesh.clock.advance(10 * YEAR - 86_400),
      { name: "root", message: expect.stringContaining("too soon") },
    ],
    [
      "a root whose key is another's",
      async ({ roots }) => {
        const [certificate, other] = [String(await roots.payload(1)), await makeRoot({ now: new Date() })];
        const mixed = certificate.replace(/-----BEGIN PRIVATE KEY-----[^]*/, other.privateKey);
        roots.setAliases({ signing: roots.addVersion(mixed) });
      },
      { name: "root", message: expect.stringContaining("a key that is not its certificate's") },
    ],
    [
      "two aliases for one root",
      async ({ roots }) => roots.setAliases({ signing: 1, next: roots.addVersion(await roots.payload(1)) }),
      { name: "root", message: expect.stringContaining("two versions hold the same certificate") },
    ],
    [
      "a clock that is ahead",
      (mesh) => mesh.servers[0]!.skewClock(400),
      { name: "member", message: "its clock and this one are 400 s apart" },
    ],
    [
      "a clock that is behind",
      (mesh) => mesh.servers[0]!.skewClock(-400),
      { name: "member", message: "its clock and this one are 399 s apart" },
    ],
    [
      "a cluster without an endpoint",
      (mesh) => mesh.directory.put({ ...mesh.clusters[0]!, endpoints: {} }),
      { name: "member", cure: expect.stringContaining("gcloud container clusters update m1") },
    ],
    [
      "an Autopilot cluster that refuses sidecars",
      (mesh) => mesh.directory.put({ ...mesh.clusters[0]!, autopilot: true }),
      { name: "member", cure: expect.stringContaining("--workload-policies=allow-net-admin") },
    ],
    [
      "pods that have no addresses of the VPC",
      (mesh) => mesh.directory.put({ ...mesh.clusters[0]!, vpcNative: false }),
      { name: "network", message: expect.stringContaining("cn-shop-europe-west1-m1") },
    ],
  ])("finds %s", async (_, damage, expected) => {
    const mesh = await aMesh({ members: 1 });
    await mesh.reconcile("mesh");
    await damage(mesh);
    expect(await faultsOf(mesh)).toEqual([expect.objectContaining(expected)]);
  });

  it("does not know what is in a location that is silent, nor whether all members share a network", async () => {
    const mesh = await aMesh({ members: 1 });
    await mesh.reconcile("mesh");
    mesh.directory.missing(["us-east1"]);
    expect(await faultsOf(mesh)).toMatchObject([
      { name: "clusters", state: "unknown", message: "shop: no answer from us-east1" },
      { name: "network", state: "unknown" },
    ]);
  });

  it("finds pairs that no firewall rule lets through, and gives the rule with all members' pod ranges", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    mesh.firewalls.clear();
    const faults = await faultsOf(mesh);
    expect(faults).not.toEqual([]);
    for (const fault of faults) {
      expect(fault).toMatchObject({
        name: "firewall",
        state: "fault",
        cure: expect.stringContaining("gcloud compute firewall-rules create"),
      });
      for (const { podRanges } of mesh.clusters) {
        for (const range of podRanges.cidrs) expect(fault.cure).toContain(range);
      }
    }
  });

  it("does not know whether pods reach each other in a network whose firewall it may not read", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    mesh.firewalls.refuse("shop");
    expect(await faultsOf(mesh)).toMatchObject([
      {
        name: "firewall",
        state: "unknown",
        message: expect.stringContaining("compute.networks.getEffectiveFirewalls is missing"),
        cure: expect.stringContaining("gcloud compute firewall-rules create"),
      },
    ]);
  });

  it("looks at no firewall for a single member, which has no pair", async () => {
    const mesh = await aMesh({ members: 1 });
    await mesh.reconcile("mesh");
    mesh.firewalls.refuse("shop");
    expect(await faultsOf(mesh)).toEqual([]);
  });

  it("finds an endpoint that other members cannot use, of a cluster that it reaches itself", async () => {
    const endpoints = allEndpoints("a");
    const dns = { ...endpoints.dns!, allowsKubernetesTokens: false };
    const mesh = await aMesh({
      clusters: [aCluster({ endpoints: { ...endpoints, dns } })],
      spec: { accessPeers: "dns" },
    });
    expect(await faultsOf(mesh)).toMatchObject([
      {
        clusterId: clusterId(mesh.clusters[0]!.ref),
        cure: expect.stringContaining("--enable-k8s-tokens-via-dns"),
      },
    ]);
  });

  describe("finds a root that may not be read, and says whose grant is missing", () => {
    const grants = "gcloud secrets add-iam-policy-binding prod-root-ca --project=shop";
    const [viewer, accessor] = ["roles/secretmanager.viewer", "roles/secretmanager.secretAccessor"];
    const you = "--member=user:ada@example.com";
    const signer = "--member=serviceAccount:SIGNER";
    const itself = {};
    const bySigner = { MESHJOIN_SIGNER_URL: "https://sign-intermediate-abc-ew.a.run.app" };

    it.each<[string, "deny" | "denyPayloads", Readonly<Record<string, string>>, string]>([
      ["the caller's, for names", "deny", itself, `${grants} ${you} --role=${viewer}`],
      ["the caller's, for payloads", "denyPayloads", itself, `${grants} ${you} --role=${accessor}`],
      [
        "the caller's, for names, though another signs",
        "deny",
        bySigner,
        `${grants} ${you} --role=${viewer}`,
      ],
      [
        "that of the account that signs",
        "denyPayloads",
        bySigner,
        "grant SIGNER, the account that sign-intermediate runs as, what it lacks: " +
          `${grants} ${signer} --role=${viewer} && ${grants} ${signer} --role=${accessor}`,
      ],
    ])("%s", async (_, refuse, signing, cure) => {
      const mesh = await aMesh({ members: 1 });
      mesh.roots[refuse]();
      const env = { MESHJOIN_MESH_ID: "prod", MESHJOIN_PROJECTS: "shop", ...signing };
      expect(await faultsOf(mesh, { env })).toMatchObject([
        { name: "root", message: expect.stringMatching(/^prod-root-ca: /), cure },
      ]);
    });
  });

  it("writes a service account into its commands as IAM wants it", async () => {
    const mesh = await aMesh({ members: 1 });
    mesh.roots.deny();
    const email = "meshjoin@shop.iam.gserviceaccount.com";
    expect(await faultsOf(mesh, { email })).toMatchObject([
      { cure: expect.stringContaining(`--member=serviceAccount:${email}`) },
    ]);
  });

  it("looks no further without credentials", async () => {
    const mesh = await aMesh({ members: 1 });
    const error = new RefusedError("could not get an access token; log in", { code: "NoCredentials" });
    expect(await faultsOf(mesh, { email: error })).toEqual([
      {
        name: "credentials",
        account: "caller",
        state: "fault",
        message: error.message,
        cure: "gcloud auth application-default login",
      },
    ]);
    expect(mesh.servers.map(({ requests }) => requests.total)).toEqual([0]);
  });

  it.each<[string, number, object, readonly unknown[]]>([
    [
      "what the functions say",
      200,
      { checks: [{ name: "member", state: "fault", account: "reconciler", message: "not allowed: x" }] },
      [{ account: "reconciler", state: "fault", message: "not allowed: x" }],
    ],
    ["that it is not let in", 403, {}, [{ name: "sync-mesh", account: "caller", state: "fault" }]],
    ["that nothing is known, of an error", 500, {}, [{ name: "sync-mesh", state: "unknown" }]],
    [
      "that nothing is known, of an empty answer",
      200,
      { checks: [] },
      [{ name: "sync-mesh", state: "unknown" }],
    ],
    ["that nothing is known, of another answer", 200, { checks: [{ ok: true }] }, [{ state: "unknown" }]],
  ])("shows beside its own view %s", async (_, status, body, expected) => {
    const mesh = await aMesh({ members: 1 });
    await mesh.reconcile("mesh");
    const asked: unknown[] = [];
    const server = createServer((request, response) => {
      asked.push([request.url, request.headers.authorization]);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    try {
      const { out } = await call(mesh, `doctor -o json --url ${url}`);
      const { checks }: Diagnosis = JSON.parse(out);
      expect(checks.filter(({ state }) => state !== "ok")).toMatchObject(expected);
      expect(checks.some(({ name }) => name === "credentials")).toBe(true);
      expect(asked).toEqual([["/doctor", `Bearer of-the-caller-for-${url}`]]);
    } finally {
      server.close();
    }
  });

  it("tells every fault of the configuration by itself, and exits with 2", async () => {
    const env = { MESHJOIN_MESH_ID: "Not An ID", MESHJOIN_PROJECT: "shop" };
    const { code, out } = await call(await aMesh(), "doctor -o json", { env });
    const { checks }: Diagnosis = JSON.parse(out);
    expect(code).toBe(2);
    expect(checks.map(({ name, state }) => [name, state])).toEqual(
      checks.map(() => ["configuration", "fault"]),
    );
    expect(checks.map(({ message }) => message.split(" ")[0])).toEqual([
      "MESHJOIN_MESH_ID",
      "MESHJOIN_PROJECTS",
      "MESHJOIN_PROJECT",
    ]);
  });
});

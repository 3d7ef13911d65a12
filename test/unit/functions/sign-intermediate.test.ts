import { beforeAll, describe, expect, it } from "@jest/globals";
import { clusterId } from "../../../shared/core/names.ts";
import { UnavailableError } from "../../../shared/errors.ts";
import { parseCertificatePem } from "../../../shared/pki/certificate.ts";
import { makeCsr } from "../../../shared/pki/csr.ts";
import { VERSION } from "../../../shared/version.ts";
import { aCluster, type ClusterSeed } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { aKeyPair } from "../../support/pki/gen.ts";
import { aSigner } from "./signer.ts";

const CALLER = "reconciler@shop.iam.gserviceaccount.com";

let csr: string;
beforeAll(async () => {
  csr = await makeCsr(await aKeyPair(), "x");
});

const idOf = (mesh: FakeMesh) => clusterId(mesh.clusters[0]!.ref);

/** As Cloud Run hands it on. */
function aToken(email: unknown): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `Bearer ${part({ alg: "RS256" })}.${part({ email, aud: "x" })}.SIGNATURE_REMOVED_BY_GOOGLE`;
}

describe("POST /sign", () => {
  it("certifies a member's key, and says for which roots", async () => {
    const mesh = await aMesh({ members: 1 });
    const { sign } = await aSigner(mesh);
    const { status, headers, body } = await sign({ clusterId: idOf(mesh), csr });
    expect(status).toBe(200);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(Object.keys(body)).toEqual(["certificate", "trustBundle", "rootVersions"]);
    const { publicKey } = await aKeyPair();
    expect(parseCertificatePem(body.certificate).publicKey.equals(publicKey)).toBe(true);
    expect(body.rootVersions).toEqual({ signing: 1 });
  });

  it("logs which certificate was issued, for whom, and who asked", async () => {
    const mesh = await aMesh({ members: 1 });
    const { sign, lines } = await aSigner(mesh);
    const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    const { body } = await sign(
      { clusterId: idOf(mesh), csr },
      { authorization: aToken(CALLER), traceparent },
    );
    const { serial, fingerprint, notAfter } = parseCertificatePem(body.certificate);
    expect(lines()).toEqual([
      {
        severity: "INFO",
        version: VERSION,
        time: expect.any(String),
        message: "intermediate issued",
        caller: CALLER,
        clusterId: idOf(mesh),
        serial,
        fingerprint,
        notAfter: notAfter.toISOString(),
        "logging.googleapis.com/trace": `projects/shop/traces/${"a".repeat(32)}`,
        "logging.googleapis.com/spanId": "b".repeat(16),
        "logging.googleapis.com/trace_sampled": true,
        "logging.googleapis.com/labels": { cluster_id: idOf(mesh) },
      },
    ]);
  });

  it.each<[string, string, Record<string, string>]>([
    ["no token", "unknown", {}],
    ["what is no token", "unknown", { authorization: "Bearer of.bad-news" }],
    ["a token without JSON", "unknown", { authorization: "Bearer a.b.c" }],
    ["a token without email", "unknown", { authorization: aToken(7) }],
    [
      "two tokens, of which Cloud Run looks at one",
      CALLER,
      { "x-serverless-authorization": aToken(CALLER), authorization: aToken("forged@evil.example") },
    ],
  ])("with %s takes the caller to be %s", async (_, caller, headers) => {
    const mesh = await aMesh({ members: 1 });
    const { sign, lines } = await aSigner(mesh);
    await sign({ clusterId: idOf(mesh), csr }, headers);
    expect(lines()).toMatchObject([{ message: "intermediate issued", caller }]);
  });

  it.each<[string, ClusterSeed]>([
    ["NotLabelled", { labels: {} }],
    ["OtherMesh", { labels: { mesh_id: "other" } }],
    ["NotAllowed", { name: "b1" }],
    ["Provisioning", { status: "PROVISIONING" }],
    ["Stopping", { status: "STOPPING" }],
    ["Failed", { status: "ERROR" }],
  ])("certifies nothing for a cluster that is %s", async (reason, seed) => {
    const mesh = await aMesh({ clusters: [aCluster({ name: "a1", ...seed })], spec: { allow: ["a*"] } });
    const { sign, lines } = await aSigner(mesh);
    const { status, body } = await sign({ clusterId: idOf(mesh), csr }, { authorization: aToken(CALLER) });
    expect([status, body.code]).toEqual([404, "NotAMember"]);
    expect(body.message).toContain(`is no member of mesh prod (${reason})`);
    expect(body.cure).toMatch(/has the label mesh_id=prod; ask again if that has just changed$/);
    expect(mesh.roots.calls).toEqual({ state: 0, payload: 0 });
    expect(lines()).toMatchObject([
      { severity: "WARNING", caller: CALLER, err: { code: "NotAMember", fields: { reason } } },
    ]);
  });

  it("does not know a cluster that no project lists", async () => {
    const mesh = await aMesh({ members: 1 });
    const { sign } = await aSigner(mesh);
    const { status, body } = await sign({ clusterId: "cn-shop-nowhere-x", csr });
    expect([status, body.code]).toEqual([404, "ClusterUnknown"]);
    expect(mesh.roots.calls).toEqual({ state: 0, payload: 0 });
  });

  it.each<[string, (mesh: FakeMesh) => void]>([
    ["a location", ({ directory }) => directory.missing(["europe-west1"])],
    ["a project", ({ directory }) => directory.refuse("shop")],
  ])("cannot say when %s does not answer", async (_, silence) => {
    const mesh = await aMesh({ members: 1 });
    silence(mesh);
    const { sign } = await aSigner(mesh);
    const { status, headers, body } = await sign({ clusterId: idOf(mesh), csr });
    expect([status, headers.get("retry-after"), body.code]).toEqual([503, "60", "ListingIncomplete"]);
    expect(mesh.roots.calls).toEqual({ state: 0, payload: 0 });
  });

  it("certifies for a member that is listed, whatever else is not", async () => {
    const mesh = await aMesh({ members: 1, spec: { projects: ["shop", "broken"] } });
    mesh.directory.refuse("broken");
    mesh.directory.missing(["us-central1"]);
    const { sign } = await aSigner(mesh);
    expect((await sign({ clusterId: idOf(mesh), csr })).status).toBe(200);
  });

  it("certifies for neither of two members with one cluster ID", async () => {
    const clusters = [
      aCluster({ project: "shop", location: "eu-west1" }),
      aCluster({ project: "shop-eu", location: "west1" }),
    ];
    const mesh = await aMesh({ clusters, spec: { projects: ["shop", "shop-eu"] } });
    const { sign } = await aSigner(mesh);
    const { status, body } = await sign({ clusterId: "cn-shop-eu-west1-east", csr });
    expect([status, body.code]).toEqual([403, "ClusterIdCollision"]);
    expect(mesh.roots.calls).toEqual({ state: 0, payload: 0 });
  });

  it.each<[number, string, (good: { clusterId: string; csr: string }) => unknown]>([
    [400, "clusterId", ({ csr: only }) => ({ csr: only })],
    [400, "clusterId", (good) => ({ ...good, clusterId: "Not An ID" })],
    [400, "csr", ({ clusterId: only }) => ({ clusterId: only })],
    [400, "csr", (good) => ({ ...good, csr: "" })],
    [400, "csr", (good) => ({ ...good, csr: ["x"] })],
    [400, "csr", (good) => ({ ...good, csr: "-----BEGIN CERTIFICATE REQUEST-----" })],
    [400, "subject", (good) => ({ ...good, subject: "CN=root" })],
    [400, "body", () => []],
    [413, "body", (good) => ({ ...good, csr: "x".repeat(70_000) })],
  ])("answers %d and names %s for what it cannot take", async (status, field, spoil) => {
    const mesh = await aMesh({ members: 1 });
    const { sign } = await aSigner(mesh);
    const refused = await sign(spoil({ clusterId: idOf(mesh), csr }));
    expect(refused).toMatchObject({ status, body: { code: expect.any(String), field } });
    expect(refused.text).not.toContain("    at ");
    expect(mesh.roots.handedOut).toEqual([]);
  });

  it("takes JSON alone", async () => {
    const mesh = await aMesh({ members: 1 });
    const { sign } = await aSigner(mesh);
    expect(await sign({ clusterId: idOf(mesh), csr }, { "content-type": "text/plain" })).toMatchObject({
      status: 400,
      body: { code: "UnsupportedMediaType", field: "content-type" },
    });
  });

  it("answers 422 for a root that cannot sign, and alerts", async () => {
    const mesh = await aMesh({ members: 1 });
    await mesh.roots.disable(1);
    const { sign, lines } = await aSigner(mesh);
    expect(await sign({ clusterId: idOf(mesh), csr })).toMatchObject({
      status: 422,
      body: { code: "RootVersionDisabled", cure: "enable it" },
    });
    expect(lines()).toMatchObject([{ severity: "ERROR", err: { code: "RootVersionDisabled" } }]);
  });

  it("answers 503 when Secret Manager has no answer", async () => {
    const mesh = await aMesh({ members: 1 });
    const { authority } = mesh.run().ports;
    mesh.roots.failNext(new UnavailableError("no answer; try again", { code: "Unavailable" }));
    const { call, lines } = await aSigner(mesh);
    const { status, headers, body } = await call("GET", "/trust-bundle");
    expect([status, headers.get("retry-after"), body.code]).toEqual([503, "60", "Unavailable"]);
    expect(lines()).toMatchObject([{ severity: "WARNING", message: "request failed" }]);
    expect(await authority.trustBundle()).toMatchObject({ rootVersions: { signing: 1 } });
  });

  it("says nothing of what nobody expected but that it happened", async () => {
    const mesh = await aMesh({ members: 1 });
    const broken = { ...mesh.directory, list: () => Promise.reject(new TypeError("x is undefined")) };
    const { sign, lines } = await aSigner(mesh, broken);
    const { status, text, body } = await sign({ clusterId: idOf(mesh), csr });
    expect([status, body.code]).toEqual([500, "Internal"]);
    expect(text).not.toContain("undefined");
    expect(lines()).toMatchObject([{ severity: "ERROR", err: { message: "x is undefined" } }]);
  });

  it("lets no key, request or token into its log or an answer", async () => {
    const mesh = await aMesh({ members: 1 });
    const { sign, call, log } = await aSigner(mesh);
    const authorization = aToken(CALLER);
    const order = { clusterId: idOf(mesh), csr };
    const answers = [await sign(order, { authorization }), await call("GET", "/trust-bundle")];
    mesh.roots.setAliases({ signing: mesh.roots.addVersion("-----BEGIN PRIVATE KEY-----\nMIGHAgEA") });
    answers.push(await sign(order, { authorization }));
    answers.push(await sign({ ...order, csr: csr.slice(0, 200) }, { authorization }));
    answers.push(await sign({ ...order, csr: [csr] }, { authorization }));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 422, 400, 400]);
    const written = [...log, ...answers.slice(2).map(({ text }) => text)].join("");
    for (const secret of [csr.slice(40, 90), "PRIVATE KEY", "MIGHAgEA", authorization.slice(7, 40)]) {
      expect({ secret, told: written.includes(secret) }).toEqual({ secret, told: false });
    }
    expect(answers.map(({ text }) => text).join("")).not.toContain("PRIVATE KEY");
  });
});

describe("GET /trust-bundle", () => {
  it("answers what the mesh trusts, and issues nothing", async () => {
    const mesh = await aMesh({ members: 1 });
    const { call, lines } = await aSigner(mesh);
    const { status, body } = await call("GET", "/trust-bundle");
    expect([status, Object.keys(body)]).toEqual([200, ["trustBundle", "rootVersions"]]);
    expect(lines()).toEqual([]);
  });

  it.each([
    [404, "NotFound", "GET", "/"],
    [404, "NotFound", "GET", "/sign/../constructor"],
    [405, "MethodNotAllowed", "GET", "/sign"],
    [405, "MethodNotAllowed", "POST", "/trust-bundle"],
  ])("is served with /sign and nothing else: %d %s for %s %s", async (status, code, method, path) => {
    const mesh = await aMesh();
    const { call } = await aSigner(mesh);
    expect(await call(method, path)).toMatchObject({ status, body: { code } });
  });
});

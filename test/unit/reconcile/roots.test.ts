import { createPrivateKey } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { UnavailableError } from "../../../shared/errors.ts";
import { RECORD } from "../../../shared/istio/record-config-map.ts";
import { basicConstraints, certificateSigning } from "../../../shared/pki/extension.ts";
import { makeKeyPair, privateKeyPem } from "../../../shared/pki/key.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { aKeyPair, aRoot, payloadOf, type RootSeed } from "../../support/pki/gen.ts";
import { contentsFromNow, expectJoined, inLockstep, objectsOf, secretsOf, versionsOf } from "./world.ts";

function sign(mesh: FakeMesh, payload: string | Buffer): void {
  mesh.roots.setAliases({ signing: mesh.roots.addVersion(payload) });
}

const signWith = (seed: RootSeed) => async (mesh: FakeMesh) => sign(mesh, payloadOf(await aRoot(seed)));

const BAD_ROOTS: readonly [string, (mesh: FakeMesh) => void | Promise<void>][] = [
  ["RootSecretMissing", ({ roots }) => roots.deleteSecret()],
  ["RootAccessDenied", ({ roots }) => roots.deny()],
  ["NoSigningRoot", ({ roots }) => roots.setAliases({ next: 1 })],
  ["RootVersionMissing", ({ roots }) => roots.setAliases({ signing: 9 })],
  ["RootVersionDisabled", ({ roots }) => roots.disable(1)],
  ["RootChecksumMismatch", ({ roots }) => roots.damage(1)],
  ["RootPayloadMalformed", (mesh) => sign(mesh, "no root")],
  [
    "RootKeyEncrypted",
    async (mesh) => {
      const { certificate, privateKey } = await aRoot();
      const form = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" } as const;
      sign(mesh, certificate + String(createPrivateKey(privateKey).export(form)));
    },
  ],
  [
    "RootKeyMismatch",
    async (mesh) => {
      const other = await makeKeyPair("ec-p256");
      sign(mesh, (await aRoot()).certificate + privateKeyPem(other.privateKey));
    },
  ],
  ["RootExpired", signWith({ notAfter: new Date("2026-02-28T00:00:00Z") })],
  ["RootExpiring", signWith({ notAfter: new Date("2026-03-04T00:00:00Z") })],
  ["RootNotYetValid", signWith({ notBefore: new Date("2026-03-02T00:00:00Z") })],
  ["RootNotCa", signWith({ extensions: [certificateSigning()] })],
  ["RootPathLength", signWith({ extensions: [basicConstraints(0), certificateSigning()] })],
];

/**
 * By a code wherever it comes out: thrown, when nothing can be said of any member, or as a member's error.
 */
async function codesOf(mesh: FakeMesh): Promise<unknown[]> {
  try {
    const { errors, retry } = await mesh.join(mesh.clusters[0]!);
    return [...errors.map(({ code, retryable }) => ({ code, retryable })), ...(retry ? ["retry"] : [])];
  } catch (error) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- compared, not trusted
    const { code, retryable } = error as { code: string; retryable: boolean };
    return [{ code, retryable }];
  }
}

describe("a root that cannot sign", () => {
  it.each(BAD_ROOTS)("is named %s, and leaves nothing in the cluster but why", async (code, spoil) => {
    const mesh = await aMesh({ members: 1 });
    await spoil(mesh);
    const before = objectsOf(mesh).map(({ metadata }) => metadata.name);
    expect(await codesOf(mesh)).toEqual([{ code, retryable: false }]);
    const left = objectsOf(mesh).map(({ metadata }) => metadata.name);
    expect(["istio-system", RECORD.name]).toEqual(
      expect.arrayContaining(left.filter((name) => !before.includes(name))),
    );
  });

  it("keeps the other aliases in the cure of a missing one", async () => {
    const mesh = await aMesh({ members: 1 });
    mesh.roots.setAliases({ next: 1, previous: 1 });
    await expect(mesh.join(mesh.clusters[0]!)).rejects.toMatchObject({
      cure: expect.stringContaining("--update-version-aliases=signing=VERSION,next=1,previous=1"),
    });
  });

  it("leaves members alone that need nothing of it", async () => {
    const mesh = await aMesh({ members: 2 });
    for (const cluster of mesh.clusters) await mesh.join(cluster);
    await mesh.roots.disable(1);
    const before = versionsOf(mesh);
    expect(await mesh.reconcile("mesh")).toMatchObject({ summary: { outcome: "unchanged" }, errors: [] });
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("has every buffer wiped that it handed out", async () => {
    const mesh = await aMesh({ members: 1 });
    sign(mesh, payloadOf(await aRoot({ notAfter: new Date("2026-02-28T00:00:00Z") })));
    await codesOf(mesh);
    await mesh.join(mesh.clusters[0]!);
    expect(mesh.roots.handedOut.length).toBeGreaterThan(0);
    for (const buffer of mesh.roots.handedOut) expect(buffer.every((byte) => byte === 0)).toBe(true);
  });
});

describe("a Secret Manager that does not answer", () => {
  it("is asked again later", async () => {
    const mesh = await aMesh({ members: 1 });
    mesh.roots.failNext(new UnavailableError("no answer; try again", { code: "Unavailable" }));
    expect(await codesOf(mesh)).toEqual([{ code: "Unavailable", retryable: true }]);
    expect(await codesOf(mesh)).toEqual([]);
    await expectJoined(mesh);
  });
});

describe("a root that is claimed beside the signing one", () => {
  it("gets into every member's bundle once, though ten runs come at once", async () => {
    const mesh = await aMesh({ members: 2 });
    for (const cluster of mesh.clusters) await mesh.join(cluster);
    const next = payloadOf(await aRoot({ pair: await aKeyPair("ec-p384"), commonName: "Next" }));
    mesh.roots.setAliases({ signing: 1, next: mesh.roots.addVersion(next) });

    inLockstep(mesh);
    const written = contentsFromNow(mesh, mesh.clusters[0]!, "cacerts");
    const runs = await Promise.all(Array.from({ length: 10 }, () => mesh.reconcile("mesh")));
    expect(written.size).toBe(2);
    for (const { errors } of runs) expect(errors.every(({ code }) => code === "Conflict")).toBe(true);
    expect((await mesh.reconcile("mesh")).summary.outcome).toBe("unchanged");
    await expectJoined(mesh);
    for (const cluster of mesh.clusters) {
      const cacerts = secretsOf(mesh, cluster).find(({ metadata }) => metadata.name === "cacerts");
      expect(cacerts?.metadata.annotations?.["meshjoin.dev/root-versions"]).toBe('{"next":2,"signing":1}');
    }
  });
});

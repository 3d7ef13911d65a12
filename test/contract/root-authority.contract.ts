import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { ClusterRef } from "../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../shared/core/names.ts";
import { UnavailableError } from "../../shared/errors.ts";
import { parseBundle, parseCertificatePem } from "../../shared/pki/certificate.ts";
import { makeCsr } from "../../shared/pki/csr.ts";
import { makeKeyPair, privateKeyPem } from "../../shared/pki/key.ts";
import { isSignedBy } from "../../shared/pki/signature.ts";
import { verifyCacerts } from "../../shared/pki/verify.ts";
import type { RootAuthority } from "../../shared/ports/root-authority.ts";
import type { FakeRootStore } from "../support/fakes/root-store.ts";
import { aKeyPair, aRoot, DAY, payloadOf } from "../support/pki/gen.ts";

/** One world with a member, and a root secret with one version, which signs. */
export interface AuthorityWorld {
  readonly authority: RootAuthority;
  readonly store: FakeRootStore;
  readonly member: ClusterRef;
  readonly now: () => Date;
  close(): Promise<void>;
}

type Act = (world: AuthorityWorld) => Promise<unknown>;

async function aCsr(): Promise<string> {
  return await makeCsr(await aKeyPair(), "ignored");
}

const issue: Act = async ({ authority, member }) => await authority.issue(await aCsr(), member);

async function sign({ store, now }: AuthorityWorld, days: number): Promise<void> {
  const at = (offset: number) => new Date(now().getTime() + offset * DAY * 1000);
  const root = await aRoot({ commonName: "other", notBefore: at(-90), notAfter: at(days) });
  store.setAliases({ signing: store.addVersion(payloadOf(root)) });
}

/** Faults of the root, by their reason. Every request to the authority meets them. */
const ROOT_FAULTS: readonly [string, (world: AuthorityWorld) => unknown][] = [
  ["NoSigningRoot", ({ store }) => store.setAliases({ next: 1 })],
  ["RootSecretMissing", ({ store }) => store.deleteSecret()],
  ["RootAccessDenied", ({ store }) => store.deny()],
  ["RootVersionMissing", ({ store }) => store.setAliases({ signing: 7 })],
  ["RootVersionDisabled", ({ store }) => store.disable(1)],
  ["RootChecksumMismatch", ({ store }) => store.damage(1)],
  ["RootPayloadMalformed", ({ store }) => store.setAliases({ signing: store.addVersion("nonsense") })],
];

const REFUSED_REQUESTS: readonly [string, () => Promise<string> | string][] = [
  ["CsrMalformed", () => "please sign"],
  ["CsrKeyRefused", () => makeCsr(generateKeyPairSync("rsa", { modulusLength: 1024 }), "weak")],
  [
    "CsrSignatureInvalid",
    async () => {
      const { publicKey } = await makeKeyPair("ec-p256");
      return await makeCsr({ publicKey, privateKey: (await aKeyPair()).privateKey }, "not mine");
    },
  ],
];

export function describeRootAuthority(name: string, start: () => Promise<AuthorityWorld>): void {
  describe(`${name} as a RootAuthority`, () => {
    let world: AuthorityWorld;
    beforeEach(async () => {
      world = await start();
    });
    afterEach(() => world.close());

    it("issues what istiod loads, for the member and its key, with the alias map that it stands for", async () => {
      const { publicKey, privateKey } = await aKeyPair();
      const issued = await world.authority.issue(await aCsr(), world.member);
      const { certificate, trustBundle, rootVersions } = issued;
      const files = { certificate, chain: certificate, trustBundle, privateKey: privateKeyPem(privateKey) };
      expect(verifyCacerts(files, world.now())).toEqual([]);
      const { publicKey: certified, subject, pathLength } = parseCertificatePem(certificate);
      expect(certified.equals(publicKey)).toBe(true);
      expect(subject.includes(clusterId(world.member))).toBe(true);
      expect(subject.includes("ignored")).toBe(false);
      expect(pathLength).toBe(0);
      expect(rootVersions).toEqual({ signing: 1 });
    });

    it("gives every certificate a serial number of its own", async () => {
      const serials = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const { certificate } = await world.authority.issue(await aCsr(), world.member);
          return parseCertificatePem(certificate).serial;
        }),
      );
      expect(new Set(serials).size).toBe(4);
    });

    it("answers the roots that aliases claim, in version order", async () => {
      const { certificate, privateKey } = await aRoot({ commonName: "second" });
      world.store.setAliases({ next: world.store.addVersion(certificate + privateKey), signing: 1 });
      const { trustBundle, rootVersions } = await world.authority.trustBundle();
      expect(rootVersions).toEqual({ next: 2, signing: 1 });
      expect(parseBundle(trustBundle).map(({ fingerprint }) => fingerprint)[1]).toBe(
        parseCertificatePem(certificate).fingerprint,
      );
      const issued = await world.authority.issue(await aCsr(), world.member);
      expect(issued).toMatchObject({ trustBundle, rootVersions });
      const [first] = parseBundle(trustBundle);
      expect(isSignedBy(parseCertificatePem(issued.certificate).der, first!.publicKey)).toBe(true);
    });

    describe.each<[string, Act]>([
      ["issue", issue],
      ["trustBundle", ({ authority }) => authority.trustBundle()],
      ["check", ({ authority }) => authority.check()],
    ])("%s", (_, act) => {
      it.each(ROOT_FAULTS)("fails for good with %s", async (code, spoil) => {
        await spoil(world);
        await expect(act(world)).rejects.toMatchObject({ name: "RootError", code, retryable: false });
      });

      it("can be tried again when Secret Manager has no answer, and goes through then", async () => {
        const silent = new UnavailableError("no answer; it will be tried again", { code: "Unavailable" });
        world.store.failNext(silent);
        await expect(act(world)).rejects.toMatchObject({
          name: "UnavailableError",
          code: "Unavailable",
          message: silent.message,
          retryable: true,
        });
        await expect(act(world)).resolves.toMatchObject({ rootVersions: { signing: 1 } });
      });
    });

    it("says until when it can sign, and issues nothing", async () => {
      await sign(world, 30);
      const signsUntil = new Date(world.now().getTime() + 30 * DAY * 1000);
      signsUntil.setUTCMilliseconds(0);
      expect(await world.authority.check()).toEqual({ rootVersions: { signing: 2 }, signsUntil });
    });

    it("says that it cannot sign where the key is not that of the root, though the bundle can be had", async () => {
      const [{ certificate }, { privateKey }] = [
        await aRoot({ pair: await makeKeyPair("ec-p256") }),
        await aRoot(),
      ];
      world.store.setAliases({ signing: world.store.addVersion(certificate + privateKey) });
      await expect(world.authority.check()).rejects.toMatchObject({
        name: "RootError",
        code: "RootKeyMismatch",
      });
      await world.authority.trustBundle();
    });

    it("says that two aliases stand for one root", async () => {
      world.store.setAliases({ signing: 1, next: world.store.addVersion(await world.store.payload(1)) });
      await expect(world.authority.check()).rejects.toMatchObject({ name: "RootError", code: "RootTwice" });
    });

    it.each([
      ["RootExpired", -1],
      ["RootExpiring", 3],
    ])("issues nothing with %s, and still answers the bundle", async (code, days) => {
      await sign(world, days);
      await expect(issue(world)).rejects.toMatchObject({ name: "RootError", code, retryable: false });
      await expect(world.authority.check()).rejects.toMatchObject({ name: "RootError", code });
      expect(await world.authority.trustBundle()).toMatchObject({ rootVersions: { signing: 2 } });
    });

    it.each(REFUSED_REQUESTS)("refuses a request as %s, and says how one looks", async (code, make) => {
      await expect(world.authority.issue(await make(), world.member)).rejects.toMatchObject({
        name: "InputError",
        code,
        field: "csr",
        cure: expect.stringMatching(/^send a PKCS#10 request in PEM, signed with SHA-2 by /),
        retryable: false,
      });
      expect(world.store.handedOut).toEqual([]);
    });

    it.each<[string, Act]>([
      ["issue", async (w) => await w.authority.issue(await aCsr(), w.member, AbortSignal.abort())],
      ["trustBundle", (w) => w.authority.trustBundle(AbortSignal.abort())],
      ["check", (w) => w.authority.check(AbortSignal.abort())],
    ])("%s does nothing that has been cancelled", async (_, act) => {
      await expect(act(world)).rejects.toMatchObject({
        name: "UnavailableError",
        code: "Cancelled",
        retryable: true,
      });
      expect(world.store.handedOut).toEqual([]);
    });

    it("leaves no payload of a root in memory", async () => {
      await issue(world);
      await world.authority.trustBundle();
      await world.authority.check();
      expect(world.store.handedOut).toHaveLength(3);
      expect(world.store.handedOut.every((payload) => payload.every((byte) => byte === 0))).toBe(true);
    });
  });
}

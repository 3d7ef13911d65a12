import { beforeEach, describe, expect, it } from "@jest/globals";
import { UnavailableError } from "../../../shared/errors.ts";
import { parseBundle, parseCertificatePem } from "../../../shared/pki/certificate.ts";
import { makeCsr } from "../../../shared/pki/csr.ts";
import { inProcessAuthority } from "../../../shared/pki/in-process-authority.ts";
import { privateKeyPem } from "../../../shared/pki/key.ts";
import { keysInPayloads } from "../../../shared/pki/root-keys.ts";
import { verifyCacerts } from "../../../shared/pki/verify.ts";
import type { RootAuthority } from "../../../shared/ports/root-authority.ts";
import { aSpec } from "../../support/builders/spec.ts";
import { type FakeRootStore, fakeRootStore } from "../../support/fakes/root-store.ts";
import { aKeyPair, aRoot, NOW, payloadOf, type RootFiles } from "../../support/pki/gen.ts";

const spec = aSpec();
const member = { project: "shop", location: "europe-west1-b", name: "one" };

let store: FakeRootStore;
let authority: RootAuthority;
let [a, b]: RootFiles[] = [];
let csr: string;

beforeEach(async () => {
  store = fakeRootStore("prod");
  authority = inProcessAuthority({ keys: keysInPayloads, store, clock: { now: () => NOW }, spec });
  a = await aRoot({ algorithm: "ec-p384", commonName: "a" });
  b = await aRoot({ algorithm: "rsa-2048", commonName: "b" });
  store.addVersion(payloadOf(a));
  store.addVersion(payloadOf(b));
  csr = await makeCsr(await aKeyPair(), "ignored");
});

const calls: [string, () => Promise<unknown>][] = [
  ["trustBundle", () => authority.trustBundle()],
  ["issue", () => authority.issue(csr, member)],
];

describe("inProcessAuthority", () => {
  it("issues what istiod loads, with the alias map that it stands for", async () => {
    store.setAliases({ signing: 1, next: 2 });
    const { certificate, trustBundle, rootVersions } = await authority.issue(csr, member);
    const privateKey = privateKeyPem((await aKeyPair()).privateKey);
    expect(rootVersions).toEqual({ next: 2, signing: 1 });
    expect(verifyCacerts({ certificate, privateKey, chain: certificate, trustBundle }, NOW)).toEqual([]);
    expect(parseCertificatePem(certificate).issuer).toEqual(
      parseCertificatePem(a?.certificate ?? "").subject,
    );
  });

  it("takes nothing but the key from a request: the subject names the member", async () => {
    store.setAliases({ signing: 1 });
    const { certificate } = await authority.issue(csr, member);
    const { subject } = parseCertificatePem(certificate);
    expect(subject.includes("cn-shop-europe-west1-b-one")).toBe(true);
    expect(subject.includes("ignored")).toBe(false);
  });

  it.each([
    [{ signing: 1 }, "a"],
    [{ signing: 2 }, "b"],
    [{ signing: 2, previous: 1 }, "ab"],
    [{ signing: 1, next: 2 }, "ab"],
    [{ signing: 2, next: 1 }, "ab"],
  ])("bundles the roots that %j claims, in version order", async (versions, expected) => {
    store.setAliases(versions);
    const certificates = { a: a?.certificate ?? "", b: b?.certificate ?? "" };
    const { trustBundle, rootVersions } = await authority.trustBundle();
    expect(trustBundle).toBe(
      expected
        .split("")
        .map((name) => (name === "a" ? certificates.a : certificates.b))
        .join(""),
    );
    expect(rootVersions).toEqual(versions);
  });

  it("ignores a version without a role, whatever is in it", async () => {
    store.addVersion("nonsense");
    store.setAliases({ signing: 1 });
    expect(parseBundle((await authority.trustBundle()).trustBundle)).toHaveLength(1);
  });

  it.each(calls)("reads the state and every claimed payload once for %s", async (_, call) => {
    store.setAliases({ signing: 2, previous: 1 });
    await call();
    expect(store.calls).toEqual({ state: 1, payload: 2 });
  });

  it.each(calls)("wipes every payload after %s", async (_, call) => {
    store.setAliases({ signing: 1, next: 2 });
    await call();
    expect(store.handedOut).toHaveLength(2);
    expect(store.handedOut.every((payload) => payload.every((byte) => byte === 0))).toBe(true);
  });

  it.each(calls)("wipes what it got when another read of %s fails", async (_, call) => {
    store.setAliases({ signing: 1, next: 2 });
    await store.disable(2);
    await expect(call()).rejects.toMatchObject({ code: "RootVersionDisabled" });
    expect(store.handedOut.map((payload) => payload.every((byte) => byte === 0))).toEqual([true]);
  });

  it.each(calls)("wipes a payload that %s cannot use", async (_, call) => {
    store.setAliases({ signing: store.addVersion("-----BEGIN PRIVATE KEY-----\nMIGH") });
    await expect(call()).rejects.toMatchObject({
      code: "RootPayloadMalformed",
      fields: { root: "version 3 of secret prod-root-ca" },
    });
    expect(store.handedOut.map((payload) => payload.every((byte) => byte === 0))).toEqual([true]);
  });

  it.each(calls)("does nothing in %s without a signing root", async (_, call) => {
    store.setAliases({ next: 1, previous: 2 });
    await expect(call()).rejects.toMatchObject({
      name: "RootError",
      code: "NoSigningRoot",
      cure: expect.stringMatching(
        / gcloud secrets update prod-root-ca --project=\S+ --update-version-aliases=signing=VERSION,next=1,previous=2$/,
      ),
    });
    expect(store.calls).toEqual({ state: 1, payload: 0 });
  });

  it.each(calls)("passes on in %s what the store says", async (_, call) => {
    store.failNext(new UnavailableError("gone; try again", { code: "Unavailable" }));
    await expect(call()).rejects.toMatchObject({ name: "UnavailableError", retryable: true });
  });

  it("reads nothing for a request that it refuses", async () => {
    store.setAliases({ signing: 1 });
    await expect(authority.issue("please", member)).rejects.toMatchObject({
      name: "InputError",
      field: "csr",
    });
    expect(store.calls).toEqual({ state: 0, payload: 0 });
  });

  it.each([
    ["RootExpired", "2026-02-28T00:00:00Z"],
    ["RootExpiring", "2026-03-07T11:59:59Z"],
  ])("issues nothing with %s, and still answers the bundle", async (code, notAfter) => {
    const root = await aRoot({ notAfter: new Date(notAfter) });
    store.setAliases({ signing: store.addVersion(payloadOf(root)) });
    await expect(authority.issue(csr, member)).rejects.toMatchObject({ name: "RootError", code });
    expect((await authority.trustBundle()).trustBundle).toBe(root.certificate);
  });

  it("parses no key but the signing one", async () => {
    const { certificate } = await aRoot({ commonName: "c" });
    store.setAliases({ signing: 1, next: store.addVersion(certificate) });
    expect(parseBundle((await authority.issue(csr, member)).trustBundle)).toHaveLength(2);
  });
});

import { describe, expect, it } from "@jest/globals";
import { secretRef } from "../../../shared/istio/secrets.ts";
import { makeRoot } from "../../../shared/pki/make-root.ts";
import type { RootView } from "../../../shared/rotate/root-view.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { aJoinedMesh, rootsNow, STAGE, serials, ticks } from "../rotate/world.ts";
import { expectGolden } from "./golden.ts";
import { call } from "./host.ts";

/** Every command is given a second after the one before, by a person who answers each question with yes. */
async function said(mesh: FakeMesh, args: string, files: Readonly<Record<string, string>> = {}) {
  mesh.clock.advance(1);
  return await call(mesh, args, { files, answer: true });
}

async function view(mesh: FakeMesh): Promise<RootView> {
  const { out } = await said(mesh, "root status --output json");
  const parsed: RootView = JSON.parse(out);
  return parsed;
}

async function aMeshWithoutRoot(): Promise<FakeMesh> {
  const mesh = await aMesh({ members: 1 });
  mesh.roots.deleteSecret();
  mesh.roots.setAliases({});
  return mesh;
}

async function aRootFile(mesh: FakeMesh): Promise<string> {
  const { certificate, privateKey } = await makeRoot({ organization: "elsewhere", now: mesh.clock.now() });
  return certificate + privateKey;
}

describe("root init", () => {
  it("makes the secret, a root for ten years, and lets it sign", async () => {
    const mesh = await aMeshWithoutRoot();
    const { code, err } = await said(mesh, "root init --algorithm ec-p384");
    expect([code, err]).toEqual([0, ""]);
    expect(await mesh.roots.state()).toMatchObject({
      versions: { signing: 2 },
      annotations: { "meshjoin.dev_origin": "generated" },
    });
    await mesh.reconcile("mesh");
    expect(serials(mesh)).toEqual([expect.any(String)]);
  });

  it("refuses where there is a root", async () => {
    const mesh = await aMesh({ members: 1 });
    const { code, out } = await said(mesh, "root init");
    expect([code, out]).toEqual([1, expect.stringContaining("Refused: RootExists")]);
    expect(await mesh.roots.list()).toHaveLength(1);
  });

  it("that is called twice at once leaves one root, and the other disabled", async () => {
    const mesh = await aMeshWithoutRoot();
    const ended = await Promise.all([said(mesh, "root init"), said(mesh, "root init")]);
    expect(ended.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([0, 1]);
    const { signing } = (await mesh.roots.state()).versions;
    const enabled = (await mesh.roots.list()).flatMap(({ version, enabled: is }) => (is ? [version] : []));
    expect(enabled).toEqual([1, signing]);
  });
});

describe("root import", () => {
  it("brings the first root", async () => {
    const mesh = await aMeshWithoutRoot();
    const { code } = await said(mesh, "root import root.pem", { "root.pem": await aRootFile(mesh) });
    expect(code).toBe(0);
    expect(await mesh.roots.state()).toMatchObject({
      versions: { signing: 2 },
      annotations: { "meshjoin.dev_origin": "imported" },
    });
  });

  it("begins a rotation to the next one", async () => {
    const mesh = await aJoinedMesh();
    const { code, out } = await said(mesh, "root import -", { "-": await aRootFile(mesh) });
    expect([code, out]).toEqual([0, expect.stringContaining("Root rotation: idle → distribute")]);
    expect(await rootsNow(mesh)).toMatchObject({ stage: "distribute" });
  });

  it.each([
    ["what is no root", "hello", /holds no certificate|is not PEM/],
    ["a certificate without its key", "certificate", /holds no private key/],
  ])("refuses %s, and adds nothing", async (_, given, words) => {
    const mesh = await aJoinedMesh();
    const root = await makeRoot({ now: mesh.clock.now() });
    const file = given === "certificate" ? root.certificate : given;
    const { code, err } = await said(mesh, "root import root.pem", { "root.pem": file });
    expect([code, err]).toEqual([1, expect.stringMatching(words)]);
    expect(await mesh.roots.list()).toHaveLength(1);
  });

  it("names the file that cannot be read", async () => {
    const { code, err } = await said(await aJoinedMesh(), "root import nowhere.pem");
    expect([code, err]).toEqual([2, expect.stringContaining("nowhere.pem cannot be read")]);
  });
});

describe("a root rotation by hand", () => {
  it("is begun, watched, held, moved on and taken back", async () => {
    const mesh = await aJoinedMesh();
    expect(await said(mesh, "root rotate")).toMatchObject({
      code: 0,
      out: expect.stringContaining("Root rotation: idle → distribute"),
    });
    const early = await said(mesh, "root advance --output json");
    expect([early.code, JSON.parse(early.out)]).toMatchObject([
      1,
      { from: "distribute", to: "distribute", refused: { code: "StageNotOver" } },
    ]);
    expect((await said(mesh, "root pause")).code).toBe(0);
    mesh.clock.advance(STAGE);
    await ticks(mesh);
    expect(await view(mesh)).toMatchObject({
      stage: "distribute",
      paused: expect.stringMatching(/Z$/),
      waitingFor: [],
      versions: [
        { version: 1, role: "signing", enabled: true },
        { version: 2, role: "next", enabled: true },
      ],
    });
    expect((await said(mesh, "root advance")).code).toBe(0);
    expect((await said(mesh, "root resume")).code).toBe(0);
    expect(await said(mesh, "root abort")).toMatchObject({
      code: 0,
      out: expect.stringContaining("Root rotation: switch; version 1 signs"),
    });
    for (let index = 0; index < 3; index += 1) {
      mesh.clock.advance(STAGE);
      await ticks(mesh);
    }
    expect(await view(mesh)).toMatchObject({
      stage: "idle",
      versions: [
        { version: 1, role: "signing", enabled: true },
        { version: 2, role: null, enabled: false, retired: true },
      ],
      findings: [],
    });
    expect(await said(mesh, "root abort --yes")).toMatchObject({
      code: 1,
      out: expect.stringContaining("Refused: NothingToAbort"),
    });
  });

  it.each([80, 100, 160])("is shown with dates, fingerprints and origin on %d columns", async (columns) => {
    const mesh = await aJoinedMesh();
    await said(mesh, "root rotate");
    await ticks(mesh);
    const fingerprints = mesh.servers.flatMap(({ store }) =>
      (store.get(secretRef("cacerts"))?.metadata.annotations?.["meshjoin.dev/root-fingerprints"] ?? "").split(
        ",",
      ),
    );
    const { versions } = await view(mesh);
    expect(new Set(versions.map(({ fingerprint }) => fingerprint))).toEqual(new Set(fingerprints));
    mesh.clock.advance(1);
    const { out } = await call(mesh, "root status", { isTTY: true, env: { NO_COLOR: "1" }, columns });
    const digits = [...new Set(fingerprints)].map((each) => each.slice(0, 12));
    const known = digits.reduce((text, each) => text.replace(each, "FINGERPRINT-"), out);
    expectGolden(`root-status-${columns}`, known.trimEnd());
    expect(out.split("\n").filter((line) => line.length > columns && !line.startsWith("  "))).toEqual([]);
  });

  it("says what an order has come to where the stage is the same", async () => {
    const mesh = await aJoinedMesh();
    await said(mesh, "root rotate");
    expect((await said(mesh, "root pause")).out).toContain(
      "Root rotation: distribute, paused; version 1 signs",
    );
    expect((await said(mesh, "root resume")).out).toContain("Root rotation: distribute; version 1 signs");
  });

  it("shows that no version signs, and names none that could be disabled", async () => {
    const mesh = await aJoinedMesh();
    mesh.roots.setAliases({});
    const { code, out } = await said(mesh, "root status");
    expect([code, out]).toEqual([0, expect.stringMatching(/NoSigningRoot[\s\S]*=signing=VERSION/)]);
    expect(out).not.toContain("versions disable");
  });

  it("shows that the version that signs is disabled as an error, and how to enable it", async () => {
    const mesh = await aJoinedMesh();
    await mesh.roots.disable(1);
    const { out } = await said(mesh, "root status");
    expect(out).toMatch(/Errors\n {2}SigningRootUnusable\n[^]*gcloud secrets versions enable 1/);
  });

  it("shows a version that is nobody's root", async () => {
    const mesh = await aJoinedMesh();
    mesh.roots.addVersion("whatever");
    const { code, out } = await said(mesh, "root status");
    expect([code, out]).toEqual([0, expect.stringMatching(/UnclaimedRootVersion[\s\S]*versions disable 2/)]);
  });
});

describe("rotate", () => {
  it("replaces all intermediates, or that of one cluster", async () => {
    const mesh = await aJoinedMesh();
    const before = serials(mesh);
    expect((await said(mesh, "rotate")).code).toBe(0);
    const after = serials(mesh);
    expect(after.filter((serial) => before.includes(serial))).toEqual([]);
    expect((await said(mesh, "rotate --cluster cn-shop-europe-west1-m1")).code).toBe(0);
    expect(serials(mesh).map((serial, index) => serial === after[index])).toEqual([false, true]);
  });

  it("says of compromised ones that they stay trusted", async () => {
    const { code, out } = await said(await aJoinedMesh(), "rotate --compromised");
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/StolenIntermediateTrusted[\s\S]*meshjoin root rotate/),
    ]);
  });
});

describe("root advance --without", () => {
  const args = "root advance --without cn-shop-europe-west1-old";
  const aRotatingMesh = async () => {
    const mesh = await aJoinedMesh();
    await said(mesh, "root rotate");
    return mesh;
  };

  it("says on a terminal whom it cuts off, and leaves nobody out after a no", async () => {
    const mesh = await aRotatingMesh();
    const before = await mesh.roots.state();
    const { code, out, err, questions } = await call(mesh, args, { answer: false });
    expect([code, out, questions]).toEqual([1, "", ["Continue?"]]);
    expect(err).toMatch(/waits for cn-shop-europe-west1-old any more\. What still runs there is cut off/);
    expect(await mesh.roots.state()).toEqual(before);
  });

  it.each([
    [`${args} --yes`, { answer: false }],
    [`${args} -o json`, { answer: false }],
    [args, {}],
    ["root advance", { answer: false }],
  ] as const)("asks nobody: %s %j", async (line, terminal) => {
    const { questions, out } = await call(await aRotatingMesh(), line, terminal);
    expect([questions, out === ""]).toEqual([[], false]);
  });
});

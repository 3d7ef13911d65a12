import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { UnavailableError } from "../../shared/errors.ts";
import { canaries } from "./canary/leaks.ts";
import { SCENARIOS } from "./canary/scenarios.ts";
import { aListenedWorld } from "./canary/world.ts";

const START = { kind: "root", action: "start" };

describe("no key and no token is in what Meshjoin says", () => {
  it.each(SCENARIOS)("when %s", async (_, act) => {
    const world = await aListenedWorld();
    await act(world);
    expect(world.leaks()).toEqual([]);
    expect(world.canaries.keys.size).toBeGreaterThan(3);
    expect(world.canaries.tokens.size).toBeGreaterThan(1);
    for (const place of ["log", "result", "HTTP answer", "command line", "annotation"])
      expect(world.places()).toContain(place);
  });
});

describe("a leak is found", () => {
  it("in an error that tells too much, though no log does", async () => {
    const world = await aListenedWorld();
    const { roots } = world.mesh;
    const payload = roots.payloads[1]?.toString() ?? "";
    roots.failNext(new UnavailableError(`cannot store ${payload}`, { code: "Unavailable" }));
    await world.message(START);
    expect(new Set(world.leaks())).toEqual(
      new Set(["error: a piece of a key", "error: the words PRIVATE KEY"]),
    );
  });

  it("in the cause of an error", async () => {
    const world = await aListenedWorld();
    const [token = ""] = world.canaries.tokens;
    const cause = new Error(`refused ${token}`);
    world.mesh.roots.failNext(new UnavailableError("no answer; try again", { code: "Unavailable", cause }));
    await world.message(START);
    expect(world.leaks()).toContain("error: a token");
  });

  it("in an HTTP answer, at the command line and in a log", async () => {
    const world = await aListenedWorld();
    const [token = ""] = world.canaries.tokens;
    for (const say of [
      () => world.http("GET", "/status"),
      () => world.cli("root status"),
      () => world.message(START),
    ]) {
      world.mesh.roots.failNext(new UnavailableError(`no answer to ${token}`, { code: "Unavailable" }));
      await say();
    }
    expect(world.leaks()).toEqual(
      expect.arrayContaining(["HTTP answer: a token", "command line: a token", "log: a token"]),
    );
  });

  it("in an annotation", async () => {
    const world = await aListenedWorld();
    const [key = ""] = world.canaries.keys;
    world.mesh.roots.setAnnotations({ "meshjoin.dev_note": key.split("\n")[1]?.slice(20, 44) ?? "" });
    await world.message("{");
    expect(world.leaks()).toEqual(["annotation: a piece of a key"]);
  });

  const PEM = generateKeyPairSync("ec", { namedCurve: "P-256" })
    .privateKey.export({ format: "pem", type: "pkcs8" })
    .toString();
  const [, LINE = ""] = PEM.split("\n");
  it.each([
    ["24 characters of it", LINE.slice(40)],
    [
      "24 characters of it in the letters of base64url",
      LINE.slice(40).replaceAll("+", "-").replaceAll("/", "_"),
    ],
    ["its PEM in base64", Buffer.from(PEM).toString("base64").slice(60, 90)],
    ["a payload in base64", Buffer.from(`a certificate\n${PEM}`).toString("base64").slice(90, 140)],
    [
      "a payload in base64 that is shifted",
      Buffer.from(`certificate\n${PEM}`).toString("base64").slice(90, 140),
    ],
  ])("in %s", (_, text) => {
    const found = canaries();
    found.addKeys(`a certificate\n${PEM}`);
    expect(found.leaks([{ where: "log", text: JSON.stringify({ message: `got ${text}` }) }])).toEqual([
      "log: a piece of a key",
    ]);
  });

  it("but not in 23 characters of it", () => {
    const found = canaries();
    found.addKeys(PEM);
    expect(found.leaks([{ where: "log", text: `got ${LINE.slice(41)}` }])).toEqual([]);
  });
});

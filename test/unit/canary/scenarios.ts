import { generateKeyPairSync } from "node:crypto";
import { expect } from "@jest/globals";
import { ConflictError, RootError } from "../../../shared/errors.ts";
import { makeRoot } from "../../../shared/pki/make-root.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { processFaults } from "../../support/fakes/member-api/faults.ts";
import type { ListenedWorld } from "./world.ts";

const START = { kind: "root", action: "start" };
const ADVANCE = { kind: "root", action: "advance" };
const ABORT = { kind: "root", action: "abort" };
const REPLACE = { kind: "intermediate", scope: "mesh", reason: "manual" };
const COMPROMISED = { ...REPLACE, reason: "compromise" };

async function aRoot({ mesh }: ListenedWorld): Promise<{ certificate: string; privateKey: string }> {
  return await makeRoot({ organization: "elsewhere", now: mesh.clock.now() });
}

/** What happens to a mesh that is listened to. */
export const SCENARIOS: readonly (readonly [string, (world: ListenedWorld) => Promise<void>])[] = [
  [
    "a root is rotated",
    async (world) => {
      await world.message(START);
      for (let stage = 0; stage < 4; stage += 1) {
        await world.lookAround();
        await world.stages(1);
      }
      await world.lookAround();
      expect(await world.mesh.roots.state()).toMatchObject({ versions: { signing: 3 } });
    },
  ],
  [
    "a rotation is taken back",
    async (world) => {
      await world.message(START);
      await world.stages(1);
      await world.message(ABORT);
      await world.lookAround();
      await world.stages(3);
      await world.lookAround();
      expect(await world.mesh.roots.state()).toMatchObject({ versions: { signing: 2 } });
    },
  ],
  [
    "intermediates are replaced",
    async (world) => {
      await world.message(REPLACE);
      await world.message(COMPROMISED);
      await world.cli("rotate --compromised");
      await world.cli("rotate --cluster cn-shop-europe-west1-m1 --output json");
      await world.lookAround();
      expect(world.canaries.keys.size).toBeGreaterThan(9);
    },
  ],
  [
    "orders are refused",
    async (world) => {
      for (const order of [ABORT, ADVANCE, "{", '{"kind":"root","action":"explode"}'])
        await world.message(order);
      await world.message(START);
      for (const order of [START, ADVANCE]) await world.message(order);
      for (const args of ["root init", "root rotate", "root advance", "root explode"]) await world.cli(args);
      await world.http("POST", "/sync", "not json");
    },
  ],
  [
    "roots are brought that are none",
    async (world) => {
      const [one, other] = [await aRoot(world), await aRoot(world)];
      const files = {
        "mixed.pem": one.certificate + other.privateKey,
        "twice.pem": one.certificate + one.privateKey + other.privateKey,
        "key.pem": one.privateKey,
        "cut.pem": one.certificate + one.privateKey.slice(0, 120),
        "shifted.pem": one.certificate + one.privateKey.replace("M", "MM"),
        "weak.pem": one.certificate + weakKey(),
      };
      for (const name of [...Object.keys(files), "nowhere.pem"])
        for (const output of ["text", "json"])
          await world.cli(`root import ${name} --output ${output}`, files);
      await world.cli("root import root.pem", { "root.pem": one.certificate + one.privateKey });
      expect(await world.mesh.roots.state()).toMatchObject({ versions: { signing: 2, next: 3 } });
      await world.lookAround();
    },
  ],
  [
    "a payload arrives damaged, and another holds no root",
    async (world) => {
      const { roots } = world.mesh;
      roots.damage(2);
      await faceIt(world);
      const [certificate = ""] = roots.payloads[1]?.toString().split(/(?=-----BEGIN PRIVATE)/) ?? [];
      const { privateKey } = await aRoot(world);
      world.mesh.add(aCluster({ name: "newcomer" }));
      for (const payload of [certificate + privateKey, privateKey]) {
        roots.setAnnotations({});
        roots.setAliases({ signing: roots.addVersion(payload) });
        await faceIt(world);
      }
      for (const code of ["RootChecksumMismatch", "RootKeyMismatch", "RootPayloadMalformed"])
        expect([code, world.hasSaid(code)]).toEqual([code, true]);
    },
  ],
  [
    "nobody may read the root secret",
    async (world) => {
      world.mesh.roots.deny();
      await faceIt(world);
      expect(world.places()).toContain("error");
    },
  ],
  [
    "somebody else writes to the root secret",
    async (world) => {
      const { roots } = world.mesh;
      for (const order of [START, ABORT, REPLACE]) {
        roots.failNext(new ConflictError("the secret was changed meanwhile; look again", { code: "Stale" }));
        await world.message(order);
      }
      roots.failNext(new RootError("no permission; grant it", { code: "RootAccessDenied" }));
      await world.cli("root rotate");
    },
  ],
  [
    "members cannot be reached, or refuse",
    async (world) => {
      world.mesh.servers[0]!.faults.unreachable = true;
      world.mesh.servers[1]!.faults.forbidden = ["create", "replace", "apply", "tokenRequest"];
      await world.message(START);
      await world.stages(1);
      await faceIt(world);
    },
  ],
  [
    "processes die, or lose an answer, at every write",
    async (world) => {
      for (const fault of ["dieBefore", "dieAfter", "loseAnswer"] as const) {
        for (let write = 1; write <= 6; write += 1) {
          const faults = processFaults();
          faults.onWrite(write, fault);
          await world.message(write % 2 === 0 ? REPLACE : START, { faults });
          await world.message(ABORT, { faults });
        }
        await world.stages(3);
      }
      expect(world.places()).toContain("error");
    },
  ],
];

/** Everything that reads a root or writes to members is tried, and everybody is asked how it is. */
async function faceIt(world: ListenedWorld): Promise<void> {
  for (const order of [REPLACE, START, { kind: "tick" }]) await world.message(order);
  for (const scope of ['{"scope":"mesh"}', '{"dryRun":true}']) await world.http("POST", "/sync", scope);
  for (const args of ["rotate", "root rotate", "sync"]) await world.cli(args);
  await world.lookAround();
}

function weakKey(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

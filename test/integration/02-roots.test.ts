import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, it } from "@jest/globals";
import type { SandboxFleet } from "../../sandbox/fleet/fleet.ts";
import { meshStatus } from "../../sandbox/fleet/sync-mesh-client.ts";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { basicConstraints, certificateSigning } from "../../shared/pki/extension.ts";
import { makeKeyPair, privateKeyPem } from "../../shared/pki/key.ts";
import { aRoot, payloadOf, type RootSeed } from "../support/pki/gen.ts";
import { handle } from "./world/events.ts";
import { MESH_LABEL, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import {
  addRoot,
  aliasRoots,
  clearFaults,
  createRootSecret,
  deleteRootSecret,
  holdEvents,
  setFault,
  setLabels,
  setRootEnabled,
} from "./world/google.ts";
import { list } from "./world/kubectl.ts";
import { joined } from "./world/mesh.ts";

const world = useFleet({ members: 0 });
let rootless: FleetMember;

beforeAll(async () => {
  await holdEvents(world.fleet);
  rootless = await world.fleet.createCluster("rootless", { labels: {} });
  await setLabels(world.fleet, rootless, MESH_LABEL);
}, SCENARIO_MS);

async function resetFaults(): Promise<void> {
  await clearFaults(world.fleet);
  await holdEvents(world.fleet);
}

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);

async function aPayload(seed: RootSeed = {}): Promise<Buffer> {
  return payloadOf(await aRoot({ notBefore: inDays(-1), notAfter: inDays(3650), ...seed }));
}

/** A new version with this payload is the one that signs. */
async function sign(fleet: SandboxFleet, payload: string | Buffer): Promise<string> {
  const version = await addRoot(fleet, payload);
  await aliasRoots(fleet, { signing: version });
  return version;
}

const signWith = (seed: RootSeed) => async (fleet: SandboxFleet) => {
  await sign(fleet, await aPayload(seed));
};

async function encrypted(): Promise<string> {
  const { certificate, privateKey } = await aRoot();
  const form = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" } as const;
  return certificate + String(createPrivateKey(privateKey).export(form));
}

async function mismatched(): Promise<string> {
  const { privateKey } = await makeKeyPair("ec-p256");
  return (await aRoot()).certificate + privateKeyPem(privateKey);
}

const BAD_ROOTS: readonly [string, (fleet: SandboxFleet) => Promise<unknown>][] = [
  ["NoSigningRoot", (fleet) => aliasRoots(fleet, { next: "1" })],
  ["RootPayloadMalformed", (fleet) => sign(fleet, "not a certificate at all")],
  ["RootPayloadMalformed", async (fleet) => sign(fleet, (await aRoot()).certificate)],
  ["RootKeyEncrypted", async (fleet) => sign(fleet, await encrypted())],
  ["RootKeyMismatch", async (fleet) => sign(fleet, await mismatched())],
  ["RootExpired", signWith({ notAfter: inDays(-0.5) })],
  ["RootExpiring", signWith({ notAfter: inDays(3) })],
  ["RootNotYetValid", signWith({ notBefore: inDays(1) })],
  ["RootNotCa", signWith({ extensions: [certificateSigning()] })],
  ["RootPathLength", signWith({ extensions: [basicConstraints(0), certificateSigning()] })],
  ["RootAlgorithm", signWith({ pair: generateKeyPairSync("rsa", { modulusLength: 1024 }) })],
  [
    "RootVersionDisabled",
    async (fleet) => {
      await setRootEnabled(fleet, await sign(fleet, await aPayload()), false);
    },
  ],
  [
    "RootChecksumMismatch",
    (fleet) => setFault(fleet, { target: "secretmanager", kind: "corruptPayload", count: 1 }),
  ],
  ["RootAccessDenied", (fleet) => setFault(fleet, { target: "secretmanager", kind: "status", status: 403 })],
  ["RootSecretMissing", deleteRootSecret],
];

/** A namespace of Meshjoin's holds the record of why there is no more. */
async function expectNothingSecret(member: FleetMember): Promise<void> {
  expect(await list(member, "secrets,deployments", "-A", "-l", "meshjoin.dev/mesh")).toEqual([]);
}

async function deliver() {
  const { status, lines } = await handle(world.fleet, rootless);
  return { status, errors: lines.flatMap(({ severity, code }) => (severity === "ERROR" ? [code] : [])) };
}

describe("02.1 a root that cannot sign", () => {
  it(
    "is shown by status with the failed join and its cure, for as long as it is disabled",
    async () => {
      await resetFaults();
      const version = await sign(world.fleet, await aPayload());
      await setRootEnabled(world.fleet, version, false);
      await deliver();
      const enable = expect.stringContaining(`gcloud secrets versions enable ${version}`);
      const { members, findings } = await meshStatus(world.fleet);
      expect(findings).toContainEqual(
        expect.objectContaining({ reason: "SigningRootUnusable", cure: enable }),
      );
      expect(members.flatMap((each) => each.findings)).toContainEqual(
        expect.objectContaining({ reason: "RunFailed", severity: "error", cure: enable }),
      );
    },
    SCENARIO_MS,
  );

  it.each(BAD_ROOTS)(
    "is acknowledged as %s, with one ERROR line, and nothing but the namespace written",
    async (code, spoil) => {
      await resetFaults();
      await aliasRoots(world.fleet, { signing: "1" });
      await spoil(world.fleet);
      expect(await deliver()).toEqual({ status: 204, errors: [code] });
      await expectNothingSecret(rootless);
    },
    SCENARIO_MS,
  );

  it(
    "is asked for again when Secret Manager has no answer now, and signs once it has",
    async () => {
      await resetFaults();
      await createRootSecret(world.fleet);
      await sign(world.fleet, await aPayload());
      await setFault(world.fleet, { target: "secretmanager", kind: "status", status: 429 });
      expect(await deliver()).toEqual({ status: 500, errors: [] });
      await expectNothingSecret(rootless);

      await resetFaults();
      expect(await deliver()).toEqual({ status: 204, errors: [] });
      await joined(world.fleet);
    },
    SCENARIO_MS,
  );
});

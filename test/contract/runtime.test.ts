import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type LocalServer, listen } from "../../sandbox/google/http/server.ts";
import { startSecretManager } from "../../sandbox/google/secret-manager/api.ts";
import { loadConfig } from "../../shared/config.ts";
import type { RootAuthority, TrustBundle } from "../../shared/ports/root-authority.ts";
import { createSignerRuntime, wireRotator } from "../../shared/runtime.ts";
import { aRoot, payloadOf } from "../support/pki/gen.ts";
import { type Google, operate, PROJECT, startGoogle } from "./google.ts";

const ELSEWHERE: TrustBundle = {
  trustBundle: "-----BEGIN CERTIFICATE-----\nof the signer\n-----END CERTIFICATE-----\n",
  rootVersions: { signing: 7 },
};

let google: Google;
let secrets: LocalServer;
let signer: LocalServer;
let asked: string[];

beforeEach(async () => {
  google = await startGoogle();
  asked = [];
  const allows = (_: string, permission: string) => asked.push(permission) > 0;
  secrets = await startSecretManager({ ...google, allows });
  signer = await listen((_, response) => void response.end(JSON.stringify(ELSEWHERE)));
  const url = `${secrets.url}/v1/projects/${PROJECT.id}/secrets`;
  await operate(google, "POST", `${url}?secretId=prod-root-ca`, { replication: { automatic: {} } });
  const data = payloadOf(await aRoot()).toString("base64");
  await operate(google, "POST", `${url}/prod-root-ca:addVersion`, { payload: { data } });
  const versionAliases = { signing: 1 };
  await operate(google, "PATCH", `${url}/prod-root-ca?updateMask=versionAliases`, { versionAliases });
  asked.length = 0;
});
afterEach(async () => {
  await Promise.all([signer.close(), secrets.close(), google.close()]);
});

const environment = (signerUrl: string) => ({
  MESHJOIN_MESH_ID: "prod",
  MESHJOIN_PROJECTS: PROJECT.id,
  MESHJOIN_SECRETMANAGER_ENDPOINT: secrets.url,
  MESHJOIN_SIGNER_URL: signerUrl,
});

async function authorityOfARun(signerUrl: string): Promise<RootAuthority> {
  return (await wireRotator(loadConfig(environment(signerUrl))))().authority;
}

describe("who reads root keys", () => {
  it("is the signer for all functions that know one", async () => {
    expect(await (await authorityOfARun(signer.url)).trustBundle()).toEqual(ELSEWHERE);
    expect(asked).toEqual([]);
  });

  it("is whoever joins where no signer is named", async () => {
    expect(await (await authorityOfARun("")).trustBundle()).toMatchObject({ rootVersions: { signing: 1 } });
    expect(asked).toEqual(["secretmanager.secrets.get", "secretmanager.versions.access"]);
  });

  it("is the signer's own process, also if it is told of a signer", async () => {
    const { authority } = await createSignerRuntime(environment(signer.url)).ports();
    expect(await authority.trustBundle()).toMatchObject({ rootVersions: { signing: 1 } });
    expect(asked).toEqual(["secretmanager.secrets.get", "secretmanager.versions.access"]);
  });
});

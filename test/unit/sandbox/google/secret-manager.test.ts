import { v1 } from "@google-cloud/secret-manager";
import { afterEach, describe, expect, it } from "@jest/globals";
import { OAuth2Client } from "google-auth-library";
import type { LocalServer } from "../../../../sandbox/google/http/server.ts";
import { type SecretPermission, startSecretManager } from "../../../../sandbox/google/secret-manager/api.ts";
import { crc32c } from "../../../../shared/adapters/crc32c.ts";
import { aGround, CALLER, PROJECT } from "./stand-ins.ts";

const parent = `projects/${PROJECT.id}`;
const secret = `${parent}/secrets/mesh-root-ca`;
const answered = `projects/${PROJECT.number}/secrets/mesh-root-ca`;
const replication = { automatic: {} };
const FAILED_PRECONDITION = 9;
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;

let open: LocalServer | undefined;
afterEach(async () => open?.close());

async function aSecretManager(allows?: (caller: string, permission: SecretPermission) => boolean) {
  const ground = aGround();
  open = await startSecretManager({ ...ground, ...(allows === undefined ? {} : { allows }) });
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: ground.tokens.issue(CALLER) });
  const client = new v1.SecretManagerServiceClient({
    fallback: true,
    protocol: "http",
    apiEndpoint: "127.0.0.1",
    port: open.port,
    authClient,
  });
  return { client, ground, url: open.url };
}

async function withVersions(count: number) {
  const api = await aSecretManager();
  await api.client.createSecret({ parent, secretId: "mesh-root-ca", secret: { replication } });
  for (let n = 1; n <= count; n += 1) {
    await api.client.addSecretVersion({ parent: secret, payload: { data: Buffer.from(`payload ${n}`) } });
  }
  return api;
}

describe("the Secret Manager stand-in", () => {
  it("answers a payload under its number, its alias and latest, with its CRC32C", async () => {
    const { client } = await withVersions(2);
    await client.updateSecret({
      secret: { name: secret, versionAliases: { signing: 1 } },
      updateMask: { paths: ["version_aliases"] },
    });
    for (const [version, text] of [
      ["1", "payload 1"],
      ["signing", "payload 1"],
      ["latest", "payload 2"],
    ]) {
      const [access] = await client.accessSecretVersion({ name: `${secret}/versions/${version}` });
      const data = Buffer.from(access.payload?.data ?? "");
      expect(data.toString()).toBe(text);
      expect(Number(access.payload?.dataCrc32c)).toBe(crc32c(data));
    }
  });

  it("answers secrets under the project's number, with aliases and annotations", async () => {
    const { client } = await withVersions(1);
    await client.updateSecret({
      secret: { name: secret, versionAliases: { next: 1 }, annotations: { "meshjoin.dev_paused": "true" } },
      updateMask: { paths: ["version_aliases", "annotations"] },
    });
    const [found] = await client.getSecret({ name: secret });
    expect(found).toMatchObject({
      name: answered,
      versionAliases: { next: "1" },
      annotations: { "meshjoin.dev_paused": "true" },
    });
  });

  it("refuses a stale etag, and every update makes a new one", async () => {
    const { client } = await withVersions(1);
    const [before] = await client.getSecret({ name: secret });
    const update = (etag: string) =>
      client.updateSecret({
        secret: { name: secret, etag, labels: { a: "b" } },
        updateMask: { paths: ["labels"] },
      });
    await update(before.etag ?? "");
    await expect(update(before.etag ?? "")).rejects.toMatchObject({ code: FAILED_PRECONDITION });
  });

  it("leaves the secret's etag as it is when a version is added", async () => {
    const { client } = await withVersions(1);
    const [before] = await client.getSecret({ name: secret });
    await client.addSecretVersion({ parent: secret, payload: { data: Buffer.from("x") } });
    expect((await client.getSecret({ name: secret }))[0].etag).toBe(before.etag);
  });

  it("does not hand out a version that is disabled, and does again once it is enabled", async () => {
    const { client } = await withVersions(1);
    const name = `${secret}/versions/1`;
    await client.disableSecretVersion({ name });
    await expect(client.accessSecretVersion({ name })).rejects.toMatchObject({
      code: FAILED_PRECONDITION,
      message: expect.stringContaining("is in DISABLED state"),
    });
    await client.enableSecretVersion({ name });
    await expect(client.accessSecretVersion({ name })).resolves.toBeDefined();
  });

  it("destroys for good", async () => {
    const { client } = await withVersions(1);
    const name = `${secret}/versions/1`;
    const [version] = await client.getSecretVersion({ name });
    await expect(client.destroySecretVersion({ name, etag: '"old"' })).rejects.toMatchObject({
      code: FAILED_PRECONDITION,
    });
    await client.destroySecretVersion({ name, etag: version.etag ?? "" });
    await expect(client.accessSecretVersion({ name })).rejects.toMatchObject({ code: FAILED_PRECONDITION });
    await expect(client.enableSecretVersion({ name })).rejects.toMatchObject({ code: FAILED_PRECONDITION });
  });

  it("lists the newest version first and filters by state", async () => {
    const { client } = await withVersions(3);
    await client.disableSecretVersion({ name: `${secret}/versions/2` });
    const [all] = await client.listSecretVersions({ parent: secret, pageSize: 2 });
    expect(all.map(({ name }) => name)).toEqual([3, 2, 1].map((n) => `${answered}/versions/${n}`));
    const [enabled] = await client.listSecretVersions({ parent: secret, filter: "state:ENABLED" });
    expect(enabled).toHaveLength(2);
  });

  it("refuses a payload whose checksum is wrong", async () => {
    const { client } = await withVersions(0);
    const add = (dataCrc32c: number) =>
      client.addSecretVersion({ parent: secret, payload: { data: Buffer.from("123456789"), dataCrc32c } });
    await expect(add(1)).rejects.toMatchObject({ code: INVALID_ARGUMENT });
    const [version] = await add(0xe3069283);
    expect(version.clientSpecifiedPayloadChecksum).toBe(true);
  });

  it.each([
    ["an alias that starts with a digit", { versionAliases: { "1st": 1 } }, "version_aliases"],
    ["the alias latest", { versionAliases: { latest: 1 } }, "version_aliases"],
    ["an alias of a version that was never added", { versionAliases: { next: 9 } }, "version_aliases"],
    ["an annotation key with a slash", { annotations: { "meshjoin.dev/paused": "true" } }, "annotations"],
    ["annotations over 16 KiB", { annotations: { a: "x".repeat(16 * 1024) } }, "annotations"],
  ])("refuses %s", async (_, change, path) => {
    const { client } = await withVersions(1);
    const update = client.updateSecret({
      secret: { name: secret, ...change },
      updateMask: { paths: [path] },
    });
    await expect(update).rejects.toMatchObject({ code: INVALID_ARGUMENT });
  });

  it("answers NOT_FOUND for secrets and versions that are not there", async () => {
    const { client } = await withVersions(1);
    await expect(client.getSecret({ name: `${parent}/secrets/other` })).rejects.toMatchObject({
      code: NOT_FOUND,
    });
    const access = client.accessSecretVersion({ name: `${secret}/versions/7` });
    await expect(access).rejects.toMatchObject({ code: NOT_FOUND });
  });

  it("delivers one payload damaged, with the checksum of what is stored", async () => {
    const { client, ground } = await withVersions(1);
    ground.faults.add({ target: "secretmanager", kind: "corruptPayload", count: 1 });
    const access = async () => {
      const [{ payload }] = await client.accessSecretVersion({ name: `${secret}/versions/1` });
      return [
        Number(payload?.dataCrc32c) === crc32c(Buffer.from(payload?.data ?? "")),
        payload?.data?.length,
      ];
    };
    const [damaged, whole] = [await access(), await access()];
    expect([damaged[0], whole[0]]).toEqual([false, true]);
    expect(damaged[1]).toBe(whole[1]);
  });

  it("keeps an account to what IAM grants it", async () => {
    const { client } = await aSecretManager((_, permission) => permission !== "secretmanager.secrets.create");
    const create = client.createSecret({ parent, secretId: "x", secret: { replication } });
    await expect(create).rejects.toMatchObject({ code: PERMISSION_DENIED });
  });

  it("turns away a caller without a known token, in Google's error shape", async () => {
    const { url } = await aSecretManager();
    const response = await fetch(`${url}/v1/${secret}`, {
      headers: { authorization: "Bearer ya29.unknown" },
    });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error: { code: 401, status: "UNAUTHENTICATED" } });
  });
});

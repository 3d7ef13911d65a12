import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "@jest/globals";
import { type SandboxFunctions, startFunctions } from "../../../../sandbox/google/functions/functions.ts";
import { accountsOf } from "../../../../sandbox/google/identity/accounts.ts";
import { aGround, PROJECT } from "./stand-ins.ts";

const NODE_MODULES = fileURLToPath(new URL("../../../../node_modules", import.meta.url));
const accounts = accountsOf(PROJECT.id);

let running: SandboxFunctions | undefined;
let directory: string | undefined;
afterEach(async () => {
  await running?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

/** Two functions that answer with what they were started and called with. */
async function aBundle(): Promise<string> {
  directory = await mkdtemp(join(tmpdir(), "bundle-"));
  await symlink(NODE_MODULES, join(directory, "node_modules"));
  const files = {
    "package.json": JSON.stringify({ type: "module", main: "index.js" }),
    "sign-intermediate.js": "",
    "sync-mesh.js": "",
    "index.js": `
      import { http } from "@google-cloud/functions-framework";
      const email = () => fetch(
        "http://" + process.env.GCE_METADATA_HOST + "/computeMetadata/v1/instance/service-accounts/default/email",
        { headers: { "metadata-flavor": "Google" } },
      ).then((response) => response.text());
      const answer = async (request, response) => response.json({
        account: await email(),
        authorization: request.headers.authorization,
        signer: process.env.MESHJOIN_SIGNER_URL,
        meshId: process.env.MESHJOIN_MESH_ID,
      });
      http("sign-intermediate", answer);
      http("sync-mesh", answer);`,
  };
  await Promise.all(
    Object.entries(files).map(([name, text]) => writeFile(join(directory ?? "", name), text)),
  );
  return directory;
}

async function aDeployment() {
  const ground = aGround();
  const bundle = await aBundle();
  running = await startFunctions({
    ...ground,
    project: PROJECT.id,
    projectNumber: PROJECT.number,
    accounts,
    bundle,
    logDir: join(bundle, "logs"),
    env: { MESHJOIN_MESH_ID: "sandbox" },
  });
  return { ...ground, urls: running.urls };
}

describe("the functions of a bundle", () => {
  it("run under the framework, each as its own account, and know the signer", async () => {
    const { urls } = await aDeployment();
    expect(Object.keys(urls).toSorted()).toEqual(["sign-intermediate", "sync-mesh"]);
    const response = await fetch(urls["sync-mesh"] ?? "");
    expect(await response.json()).toEqual({
      account: accounts.reconciler,
      signer: urls["sign-intermediate"],
      meshId: "sandbox",
    });
  });

  it("let into the signer only who may invoke it, and keep the token's signature from it", async () => {
    const { urls, identityTokens, ledger } = await aDeployment();
    const url = urls["sign-intermediate"] ?? "";
    const call = (token: string) => fetch(url, { headers: { authorization: `Bearer ${token}` } });
    expect((await fetch(url)).status).toBe(401);
    expect((await call(identityTokens.issue(accounts.rotator, "http://elsewhere"))).status).toBe(401);
    expect((await call(identityTokens.issue(accounts.developer, url))).status).toBe(403);
    const answer = await call(identityTokens.issue(accounts.reconciler, url));
    expect(await answer.json()).toMatchObject({
      account: accounts.signer,
      authorization: expect.stringMatching(/\.SIGNATURE_REMOVED_BY_GOOGLE$/),
    });
    expect(ledger.requests(accounts.reconciler)).toMatchObject({ signer: 1 });
  });

  it("are built first: a directory without a bundle is refused", async () => {
    directory = await mkdtemp(join(tmpdir(), "empty-"));
    const start = startFunctions({
      ...aGround(),
      project: PROJECT.id,
      projectNumber: PROJECT.number,
      accounts,
      bundle: directory,
      logDir: directory,
      env: {},
    });
    await expect(start).rejects.toThrow("run npm run build");
  });
});

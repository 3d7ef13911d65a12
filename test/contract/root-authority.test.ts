import { describe, expect, it } from "@jest/globals";
import { signIntermediate } from "../../functions/sign-intermediate/sign-intermediate.ts";
import { startIamFront } from "../../sandbox/google/functions/iam-front.ts";
import { type LocalServer, listen } from "../../sandbox/google/http/server.ts";
import { googleIdentityToken } from "../../shared/adapters/google-auth.ts";
import { type SignerOptions, signIntermediateAuthority } from "../../shared/adapters/root-authority.ts";
import { RefusedError } from "../../shared/errors.ts";
import { createLogger } from "../../shared/log.ts";
import { makeCsr } from "../../shared/pki/csr.ts";
import { inProcessAuthority } from "../../shared/pki/in-process-authority.ts";
import { keysInPayloads } from "../../shared/pki/root-keys.ts";
import { aCluster } from "../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../support/fakes/mesh.ts";
import { aKeyPair } from "../support/pki/gen.ts";
import { serveFunction } from "../support/serve.ts";
import { CALLER, startGoogle } from "./google.ts";
import { type AuthorityWorld, describeRootAuthority } from "./root-authority.contract.ts";

function worldOf(mesh: FakeMesh): Pick<AuthorityWorld, "store" | "member" | "now"> {
  return { store: mesh.roots, member: mesh.clusters[0]!.ref, now: () => mesh.clock.now() };
}

describeRootAuthority("the one in this process", async () => {
  const mesh = await aMesh({ members: 1 });
  const { roots: store, clock, spec } = mesh;
  const authority = inProcessAuthority({ keys: keysInPayloads, store, clock, spec });
  return { ...worldOf(mesh), authority, close: () => Promise.resolve() };
});

interface SignerWorld extends AuthorityWorld {
  readonly mesh: FakeMesh;
  readonly url: string;
  readonly lines: readonly Record<string, unknown>[];
}

/** The real function behind IAM, and the real client with credentials of a metadata server. */
async function startSigner(invokers: readonly string[] = [CALLER]): Promise<SignerWorld> {
  const google = await startGoogle();
  const mesh = await aMesh({ members: 1 });
  const lines: Record<string, unknown>[] = [];
  const { authority, clock, sources, roots } = mesh.run().ports;
  const served = await serveFunction(
    "sign-intermediate-test",
    signIntermediate({
      spec: mesh.spec,
      log: createLogger({ write: (line) => lines.push(JSON.parse(line)) }),
      ports: async () => ({ authority, clock, sources, roots }),
    }),
  );
  const front = await startIamFront({ ...google, target: "signer", targetPort: served.port, invokers });
  return {
    ...worldOf(mesh),
    mesh,
    url: front.url,
    lines,
    authority: signIntermediateAuthority({ url: front.url, identityToken: googleIdentityToken() }),
    async close() {
      await front.close();
      served.close();
      await google.close();
    },
  };
}

describeRootAuthority("the function sign-intermediate", () => startSigner());

async function withSigner<T>(use: (world: SignerWorld) => Promise<T>, invokers?: readonly string[]) {
  const world = await startSigner(invokers);
  try {
    return await use(world);
  } finally {
    await world.close();
  }
}

async function withStranger<T>(
  answer: Parameters<typeof listen>[0],
  use: (server: LocalServer) => Promise<T>,
): Promise<T> {
  const server = await listen(answer);
  try {
    return await use(server);
  } finally {
    await server.close();
  }
}

function aClient(url: string, options: Partial<SignerOptions> = {}) {
  return signIntermediateAuthority({ url, identityToken: async () => "a.b.c", ...options });
}

const csr = async () => await makeCsr(await aKeyPair(), "x");

describe("signIntermediateAuthority", () => {
  it("tells the function who calls, for its log", async () => {
    await withSigner(async ({ authority, member, lines }) => {
      await authority.issue(await csr(), member);
      expect(lines).toMatchObject([{ message: "intermediate issued", caller: CALLER }]);
    });
  });

  it.each<[string, string, boolean, (world: SignerWorld) => void]>([
    [
      "NotReadyError",
      "NotAMember",
      true,
      ({ mesh }) => mesh.directory.put(aCluster({ name: "m1", labels: {} })),
    ],
    ["NotReadyError", "ClusterUnknown", true, ({ mesh, member }) => mesh.directory.delete(member)],
    ["UnavailableError", "ListingIncomplete", true, ({ mesh }) => mesh.directory.refuse("shop")],
  ])("says with %s %s why the cluster has no certificate", async (name, code, retryable, change) => {
    await withSigner(async (world) => {
      change(world);
      await expect(world.authority.issue(await csr(), world.member)).rejects.toMatchObject({
        name,
        code,
        retryable,
      });
      expect(world.store.calls).toEqual({ state: 0, payload: 0 });
    });
  });

  it("names the role that the caller lacks", async () => {
    await withSigner(async ({ authority }) => {
      await expect(authority.trustBundle()).rejects.toMatchObject({
        name: "RootError",
        code: "SignerAccessDenied",
        cure: expect.stringContaining("grant it roles/run.invoker on the function sign-intermediate"),
      });
    }, []);
  });

  it("names the role and the URL when the token is for another", async () => {
    await withSigner(async ({ url }) => {
      await expect(aClient(url).trustBundle()).rejects.toMatchObject({
        name: "RootError",
        code: "SignerAccessDenied",
        cure: expect.stringContaining("MESHJOIN_SIGNER_URL is exactly that function's URL"),
      });
    });
  });

  it("passes on that there are no credentials", async () => {
    const refused = new RefusedError("there are none; log in", { code: "NoCredentials" });
    const authority = aClient("http://127.0.0.1:9", { identityToken: () => Promise.reject(refused) });
    await expect(authority.trustBundle()).rejects.toBe(refused);
  });

  it.each<[string, number, string, string]>([
    ["RootError", 200, '{"trustBundle":"none","rootVersions":{"signing":1}}', "SignerMisplaced"],
    [
      "RootError",
      200,
      '{"trustBundle":"-----BEGIN CERTIFICATE-----\\n","rootVersions":{}}',
      "SignerMisplaced",
    ],
    ["RootError", 200, "<!doctype html>", "SignerMisplaced"],
    ["RootError", 302, "", "SignerMisplaced"],
    ["RootError", 404, '{"code":"NotFound","message":"/trust-bundle is not served"}', "SignerMisplaced"],
    ["RootError", 422, '{"code":"OfALaterVersion","message":"no"}', "SignerVersionDiffers"],
    ["UnavailableError", 429, "no instance", "SignerUnavailable"],
    ["UnavailableError", 500, "it crashed", "SignerUnavailable"],
    ["UnavailableError", 500, '{"code":"Internal","message":"an unexpected error"}', "Internal"],
  ])("fails with a %s on %i %s", async (name, status, body, code) => {
    await withStranger(
      (_, response) => void response.writeHead(status, { location: "/elsewhere" }).end(body),
      async ({ url }) => {
        await expect(aClient(url).trustBundle()).rejects.toMatchObject({ name, code });
      },
    );
  });

  it.each([
    '{"rootVersions":{"signing":1},"signsUntil":"soon"}',
    '{"rootVersions":{},"signsUntil":"2036-01-01T00:00:00.000Z"}',
    "[]",
  ])("takes %s for no word on whether the signer can sign", async (body) => {
    await withStranger(
      (_, response) => void response.writeHead(200).end(body),
      async ({ url }) => {
        await expect(aClient(url).check()).rejects.toMatchObject({ code: "SignerMisplaced" });
      },
    );
  });

  it("can be tried again when nobody listens", async () => {
    const { url } = await withStranger(
      () => undefined,
      async (server) => server,
    );
    await expect(aClient(url).trustBundle()).rejects.toMatchObject({
      name: "UnavailableError",
      code: "SignerUnavailable",
      message: expect.stringMatching(/ECONNREFUSED/),
    });
  });

  it("waits no longer than it is told, and less if the caller gives up", async () => {
    const givesUp = new AbortController();
    await withStranger(
      (_, response) => response.writeHead(200).flushHeaders(),
      async ({ url }) => {
        await expect(aClient(url, { timeoutMs: 50 }).trustBundle()).rejects.toMatchObject({
          code: "SignerUnavailable",
        });
        const waiting = aClient(url).trustBundle(givesUp.signal);
        givesUp.abort();
        await expect(waiting).rejects.toMatchObject({ code: "Cancelled" });
      },
    );
  });

  it("opens nothing before it is used", async () => {
    const asked: string[] = [];
    const identityToken = async (audience: string) => String(asked.push(audience));
    aClient("http://127.0.0.1:9", { identityToken });
    expect(asked).toEqual([]);
  });
});

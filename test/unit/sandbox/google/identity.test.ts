import { afterEach, describe, expect, it } from "@jest/globals";
import { Compute, GoogleAuth } from "google-auth-library";
import type { LocalServer } from "../../../../sandbox/google/http/server.ts";
import { startMetadataServer } from "../../../../sandbox/google/identity/metadata.ts";
import { startTokenReview } from "../../../../sandbox/google/identity/token-review.ts";
import { createTokenRegistry } from "../../../../sandbox/google/identity/tokens.ts";
import { aGround, CALLER, PROJECT } from "./stand-ins.ts";

let open: LocalServer | undefined;
afterEach(async () => {
  delete process.env["GCE_METADATA_HOST"];
  await open?.close();
});

async function aMetadataServer() {
  const ground = aGround();
  open = await startMetadataServer({
    ...ground,
    project: PROJECT.id,
    projectNumber: PROJECT.number,
    email: CALLER,
  });
  process.env["GCE_METADATA_HOST"] = open.host;
  return { ...ground, url: open.url };
}

describe("the metadata server", () => {
  it("gives google-auth-library an access token of its service account", async () => {
    const { tokens } = await aMetadataServer();
    const { token } = await new Compute().getAccessToken();
    expect(token).toMatch(/^ya29\./);
    expect(tokens.email(token ?? "")).toBe(CALLER);
  });

  it("gives google-auth-library an identity token for an audience", async () => {
    const { identityTokens } = await aMetadataServer();
    const client = await new GoogleAuth({ authClient: new Compute() }).getIdTokenClient(
      "https://signer.example",
    );
    const token = await client.idTokenProvider.fetchIdToken("https://signer.example");
    expect(identityTokens.verify(token, "https://signer.example")).toBe(CALLER);
    expect(identityTokens.verify(token, "https://other.example")).toBeUndefined();
    expect(identityTokens.verify(`${token}x`, "https://signer.example")).toBeUndefined();
  });

  it("says its account and project, and nothing without the header", async () => {
    const { url } = await aMetadataServer();
    const get = (path: string, flavor = "Google") =>
      fetch(`${url}/computeMetadata/v1/${path}`, { headers: { "metadata-flavor": flavor } });
    expect(await (await get("instance/service-accounts/default/email")).text()).toBe(CALLER);
    const project = await get("project/project-id");
    expect(await project.text()).toBe(PROJECT.id);
    expect(project.headers.get("metadata-flavor")).toBe("Google");
    expect(await (await get("instance/service-accounts/?recursive=true")).json()).toMatchObject({
      default: { email: CALLER },
    });
    expect((await get("project/project-id", "")).status).toBe(403);
    expect((await get("instance/nothing")).status).toBe(404);
  });
});

describe("the token review", () => {
  async function review(token: string, registry = createTokenRegistry()) {
    open = await startTokenReview(registry);
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } };
    const response = await fetch(open.url, { method: "POST", body: JSON.stringify(body) });
    return response.json();
  }

  it("makes a Google account of a token that was issued", async () => {
    const registry = createTokenRegistry();
    const answer = await review(registry.issue(CALLER), registry);
    expect(answer).toEqual({
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenReview",
      status: { authenticated: true, user: { username: CALLER } },
    });
  });

  it("knows no other token", async () => {
    expect(await review("ya29.stolen")).toMatchObject({ status: { authenticated: false } });
  });

  it("forgets a token when it has expired", () => {
    let now = 0;
    const registry = createTokenRegistry(() => now);
    const token = registry.issue(CALLER, 10);
    now = 10_000;
    expect(registry.email(token)).toBeUndefined();
  });
});

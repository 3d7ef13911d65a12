import { afterEach, describe, expect, it } from "@jest/globals";
import { Compute, GoogleAuth, UserRefreshClient } from "google-auth-library";
import type { LocalServer } from "../../../sandbox/google/http/server.ts";
import { startMetadataServer } from "../../../sandbox/google/identity/metadata.ts";
import { googleCaller, googleIdentityToken } from "../../../shared/adapters/google-auth.ts";
import { aGround, CALLER, PROJECT } from "../sandbox/google/stand-ins.ts";

/** Google's token endpoints, as a person's credentials ask them. */
function aPerson(tokenInfo: () => Response): GoogleAuth {
  const fetchImplementation = async (url: unknown): Promise<Response> =>
    String(url).includes("tokeninfo")
      ? tokenInfo()
      : Response.json({ access_token: "ya29.of-a-person", expires_in: 3599, token_type: "Bearer" });
  const authClient = new UserRefreshClient({
    clientId: "id",
    clientSecret: "secret",
    refreshToken: "refresh",
    transporterOptions: { fetchImplementation },
  });
  return new GoogleAuth({ authClient });
}

describe("googleIdentityToken", () => {
  let metadata: LocalServer | undefined;
  afterEach(async () => {
    delete process.env["GCE_METADATA_HOST"];
    await metadata?.close();
  });

  it("gives a service account's, for the audience, and asks once for each", async () => {
    const ground = aGround();
    const { id: project, number: projectNumber } = PROJECT;
    metadata = await startMetadataServer({ ...ground, project, projectNumber, email: CALLER });
    process.env["GCE_METADATA_HOST"] = metadata.host;
    const identityToken = googleIdentityToken(new GoogleAuth({ authClient: new Compute() }));
    const token = await identityToken("https://sync-mesh.example");
    expect(ground.identityTokens.verify(token, "https://sync-mesh.example")).toBe(CALLER);
    expect(
      ground.identityTokens.verify(await identityToken("https://other.example"), "https://other.example"),
    ).toBe(CALLER);
    await metadata.close();
    expect(await identityToken("https://sync-mesh.example")).toBe(token);
  });

  it("refuses a person's credentials, and names the cure", async () => {
    const person = aPerson(() => Response.json({}));
    await expect(googleIdentityToken(person)("https://sync-mesh.example")).rejects.toMatchObject({
      code: "NoIdentityToken",
      cure: expect.stringContaining("--impersonate-service-account"),
    });
  });
});

describe("googleCaller", () => {
  it("asks Google who a person is", async () => {
    const known = () => Response.json({ email: "ada@example.com", scope: "email", expires_in: 3599 });
    expect(await googleCaller(aPerson(known)).email()).toBe("ada@example.com");
  });

  it("does without the name if Google does not tell", async () => {
    const silent = () => Response.json({ scope: "cloud-platform", expires_in: 3599 });
    expect(await googleCaller(aPerson(silent)).email()).toBeUndefined();
    const refusing = () => Response.json({ error: "invalid_token" }, { status: 400 });
    expect(await googleCaller(aPerson(refusing)).email()).toBeUndefined();
  });
});

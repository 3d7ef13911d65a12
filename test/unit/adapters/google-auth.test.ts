import { describe, expect, it } from "@jest/globals";
import { GoogleAuth, UserRefreshClient } from "google-auth-library";
import { googleCaller } from "../../../shared/adapters/google-auth.ts";

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

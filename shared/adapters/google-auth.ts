import { GoogleAuth } from "google-auth-library";
import { beforeAnyAnswer } from "./google-client.ts";

/** What GKE's API servers ask of an IAM token. */
const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const CALL = { attempt: "get an access token", fields: {} };

/**
 * Application Default Credentials; the library caches a token and renews it before it expires. Fails with RefusedError
 * `NoCredentials`, or with UnavailableError if whoever gives out tokens has no answer.
 */
export function googleAccessToken(): () => Promise<string> {
  const auth = new GoogleAuth({ scopes: SCOPE });
  return async () => {
    const token = await auth.getAccessToken().catch((error: unknown) => {
      throw beforeAnyAnswer(error, CALL);
    });
    if (typeof token === "string") return token;
    throw beforeAnyAnswer(new Error("there are no default credentials"), CALL);
  };
}

import { GoogleAuth, UserRefreshClient } from "google-auth-library";
import type { CallerIdentity } from "../ports.ts";
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
  return () => accessTokenOf(auth);
}

/** A service account is named by its credentials, a person by Google, who is asked about the token. */
export function googleCaller(auth = new GoogleAuth({ scopes: SCOPE })): CallerIdentity {
  return {
    async email() {
      const token = await accessTokenOf(auth);
      const client = await auth.getClient();
      const known =
        client instanceof UserRefreshClient
          ? client.getTokenInfo(token).then(({ email }) => email)
          : auth.getCredentials().then(({ client_email: email }) => email);
      return await known.catch(() => undefined);
    },
  };
}

async function accessTokenOf(auth: GoogleAuth): Promise<string> {
  const token = await auth.getAccessToken().catch((error: unknown) => {
    throw beforeAnyAnswer(error, CALL);
  });
  if (typeof token === "string") return token;
  throw beforeAnyAnswer(new Error("there are no default credentials"), CALL);
}

import { GoogleAuth, type IdTokenClient, UserRefreshClient } from "google-auth-library";
import { MeshjoinError, RefusedError } from "../errors.ts";
import type { CallerIdentity } from "../ports/caller-identity.ts";
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

/**
 * Identity tokens by audience, as Cloud Run asks for them; the library caches each and renews it. Fails as
 * `googleAccessToken` does, and with RefusedError `NoIdentityToken` for credentials of a person: a token made of those has
 * an audience of its own, whatever is asked for.
 * https://cloud.google.com/run/docs/authenticating/service-to-service
 */
export function googleIdentityToken(auth = new GoogleAuth()): (audience: string) => Promise<string> {
  const clients = new Map<string, Promise<IdTokenClient>>();
  return async (audience) => {
    try {
      const credentials = await auth.getClient();
      if (!("fetchIdToken" in credentials) || credentials instanceof UserRefreshClient)
        throw noIdentityToken();
      const client = clients.get(audience) ?? auth.getIdTokenClient(audience);
      clients.set(audience, client);
      const header = (await (await client).getRequestHeaders()).get("authorization");
      return header?.replace(/^Bearer /, "") ?? "";
    } catch (error) {
      clients.delete(audience);
      if (error instanceof MeshjoinError) throw error;
      throw beforeAnyAnswer(error, { attempt: "get an identity token", fields: {} });
    }
  };
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

function noIdentityToken(): RefusedError {
  return new RefusedError("could not get an identity token: only service accounts have one for Cloud Run", {
    code: "NoIdentityToken",
    cure: "run gcloud auth application-default login --impersonate-service-account=ACCOUNT",
  });
}

async function accessTokenOf(auth: GoogleAuth): Promise<string> {
  const token = await auth.getAccessToken().catch((error: unknown) => {
    throw beforeAnyAnswer(error, CALL);
  });
  if (typeof token === "string") return token;
  throw beforeAnyAnswer(new Error("there are no default credentials"), CALL);
}

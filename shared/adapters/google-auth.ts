import { GoogleAuth, type IdTokenClient, UserRefreshClient } from "google-auth-library";
import { MeshjoinError, RefusedError } from "../errors.ts";
import type { CallerIdentity } from "../ports/caller-identity.ts";
import { beforeAnyAnswer } from "./google-client.ts";

/** The scope that GKE's API servers require of an IAM token. */
const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const CALL = { attempt: "get an access token", fields: {} };

/**
 * Application Default Credentials; the library caches a token and renews it before it expires. Fails with
 * RefusedError `NoCredentials`, or with UnavailableError if the token server does not answer.
 */
export function googleAccessToken(): () => Promise<string> {
  const auth = new GoogleAuth({ scopes: SCOPE });
  return () => accessTokenOf(auth);
}

/**
 * Identity tokens by audience, as Cloud Run requires them; the library caches and renews each. Fails as
 * `googleAccessToken` does, and with RefusedError `NoIdentityToken` for a person's credentials: the token of
 * a person has a fixed audience.
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

/** The credentials name a service account; for a person, Google tells the email of the token. */
export function googleCaller(auth = new GoogleAuth({ scopes: SCOPE })): CallerIdentity {
  return {
    async email() {
      const token = await accessTokenOf(auth);
      const client = await auth.getClient();
      const email =
        client instanceof UserRefreshClient
          ? client.getTokenInfo(token).then((info) => info.email)
          : auth.getCredentials().then(({ client_email: account }) => account);
      return await email.catch(() => undefined);
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

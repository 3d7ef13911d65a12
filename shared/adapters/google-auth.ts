import { GoogleAuth } from "google-auth-library";
import { RefusedError } from "../errors.ts";

/** What GKE's API servers ask of an IAM token. */
const SCOPE = "https://www.googleapis.com/auth/cloud-platform";

/** Application Default Credentials; the library caches a token and renews it before it expires. */
export function googleAccessToken(): () => Promise<string> {
  const auth = new GoogleAuth({ scopes: SCOPE });
  return async () => {
    const token = await auth.getAccessToken();
    if (typeof token === "string") return token;
    throw new RefusedError(
      "there are no Google credentials; run as a service account, or gcloud auth application-default login",
      {
        code: "NoCredentials",
      },
    );
  };
}

import { ISTIO_NAMESPACE, READER_SERVICE_ACCOUNT } from "../../core/names.ts";
import { ConflictError, RefusedError } from "../../errors.ts";
import type { ReaderTokens } from "../../ports/member-api.ts";
import type { ApiConnection, ApiRequest } from "./connection.ts";

const READER_USER = `system:serviceaccount:${ISTIO_NAMESPACE}:${READER_SERVICE_ACCOUNT}`;

/**
 * TokenRequest and TokenReview; https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/
 */
export function readerTokens(api: ApiConnection): ReaderTokens {
  async function requestToken(request: ApiRequest): Promise<unknown> {
    try {
      return await api.json(request);
    } catch (error) {
      if (error instanceof ConflictError && error.fields["absent"] === "serviceaccounts") {
        throw accountMissing(error);
      }
      throw error;
    }
  }

  return {
    async request(boundTo, ttlSeconds, signal) {
      const answer = await requestToken({
        method: "POST",
        path: `/api/v1/namespaces/${ISTIO_NAMESPACE}/serviceaccounts/${READER_SERVICE_ACCOUNT}/token`,
        body: {
          apiVersion: "authentication.k8s.io/v1",
          kind: "TokenRequest",
          spec: {
            expirationSeconds: ttlSeconds,
            boundObjectRef: { apiVersion: "v1", kind: "Secret", name: boundTo.name, uid: boundTo.uid },
          },
        },
        what: `request a token of ${READER_SERVICE_ACCOUNT}`,
        signal,
      });
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- authentication/v1 TokenRequest
      const { status } = answer as { status: { token: string; expirationTimestamp: string } };
      return { token: status.token, expiresAt: new Date(status.expirationTimestamp) };
    },
    async isAccepted(token, signal) {
      const answer = await api.json({
        method: "POST",
        path: "/apis/authentication.k8s.io/v1/tokenreviews",
        body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } },
        what: "review a token",
        signal,
      });
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- authentication/v1 TokenReview
      const { status } = answer as { status?: { authenticated?: boolean; user?: { username?: string } } };
      return status?.authenticated === true && status.user?.username === READER_USER;
    },
  };
}

/** Istio's charts bring the account, but a foreign installation may leave it out. */
function accountMissing(cause: ConflictError): RefusedError {
  return new RefusedError(`there is no service account ${READER_SERVICE_ACCOUNT} in ${ISTIO_NAMESPACE}`, {
    code: "ReaderAccountMissing",
    cure: "install it with Istio's base chart (values.global.enableReaderRBAC)",
    cause,
    fields: cause.fields,
  });
}

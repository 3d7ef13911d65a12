import type { AccessReview } from "../../ports/member-api.ts";
import type { ApiConnection } from "./connection.ts";

/**
 * https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/,
 * https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/self-subject-review-v1/
 */
export function accessReview(api: ApiConnection): AccessReview {
  return {
    async isAllowed({ verb, group, resource, namespace }, signal) {
      const [name, subresource] = resource.split("/");
      const answer = await api.json({
        method: "POST",
        path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        body: {
          apiVersion: "authorization.k8s.io/v1",
          kind: "SelfSubjectAccessReview",
          spec: { resourceAttributes: { verb, group, resource: name, subresource, namespace } },
        },
        what: `ask whether to ${verb} ${resource} is allowed`,
        signal,
      });
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- authorization/v1 SelfSubjectAccessReview
      const { status } = answer as { status?: { allowed?: boolean } };
      return status?.allowed === true;
    },
    async userName(signal) {
      const answer = await api.json({
        method: "POST",
        path: "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
        what: "ask for the name of the caller",
        signal,
      });
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- authentication/v1 SelfSubjectReview
      return (answer as { status: { userInfo: { username: string } } }).status.userInfo.username;
    },
    serverTime: (signal) => api.serverTime(signal),
  };
}

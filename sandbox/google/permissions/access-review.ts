import { z } from "zod";
import { type LocalServer, listen, readBody } from "../http/server.ts";
import type { Iam } from "./iam.ts";
import { kubernetesPermission } from "./kubernetes-permission.ts";

/** Reaching an API server by its DNS name takes this one; the sandbox asks for it with every request. */
const CONNECT = "container.clusters.connect";

/**
 * What an API server makes of an access review that names no version, as Meshjoin's do; a request has one.
 * What the API server itself asks about a role that is written, `escalate` and `bind`, has this one, too, and
 * the role's name.
 * https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/registry/authorization/util/helpers.go
 */
const ANY_VERSION = "*";

const review = z.object({
  apiVersion: z.literal("authorization.k8s.io/v1"),
  kind: z.literal("SubjectAccessReview"),
  spec: z.object({
    user: z.string(),
    resourceAttributes: z
      .object({
        verb: z.string(),
        group: z.string().optional(),
        version: z.string().optional(),
        name: z.string().optional(),
        resource: z.string(),
        subresource: z.string().optional(),
      })
      .optional(),
  }),
});

/**
 * The webhook that kube-apiserver asks about what RBAC does not allow, as on GKE; plain HTTP, loopback only.
 */
export function startAccessReview(iam: Iam): Promise<LocalServer> {
  return listen(async (request, response) => {
    try {
      const answer = reviewAccess(iam, JSON.parse((await readBody(request)).toString("utf8")));
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    } catch {
      response.writeHead(400).end("this is not a SubjectAccessReview of authorization.k8s.io/v1; send one");
    }
  });
}

/**
 * Knows the functions' accounts alone; of everybody else, and of paths that are no resources, it has no
 * opinion. Throws a ZodError on anything but a `SubjectAccessReview` of v1.
 * https://kubernetes.io/docs/reference/access-authn-authz/webhook/
 */
export function reviewAccess(iam: Iam, body: unknown): object {
  const { apiVersion, kind, spec } = review.parse(body);
  const { user, resourceAttributes: attributes } = spec;
  const answer = (status: object) => ({ apiVersion, kind, status });
  if (iam.roleOf(user) === undefined || attributes === undefined) return answer({ allowed: false });
  const permission = kubernetesPermission(attributes) ?? `none for ${JSON.stringify(attributes)}`;
  const { version, name = "" } = attributes;
  const allows = version === ANY_VERSION && name === "" ? iam.wouldAllow : iam.allows;
  const missing = [CONNECT, permission].filter((each) => !allows(user, each));
  if (missing.length === 0) return answer({ allowed: true });
  return answer({
    allowed: false,
    denied: true,
    reason: `requires one of ${JSON.stringify(missing)} permission(s).`,
  });
}

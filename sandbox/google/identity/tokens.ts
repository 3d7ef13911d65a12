import { randomBytes } from "node:crypto";
import { z } from "zod";

/** What the real metadata server answers for a fresh token, in seconds. */
export const TOKEN_LIFETIME = 3599;

/** The access tokens that the sandbox has issued, and whose they are. */
export interface TokenRegistry {
  /** An opaque token of `email`; valid for `seconds`, by default until the sandbox stops. */
  issue(email: string, seconds?: number): string;
  /** Whose token this is; `undefined` if it is unknown or has expired. */
  email(token: string): string | undefined;
}

interface Grant {
  readonly email: string;
  readonly expiresAt: number;
}

export function createTokenRegistry(now: () => number = Date.now): TokenRegistry {
  const grants = new Map<string, Grant>();
  return {
    issue(email, seconds = Number.POSITIVE_INFINITY) {
      const token = `ya29.${randomBytes(48).toString("base64url")}`;
      grants.set(token, { email, expiresAt: now() + seconds * 1000 });
      return token;
    },
    email(token) {
      const grant = grants.get(token);
      return grant !== undefined && grant.expiresAt > now() ? grant.email : undefined;
    },
  };
}

const tokenReview = z.object({
  apiVersion: z.literal("authentication.k8s.io/v1"),
  kind: z.literal("TokenReview"),
  spec: z.object({ token: z.string() }),
});

/**
 * Answers kube-apiserver's authentication webhook as GKE's does: an access token of Google becomes the user
 * named by its account's email. Throws a ZodError on anything but a `TokenReview` of v1.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#webhook-token-authentication
 */
export function reviewToken(registry: TokenRegistry, body: unknown): object {
  const { apiVersion, kind, spec } = tokenReview.parse(body);
  const email = registry.email(spec.token);
  const status =
    email === undefined ? { authenticated: false } : { authenticated: true, user: { username: email } };
  return { apiVersion, kind, status };
}

import { type Finding, finding } from "./finding.ts";
import { shareOf } from "./hash.ts";
import type { RemoteSecretState } from "./observation.ts";

type TokenLife = Pick<RemoteSecretState, "tokenIssuedAt" | "tokenExpiresAt">;

/** Below this share of its life, whatever should have renewed the token has failed for long. */
const EXPIRING = 0.25;

/** Undefined while there is time. */
export function tokenExpiring(
  secret: TokenLife,
  reader: string,
  target: string,
  now: Date,
): Finding | undefined {
  const { tokenIssuedAt, tokenExpiresAt } = secret;
  if (tokenIssuedAt === undefined || tokenExpiresAt === undefined) return undefined;
  const life = tokenExpiresAt.getTime() - tokenIssuedAt.getTime();
  if (tokenExpiresAt.getTime() - now.getTime() >= life * EXPIRING) return undefined;
  return finding(
    "TokenExpiring",
    `the token by which ${reader} reads ${target} ends at ${tokenExpiresAt.toISOString()} and was not renewed`,
    "see why in the log of sync-mesh, and have it renewed: POST /sync",
    reader,
  );
}

/** Renewal starts at half of the granted life, and is spread over the next fifth of it, so that a mesh never renews at once. */
const RENEW_FROM = 0.5;
const RENEW_SPREAD = 0.2;

export function isTokenDue(secret: TokenLife, reader: string, target: string, now: Date): boolean {
  const { tokenIssuedAt, tokenExpiresAt } = secret;
  if (tokenIssuedAt === undefined || tokenExpiresAt === undefined) return true;
  const life = tokenExpiresAt.getTime() - tokenIssuedAt.getTime();
  // Most are not, and the turn of each pair takes a while to work out.
  if (now.getTime() < tokenIssuedAt.getTime() + life * RENEW_FROM) return false;
  const offset = shareOf(`${reader} ${target}`);
  return now.getTime() >= tokenIssuedAt.getTime() + life * (RENEW_FROM + RENEW_SPREAD * offset);
}

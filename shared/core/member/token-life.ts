import { type Finding, finding } from "../answers/finding.ts";
import { shareOf } from "../hash.ts";
import { sentenceTime } from "../time.ts";
import type { RemoteSecretState } from "./observation.ts";

type TokenLife = Pick<RemoteSecretState, "tokenIssuedAt" | "tokenExpiresAt">;

/** With less than this share of its life left, the renewals of a token have failed for long. */
const EXPIRING = 0.25;

/** Less than a quarter of its life is left. */
export function isTokenEnding({ tokenIssuedAt, tokenExpiresAt }: TokenLife, now: Date): boolean {
  if (tokenIssuedAt === undefined || tokenExpiresAt === undefined) return false;
  const life = tokenExpiresAt.getTime() - tokenIssuedAt.getTime();
  return tokenExpiresAt.getTime() - now.getTime() < life * EXPIRING;
}

/** Undefined while there is time. */
export function tokenExpiring(
  secret: TokenLife,
  reader: string,
  target: string,
  now: Date,
): Finding | undefined {
  const { tokenExpiresAt } = secret;
  if (tokenExpiresAt === undefined || !isTokenEnding(secret, now)) return undefined;
  return finding(
    "TokenExpiring",
    `the token by which ${reader} reads ${target} ends at ${sentenceTime(tokenExpiresAt)} and no run has renewed it`,
    "find the cause in the log of sync-mesh, then renew it: meshjoin sync",
    reader,
  );
}

/** Full runs come every ten minutes (the schedule in terraform/). */
const RUN_EVERY_MS = 600_000;
/** Renewal is due at this share of the life, or up to a fifth earlier: a mesh never renews at once. */
const RENEW_BY = 0.7;
const RENEW_SPREAD = 0.2;

/**
 * The share of the life after which renewal is due at the latest. A member may be away for a quarter of the
 * life, from just before one run to just after another, so a token with a short life is due sooner. A life
 * too short for that keeps the usual share: runs every ten minutes cannot save it.
 */
function renewBy(life: number): number {
  const latest = 1 - EXPIRING - (2 * RUN_EVERY_MS) / life;
  return latest < RENEW_SPREAD ? RENEW_BY : Math.min(RENEW_BY, latest);
}

export function isTokenDue(secret: TokenLife, reader: string, target: string, now: Date): boolean {
  const { tokenIssuedAt, tokenExpiresAt } = secret;
  if (tokenIssuedAt === undefined || tokenExpiresAt === undefined) return true;
  const life = tokenExpiresAt.getTime() - tokenIssuedAt.getTime();
  const over = (now.getTime() - tokenIssuedAt.getTime()) / life;
  const latest = renewBy(life);
  if (over >= latest) return true;
  return (
    over >= latest - RENEW_SPREAD && over >= latest - RENEW_SPREAD * (1 - shareOf(`${reader} ${target}`))
  );
}

/** From when on `isTokenDue`; undefined where its life is not known. */
export function tokenDueAt(secret: TokenLife, reader: string, target: string): Date | undefined {
  const { tokenIssuedAt, tokenExpiresAt } = secret;
  if (tokenIssuedAt === undefined || tokenExpiresAt === undefined) return undefined;
  const life = tokenExpiresAt.getTime() - tokenIssuedAt.getTime();
  const share = renewBy(life) - RENEW_SPREAD * (1 - shareOf(`${reader} ${target}`));
  return new Date(Math.ceil(tokenIssuedAt.getTime() + life * share));
}

/** How many of a reader's tokens a run must renew, so that each gets its turn in time; at least one. */
export function renewalsARun(tokens: readonly TokenLife[]): number {
  const share = tokens.reduce((sum, { tokenIssuedAt, tokenExpiresAt }) => {
    if (tokenIssuedAt === undefined || tokenExpiresAt === undefined) return sum;
    const life = tokenExpiresAt.getTime() - tokenIssuedAt.getTime();
    return sum + RUN_EVERY_MS / (RENEW_SPREAD * life);
  }, 0);
  return Math.max(1, Math.ceil(share));
}

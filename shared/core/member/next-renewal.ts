import { intermediateDueAt } from "./intermediate-life.ts";
import { isReachable, type Member } from "./observation.ts";
import { tokenDueAt } from "./token-life.ts";

/**
 * When the next token or intermediate CA of Meshjoin is due for renewal, by what the reachable members hold;
 * it may be past, until a run renews it. Undefined where the life of none is known.
 */
export function nextRenewal(members: readonly Member[]): Date | undefined {
  const times = members
    .filter(isReachable)
    .flatMap(({ clusterId, state: { cacerts, remoteSecrets } }) => [
      cacerts?.owner === "ours" ? intermediateDueAt(cacerts, clusterId) : undefined,
      ...remoteSecrets.map((secret) =>
        secret.owner === "ours" ? tokenDueAt(secret, clusterId, secret.targetId) : undefined,
      ),
    ]);
  const known = times.flatMap((time) => time?.getTime() ?? []);
  return known.length === 0 ? undefined : new Date(known.reduce((a, b) => Math.min(a, b)));
}

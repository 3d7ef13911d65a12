import type { MemberStatus, Status } from "../../../../shared/core/answers/status.ts";
import type { OrderedPair } from "./pairs.ts";

interface Expiring {
  /** RFC 3339. */
  readonly at: string;
}

export interface RootExpiry extends Expiring {
  readonly kind: "root";
  readonly fingerprint: string;
  /** The number of members that trust it. */
  readonly members: number;
}

export interface IntermediateExpiry extends Expiring {
  readonly kind: "intermediate";
  readonly clusterId: string;
  readonly fingerprint: string;
  /** istiod pods that serve it, and those that serve another. */
  readonly loadedBy: number;
  readonly otherwise: number;
}

export interface TokenExpiry extends Expiring {
  readonly kind: "token";
  readonly reader: string;
  readonly target: string;
}

export type Expiry = RootExpiry | IntermediateExpiry | TokenExpiry;
export const EXPIRY_KINDS = ["root", "intermediate", "token"] as const satisfies Expiry["kind"][];

function roots(members: readonly MemberStatus[]): RootExpiry[] {
  const all = members.flatMap(({ root }) => root);
  return [...Map.groupBy(all, ({ fingerprint }) => fingerprint)].map(([fingerprint, trusted]) => ({
    kind: "root",
    at: trusted[0]?.notAfter ?? "",
    fingerprint,
    members: trusted.length,
  }));
}

function intermediates(members: readonly MemberStatus[]): IntermediateExpiry[] {
  return members.flatMap(({ clusterId, intermediate: { written, loaded } }) => {
    if (written === null) return [];
    const loadedBy = loaded.filter(({ fingerprint }) => fingerprint === written.fingerprint).length;
    return {
      kind: "intermediate",
      at: written.notAfter,
      clusterId,
      fingerprint: written.fingerprint,
      loadedBy,
      otherwise: loaded.length - loadedBy,
    };
  });
}

function tokens(pairs: readonly OrderedPair[]): TokenExpiry[] {
  return pairs.flatMap(({ reader, target, tokenExpiry }) =>
    tokenExpiry === undefined ? [] : { kind: "token", at: tokenExpiry, reader, target },
  );
}

/** An invalid time counts as long past, so that a person sees it. */
function momentOf(expiry: Expiry): readonly [number, Expiry] {
  const time = Date.parse(expiry.at);
  return [Number.isNaN(time) ? 0 : time, expiry];
}

/** Every expiry, the next one first. */
export function expiriesOf({ members }: Status, pairs: readonly OrderedPair[]): Expiry[] {
  return [...roots(members), ...intermediates(members), ...tokens(pairs)]
    .map(momentOf)
    .toSorted(([a], [b]) => a - b)
    .map(([, expiry]) => expiry);
}

/** Whether it has ended, or is no time. */
export function isPast({ at }: Expiring, now: Date): boolean {
  const time = Date.parse(at);
  return Number.isNaN(time) || time <= now.getTime();
}

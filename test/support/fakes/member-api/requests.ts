import { setTimeout as sleep } from "node:timers/promises";
import { broken, forbidden, unreachable } from "./errors.ts";

export const VERBS = [
  "get",
  "list",
  "watch",
  "create",
  "replace",
  "apply",
  "delete",
  "tokenRequest",
  "tokenReview",
  "portForward",
  "accessReview",
] as const;
export type Verb = (typeof VERBS)[number];

/** How one API server treats its requests; may be changed at any time. */
export interface ServerFaults {
  unreachable: boolean;
  /** Verbs, of any kind or of one: `list`, `list ResourceQuota`. */
  forbidden: readonly (Verb | `${Verb} ${string}`)[];
  /** As `forbidden`: answered with a 500, as by a foreign webhook that is out. */
  broken: ServerFaults["forbidden"];
  slowMs: number;
}

/** Counts every request to one API server, and lets it through or not. */
export interface RequestGate {
  readonly faults: ServerFaults;
  readonly counts: Readonly<Record<Verb, number>>;
  readonly total: number;
  /** `isNew`: unless the question goes over a connection that an earlier request has opened. */
  enter(verb: Verb, what: string, signal: AbortSignal | undefined, isNew?: boolean): Promise<void>;
}

/** Of the API server of this cluster ID. */
export function requestGate(clusterId: string): RequestGate {
  const counts: Record<Verb, number> = {
    get: 0,
    list: 0,
    watch: 0,
    create: 0,
    replace: 0,
    apply: 0,
    delete: 0,
    tokenRequest: 0,
    tokenReview: 0,
    portForward: 0,
    accessReview: 0,
  };
  const faults: ServerFaults = { unreachable: false, forbidden: [], broken: [], slowMs: 0 };
  return {
    faults,
    counts,
    get total() {
      return VERBS.reduce((sum, verb) => sum + counts[verb], 0);
    },
    async enter(verb, what, signal, isNew = true) {
      if (isNew) counts[verb] += 1;
      // A request crosses the wire before it means anything: others get their turn.
      if (faults.slowMs > 0) await sleep(faults.slowMs, undefined, { signal }).catch(() => undefined);
      else await Promise.resolve();
      if (faults.unreachable || signal?.aborted === true) throw unreachable(what, clusterId);
      // Everybody may ask what they may.
      if (faults.broken.some((each) => each === verb || each === what)) throw broken(what);
      if (verb !== "accessReview" && faults.forbidden.some((each) => each === verb || each === what))
        throw forbidden(what);
    },
  };
}

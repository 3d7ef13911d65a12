export type RequestTarget =
  | "gke"
  | "secretmanager"
  | "compute"
  | "projects"
  | "metadata"
  | "signer"
  | "examiner";

/** Who called what, and how often: what a join costs is a promise of the product. */
export interface RequestLedger {
  record(email: string, target: RequestTarget): void;
  /** Requests of one account, by target; `sinceMs` is a Unix time in milliseconds. */
  requests(email: string, sinceMs?: number): Readonly<Record<RequestTarget, number>>;
  emails(): readonly string[];
}

export function createRequestLedger(now: () => number = Date.now): RequestLedger {
  const entries: { email: string; target: RequestTarget; at: number }[] = [];
  return {
    record(email, target) {
      entries.push({ email, target, at: now() });
    },
    requests(email, sinceMs = 0) {
      const counts = {
        gke: 0,
        secretmanager: 0,
        compute: 0,
        projects: 0,
        metadata: 0,
        signer: 0,
        examiner: 0,
      };
      for (const entry of entries) {
        if (entry.email === email && entry.at >= sinceMs) counts[entry.target] += 1;
      }
      return counts;
    },
    emails() {
      return [...new Set(entries.map((entry) => entry.email))].toSorted();
    },
  };
}

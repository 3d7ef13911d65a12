import { annotateLoaded } from "../apply/loaded.ts";
import type { Run } from "../apply.ts";
import { faultFinding } from "../core/error-finding.ts";
import { type Finding, finding } from "../core/finding.ts";
import { isReachable, type Member } from "../core/observation.ts";
import type { Outcome } from "../core/outcome.ts";
import { ConflictError, MeshjoinError } from "../errors.ts";
import type { Evidence } from "../look/istiods.ts";
import { unfinished } from "./judge-pair.ts";

/** What became apparent of a subject after its own half. */
export interface Late {
  readonly outcome: Outcome;
  readonly findings: readonly Finding[];
}

/**
 * Notes on every subject that its istiods were seen serving the intermediate. A conflict means that another run has noted it, or that the Secret was replaced and its
 * successor is to be seen.
 */
export async function noteLoaded(
  run: Run,
  members: readonly Member[],
  subjects: ReadonlySet<string>,
  evidence: ReadonlyMap<string, Evidence>,
): Promise<{ late: Map<string, Late>; errors: MeshjoinError[] }> {
  const late = new Map<string, Late>();
  const errors: MeshjoinError[] = [];
  await Promise.all(
    members.filter(isReachable).map(async (member) => {
      const { clusterId: id, state, cluster } = member;
      const seen = evidence.get(id);
      if (!subjects.has(id) || seen === undefined) return;
      if (state.cacerts?.owner !== "ours" || state.cacerts.loadedAt !== undefined) return;
      if (!seen.loaded) {
        const issuedAt = state.cacerts.issuedAt?.getTime() ?? 0;
        const isFresh = run.ports.clock.now().getTime() - issuedAt < LOADS_WITHIN_MS;
        late.set(id, {
          outcome: unfinished(seen.error),
          findings: [seen.error === undefined ? notLoaded(id, isFresh) : faultFinding(seen.error, id)],
        });
        return;
      }
      try {
        const api = run.ports.fleet.member(cluster);
        await annotateLoaded(api, state.cacerts, run.ports.clock.now(), run.signal);
        run.report({ step: "certificateLoaded", clusterId: id, outcome: "updated" });
      } catch (error) {
        if (!(error instanceof MeshjoinError)) throw error;
        if (error instanceof ConflictError) return;
        late.set(id, { outcome: unfinished(error), findings: [faultFinding(error, id)] });
        errors.push(error);
      }
    }),
  );
  return { late, errors };
}

/** A kubelet looks for changed Secrets about every minute, and finds them in a cache of as much. */
const LOADS_WITHIN_MS = 180_000;

function notLoaded(id: string, isFresh: boolean): Finding {
  if (isFresh) {
    const message = "istiod does not serve the intermediate yet that was written a moment ago";
    return finding("CertificateLoading", message, "nothing: a kubelet takes up to two minutes", id);
  }
  return finding(
    "CertificateNotLoaded",
    "istiod does not serve the intermediate that was written",
    "kubectl -n istio-system logs deploy/istiod says why; kubectl -n istio-system rollout restart deployment/istiod makes it read it anew",
    id,
  );
}

import { annotateLoaded } from "../apply/loaded.ts";
import { faultFinding } from "../core/answers/error-finding.ts";
import { type Finding, finding } from "../core/answers/finding.ts";
import type { Outcome } from "../core/answers/outcome.ts";
import type { OwnCacerts, ReachableMember } from "../core/member/observation.ts";
import { ConflictError } from "../errors.ts";
import type { Evidence } from "../look/istiods.ts";
import { type MemberFault, merge, NOTHING, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import { unfinished } from "./judge-pair.ts";

/**
 * Notes on every subject that its istiods were seen serving the intermediate; one whose istiods do not serve it yet has lapsed. A
 * conflict means that another run has noted it, or that the Secret was replaced and its successor is to be seen.
 */
export async function noteLoaded(
  run: Run,
  subjects: readonly ReachableMember[],
  evidence: ReadonlyMap<string, Evidence>,
): Promise<Report> {
  const noted = subjects.map(async (member): Promise<Partial<Report>> => {
    const { clusterId, state } = member;
    const seen = evidence.get(clusterId);
    const { cacerts } = state;
    if (seen === undefined || cacerts?.owner !== "ours" || cacerts.loadedAt !== undefined) return NOTHING;
    if (!seen.loaded) return notServed(run, clusterId, cacerts, seen);
    return await settle(
      clusterId,
      "it was noted what its istiod serves",
      () => note(run, member, cacerts),
      conflicts,
    );
  });
  return merge(...(await Promise.all(noted)));
}

async function note(
  run: Run,
  { cluster, clusterId }: ReachableMember,
  cacerts: OwnCacerts,
): Promise<Partial<Report>> {
  await annotateLoaded(run.ports.fleet.member(cluster), cacerts, run.ports.clock.now(), run.signal);
  run.progress({ step: "certificateLoaded", clusterId, outcome: "updated" });
  return NOTHING;
}

function conflicts({ clusterId, error, finding: found }: MemberFault): Partial<Report> {
  if (error instanceof ConflictError) return NOTHING;
  return { ...lapsed(clusterId, unfinished(error), found), errors: [error] };
}

function lapsed(clusterId: string, outcome: Outcome, found: Finding, isUnloaded = false): Partial<Report> {
  return { members: [{ clusterId, outcome, findings: [found], hasLapsed: true, isUnloaded }] };
}

function notServed(
  { ports }: Run,
  id: string,
  { issuedAt }: OwnCacerts,
  { error }: Evidence,
): Partial<Report> {
  if (error !== undefined) return lapsed(id, unfinished(error), faultFinding(error, id));
  const isFresh = ports.clock.now().getTime() - (issuedAt?.getTime() ?? 0) < LOADS_WITHIN_MS;
  return lapsed(id, "waiting", notLoaded(id, isFresh), !isFresh);
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

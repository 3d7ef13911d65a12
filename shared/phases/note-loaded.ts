import { annotateLoaded } from "../apply/loaded.ts";
import { faultFinding } from "../core/answers/error-finding.ts";
import { type Finding, finding } from "../core/answers/finding.ts";
import type { Outcome } from "../core/answers/outcome.ts";
import type { ClusterRef } from "../core/cluster/cluster.ts";
import { kubectlOn } from "../core/cluster/gcloud.ts";
import type { OwnCacerts, ReachableMember } from "../core/member/observation.ts";
import { RESTART_CAUTION } from "../core/member/reach.ts";
import { clusterId as idOf } from "../core/names.ts";
import { ConflictError } from "../errors.ts";
import type { Evidence } from "../look/istiods.ts";
import { type MemberFault, merge, NOTHING, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import { unfinished } from "./judge-pair.ts";

/**
 * Notes on every subject's `cacerts` that its istiods serve the intermediate. A subject whose istiods do not
 * serve it yet has lapsed. A conflict means that another run has noted it, or that the Secret was replaced
 * and istiod must serve its successor.
 */
export async function noteLoaded(
  run: Run,
  subjects: readonly ReachableMember[],
  evidence: ReadonlyMap<string, Evidence>,
): Promise<Report> {
  const notes = subjects.map(async (member): Promise<Partial<Report>> => {
    const { clusterId, state } = member;
    const look = evidence.get(clusterId);
    const { cacerts } = state;
    if (look === undefined || cacerts?.owner !== "ours" || cacerts.loadedAt !== undefined) return NOTHING;
    if (!look.loaded) return notServed(run, member, cacerts, look);
    return await settle(
      clusterId,
      "the intermediate that its istiod serves was noted",
      () => note(run, member, cacerts),
      conflicts,
    );
  });
  return merge(...(await Promise.all(notes)));
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
  { clusterId: id, cluster }: ReachableMember,
  { issuedAt }: OwnCacerts,
  { error }: Evidence,
): Partial<Report> {
  if (error !== undefined) return lapsed(id, unfinished(error), faultFinding(error, id));
  const isFresh = ports.clock.now().getTime() - (issuedAt?.getTime() ?? 0) < LOADS_WITHIN_MS;
  return lapsed(id, "waiting", notLoaded(cluster.ref, isFresh), !isFresh);
}

/** A kubelet syncs Secrets about every minute, from a cache that is up to a minute old. */
const LOADS_WITHIN_MS = 180_000;

function notLoaded(ref: ClusterRef, isFresh: boolean): Finding {
  const id = idOf(ref);
  if (isFresh) {
    const message = "istiod does not serve the intermediate yet that was written a moment ago";
    return finding("CertificateLoading", message, "nothing: a kubelet takes up to two minutes", id);
  }
  return finding(
    "CertificateNotLoaded",
    "istiod does not serve the intermediate that was written",
    `see why: ${kubectlOn(ref)} -n istio-system logs deploy/istiod; have it read the Secret again: ${kubectlOn(ref)} -n istio-system rollout restart deployment/istiod, ${RESTART_CAUTION}`,
    id,
  );
}

import { type Finding, finding } from "../answers/finding.ts";
import { kubectlOn, typedName } from "../cluster/gcloud.ts";
import { ISTIO_NAMESPACE, ISTIOD } from "../names.ts";
import { sentenceTime, UNKNOWN_TIME } from "../time.ts";
import type { ReachableMember } from "./observation.ts";

/** No pod of istiod is ready. A time that nothing proves is absent. */
export interface IstiodAway {
  /** A pod was ready until then. */
  readonly earliest?: Date;
  /** No pod was ready from then on. */
  readonly latest?: Date;
  /** When the Deployment last changed so that no pod may be ready. */
  readonly changedAt?: Date;
}

/** A drain of the node, or a new pod of a single replica, takes istiod away for as long. */
export const ALARM_AFTER_MS = 5 * 60_000;
/** Certificates that live shorter than usual leave less time to act. */
const ALARM_SHARE = 0.1;
/** A proxy renews at half of the life, give or take a hundredth; Istio `pilot/cmd/pilot-agent/options`. */
const LEFT_AT_RENEWAL = 0.49;
/** The life that a sidecar asks for where nothing sets it; `SECRET_TTL` there. */
const USUAL_TTL = 86_400;
const MINUTE_MS = 60_000;
/**
 * By so much the times may be late: a node that is lost counts as ready for 50 seconds, and a pod that ends
 * renews its lock, and may sign, for its 30.
 */
const LATE_MS = 60_000;

/**
 * A member that nobody gives certificates to: its workloads live on those that they have. Undefined while
 * istiod answers, in the minutes of an ordinary restart, and before it has ever answered: then no workload
 * has a certificate. This rests on the pods and the Deployment of the member, and on no other member's word.
 */
export function certificatesEnd(member: ReachableMember, now: Date): Finding | undefined {
  const away = istiodAway(member, now);
  if (away === undefined) return undefined;
  const { clusterId, cluster, state } = member;
  const ttl = workloadTtl(member);
  const delay = Math.min(ALARM_AFTER_MS, ttl * 1000 * ALARM_SHARE);
  if (away.changedAt !== undefined && now.getTime() - away.changedAt.getTime() < delay) return undefined;
  const name = typedName(state.controlPlane?.name ?? ISTIOD);
  if (state.controlPlane === undefined) {
    const cure = `mend what keeps Meshjoin from installing it, as the other findings say; then: meshjoin sync --cluster ${clusterId}`;
    return finding("CertificatesEnd", messageOf(clusterId, away, ttl), cure, clusterId);
  }
  const kubectl = `${kubectlOn(cluster.ref)} -n ${ISTIO_NAMESPACE}`;
  const cure =
    state.controlPlane.isScaledToZero === true
      ? `${kubectl} scale deployment ${name} --replicas=1`
      : `see why: ${kubectl} describe pods -l app=istiod; new pods, when that is mended, lose nothing while none answers: ${kubectl} rollout restart deployment/${name}`;
  return finding("CertificatesEnd", messageOf(clusterId, away, ttl), cure, clusterId);
}

function messageOf(clusterId: string, away: IstiodAway, ttl: number): string {
  return `no istiod of ${clusterId} answers${sinceWords(away)}, so none of its workloads gets another certificate: ${endWords(away, ttl)}; requests to and from a workload fail when its own has ended`;
}

/** Undefined where istiod answers, or never has. Without a Deployment nothing tells since when. */
function istiodAway({ state }: ReachableMember, now: Date): IstiodAway | undefined {
  const { controlPlane, cacerts, record } = state;
  const { away: seen, owner = "ours" } = controlPlane ?? { away: {} };
  if (seen === undefined) return undefined;
  const away = withoutFuture(seen, now);
  const isLoaded = cacerts?.owner === "ours" && (cacerts.loadedAt ?? cacerts.versionsLoadedAt) !== undefined;
  if (owner === "ours" && !isLoaded && away.earliest === undefined) return undefined;
  // Nor does anything tell then for how long a certificate lives.
  if (controlPlane === undefined) return {};
  const noted = record?.troubles.find(({ reason }) => reason === "CertificatesEnd")?.since;
  return away.latest === undefined && noted !== undefined
    ? withoutFuture({ ...away, latest: new Date(noted) }, now)
    : away;
}

/** A time that is yet to come was edited, or made by a wrong clock: it would promise too long a life. */
function withoutFuture({ earliest, latest, changedAt }: IstiodAway, now: Date): IstiodAway {
  const isPast = (time: Date | undefined) => time !== undefined && time.getTime() <= now.getTime() + LATE_MS;
  return {
    ...(isPast(earliest) && { earliest }),
    ...(isPast(latest) && { latest }),
    ...(isPast(changedAt) && { changedAt }),
  };
}

/** In seconds: what the sidecars ask for. Meshjoin's own istiods and sidecars have the same setting. */
function workloadTtl({ state }: ReachableMember): number {
  const { owner, workloadTtl: longest = USUAL_TTL } = state.controlPlane ?? {};
  return owner === "ours" ? longest : Math.min(longest, USUAL_TTL);
}

function sinceWords({ earliest, latest }: IstiodAway): string {
  if (earliest === undefined && latest === undefined) return ", and nothing tells since when";
  if (earliest === undefined) return `, since ${sentenceTime(latest ?? UNKNOWN_TIME)} at the latest`;
  const since = ` since ${sentenceTime(earliest)}`;
  const isExact = latest !== undefined && latest.getTime() - earliest.getTime() <= MINUTE_MS;
  return isExact ? since : `,${since} at the earliest`;
}

/** These times stay the same from run to run, so that a record of them is written once. */
function endWords({ earliest, latest }: IstiodAway, ttl: number): string {
  const first =
    earliest === undefined
      ? "the first may end at any time"
      : `the first ends at ${sentenceTime(new Date(earliest.getTime() - LATE_MS + ttl * 1000 * LEFT_AT_RENEWAL))} at the earliest`;
  const last =
    latest === undefined
      ? ""
      : `, and all have ended by ${sentenceTime(new Date(latest.getTime() + LATE_MS + ttl * 1000 + MINUTE_MS - 1))}`;
  return first + last;
}

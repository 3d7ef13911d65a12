import { type Check, fault, fine, unknown } from "../../shared/core/answers/check.ts";
import type { Cluster } from "../../shared/core/cluster/cluster.ts";
import { BY_MESHJOIN, newestOf } from "../../shared/core/member/drain.ts";
import { isAbout } from "../../shared/core/member/drain-copy.ts";
import type { DrainCopy } from "../../shared/core/member/observation.ts";
import { clusterId } from "../../shared/core/names.ts";
import type { MeshSpec } from "../../shared/core/spec.ts";
import { ours } from "../../shared/doctor/google.ts";
import { drainCopies } from "../../shared/istio/drain-note.ts";
import { SECRETS } from "../../shared/look/member.ts";
import { drained } from "../../shared/plan/drains.ts";
import type { Fleet } from "../../shared/ports/fleet.ts";

const SUBJECT = { name: "drains", account: "caller" } as const;
const TIMEOUT_MS = 20_000;

/**
 * Which members are drained, since when and by whom: by the newest note in any member, as a run goes by it. A
 * drain by Meshjoin itself is a fault, because it has found the member dead. That a member cannot be reached
 * is another check's.
 */
export async function checkDrains(
  fleet: Fleet,
  members: readonly Cluster[],
  spec: Pick<MeshSpec, "meshId" | "drainAfter">,
): Promise<Check[]> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const answers = await Promise.all(members.map((cluster) => look(fleet, cluster, spec, signal)));
  const seen = answers.flatMap((answer) => ("copies" in answer ? [answer.copies] : []));
  const unread = answers.flatMap((answer) => ("check" in answer ? answer.check : []));
  if (seen.length === 0) return unread;
  const copies = seen.flat();
  const checks = [...members.flatMap((cluster) => drainOf(cluster, copies, spec)), ...unread];
  if (checks.length > 0) return checks;
  if (seen.length === members.length) return [fine(SUBJECT, "no member is drained")];
  const number = `${seen.length} of ${members.length} members`;
  return [unknown(SUBJECT, `${number} could be read, and hold no note of a drain; the others may hold one`)];
}

async function look(
  fleet: Fleet,
  cluster: Cluster,
  { meshId }: Pick<MeshSpec, "meshId">,
  signal: AbortSignal,
): Promise<{ readonly copies: readonly DrainCopy[] } | { readonly check: readonly Check[] }> {
  try {
    const secrets = await fleet.member(cluster).reader.list(SECRETS, signal);
    return { copies: drainCopies(secrets, meshId).filter(({ owner }) => owner === "ours") };
  } catch (error) {
    const { code, message } = ours(error);
    const id = clusterId(cluster.ref);
    return {
      check: code === "Forbidden" ? [unknown(SUBJECT, `${id}: ${message}`)] : [],
    };
  }
}

function drainOf(
  cluster: Cluster,
  copies: readonly DrainCopy[],
  spec: Pick<MeshSpec, "drainAfter">,
): Check[] {
  const id = clusterId(cluster.ref);
  const { note, isUnread } = newestOf(copies.filter((copy) => copy.of === id && isAbout(copy, { cluster })));
  if (note === undefined && isUnread) {
    return [
      unknown(
        SUBJECT,
        `no note says whether ${id} is drained: those that there are cannot be read`,
        `say it anew: meshjoin drain ${id}, or meshjoin undrain ${id}`,
      ),
    ];
  }
  if (note?.state !== "drained") return [];
  const { reason, message, cure } = drained({ clusterId: id }, note, spec);
  return [note.by === BY_MESHJOIN ? fault(SUBJECT, `${reason}: ${message}`, cure) : fine(SUBJECT, message)];
}

import { type Check, fault, fine, unknown } from "../../shared/core/answers/check.ts";
import type { Cluster } from "../../shared/core/cluster/cluster.ts";
import { BY_MESHJOIN, newestOf } from "../../shared/core/member/drain.ts";
import { isAbout } from "../../shared/core/member/drain-copy.ts";
import type { DrainCopy } from "../../shared/core/member/observation.ts";
import { clusterId } from "../../shared/core/names.ts";
import type { MeshSpec } from "../../shared/core/spec.ts";
import { drainCopies } from "../../shared/istio/drain-note.ts";
import { SECRETS } from "../../shared/look/member.ts";
import { drained } from "../../shared/plan/drains.ts";
import type { Fleet } from "../../shared/ports/fleet.ts";
import { askMembers } from "./ask-members.ts";

const SUBJECT = { name: "drains", account: "caller" } as const;

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
  const { seen, refused } = await askMembers(members, SUBJECT, async (cluster, signal) => {
    const secrets = await fleet.member(cluster).reader.list(SECRETS, signal);
    return drainCopies(secrets, spec.meshId).filter(({ owner }) => owner === "ours");
  });
  if (seen.length === 0) return [...refused];
  const copies = seen.flat();
  const unread = members.length - seen.length;
  const but =
    unread === 0
      ? ""
      : `; ${unread} of ${members.length} members could not be read, and may hold a newer note`;
  const checks = [...members.flatMap((cluster) => drainOf(cluster, copies, { spec, but })), ...refused];
  if (checks.length > 0) return checks;
  if (seen.length === members.length) return [fine(SUBJECT, "no member is drained")];
  const number = `${seen.length} of ${members.length} members`;
  return [unknown(SUBJECT, `${number} could be read, and hold no note of a drain; the others may hold one`)];
}

interface Told {
  readonly spec: Pick<MeshSpec, "drainAfter">;
  /** What else may be, for lack of an answer. */
  readonly but: string;
}

function drainOf(cluster: Cluster, copies: readonly DrainCopy[], { spec, but }: Told): Check[] {
  const id = clusterId(cluster.ref);
  const { note, isUnread } = newestOf(copies.filter((copy) => copy.of === id && isAbout(copy, { cluster })));
  if (note === undefined && isUnread) {
    return [
      unknown(
        SUBJECT,
        `no note says whether ${id} is drained: those that there are cannot be read${but}`,
        `say it anew; to drain it: meshjoin drain ${id}; to bring it back: meshjoin undrain ${id}`,
      ),
    ];
  }
  if (note?.state !== "drained") return [];
  const { reason, message, cure } = drained({ clusterId: id }, note, spec);
  return note.by === BY_MESHJOIN
    ? [fault(SUBJECT, `${reason}: ${message}${but}`, cure)]
    : [fine(SUBJECT, `${message}${but}`)];
}

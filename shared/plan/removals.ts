import type { Finding } from "../core/answers/finding.ts";
import type { Departed } from "../core/member/absence.ts";
import { isReachable, type Member, type ReachableMember } from "../core/member/observation.ts";
import { ISTIO_NAMESPACE } from "../core/names.ts";
import {
  type Disconnect,
  type DropDrainNote,
  type MarkLeft,
  type Removal,
  type RemoveGateway,
  type RemoveProbe,
  type Revoke,
  secretName,
} from "./action.ts";
import { dropsOfNotes } from "./drain-notes.ts";
import { removalsOfGateways } from "./gateways.ts";
import { leaverOf } from "./lost.ts";
import { removalOfProbe } from "./probes.ts";

interface Removing {
  /** The clusters that may hold credentials of it. */
  readonly holders: readonly Member[];
  readonly leavers: readonly Member[];
  /** Cluster IDs of the readers whose tokens may die. */
  readonly letGo: ReadonlySet<string>;
  readonly cause: Finding;
  readonly now: Date;
}

/** Everything that ends the membership of one cluster: a note on the leaver, and then the removals. */
export function removals(
  departed: Departed,
  removing: Removing,
): (MarkLeft | Removal | RemoveGateway | RemoveProbe | DropDrainNote)[] {
  const { holders, leavers, letGo, cause } = removing;
  const leaver = leaverOf(departed, leavers);
  const present = holders.filter(isReachable);
  const own = leaver !== undefined && isReachable(leaver) ? [leaver] : [];
  return [
    ...own.flatMap((member) => markLeft(member, removing) ?? []),
    ...present.flatMap((member) => dropsOfNotes(member, (id) => id === departed.clusterId, cause)),
    ...own.flatMap((member) => dropsOfNotes(member, () => true, cause)),
    ...present.flatMap((member) => disconnects(member, (id) => id === departed.clusterId, cause)),
    ...own.flatMap((member) => disconnects(member, () => true, cause)),
    ...own.flatMap((member) => unusedGateways(member, removing)),
    ...own.flatMap((member) => removalOfProbe(member, cause)),
    ...present.flatMap((member) => revocations(member, (id) => id === departed.clusterId, cause)),
    ...own.flatMap((member) => revocations(member, (id) => letGo.has(id), cause)),
  ];
}

/** Undefined where the cluster has the note, or its namespace is not the mesh's. */
function markLeft(
  { clusterId, state: { namespace } }: ReachableMember,
  { now, cause }: Removing,
): MarkLeft | undefined {
  if (namespace === undefined || namespace.owner !== "ours" || namespace.leftAt !== undefined)
    return undefined;
  return {
    kind: "markLeft",
    verb: "update",
    clusterId,
    network: namespace.network,
    acceptance: namespace.acceptedCacerts,
    leftAt: now,
    writes: [{ verb: "update", clusterId, object: { kind: "Namespace", name: ISTIO_NAMESPACE } }],
    findings: [cause],
  };
}

/** None where a reader that the run does not see may use them. */
function unusedGateways(member: ReachableMember, { letGo, cause }: Removing): RemoveGateway[] {
  const readers = member.state.readerSecrets.filter(({ owner }) => owner === "ours");
  const isUnused = readers.every(({ readerId }) => letGo.has(readerId));
  return isUnused ? removalsOfGateways(member, cause) : [];
}

function disconnects(
  { clusterId, state }: ReachableMember,
  isLeaver: (id: string) => boolean,
  cause: Finding,
): Disconnect[] {
  return state.remoteSecrets
    .filter(({ owner, targetId }) => owner === "ours" && isLeaver(targetId))
    .map(({ name, uid, targetId }) => ({
      kind: "disconnect",
      verb: "delete",
      clusterId,
      target: targetId,
      secret: { name, uid },
      writes: [{ verb: "delete", clusterId, object: secretName(name) }],
      findings: [cause],
    }));
}

function revocations(
  { clusterId, state }: ReachableMember,
  mayDie: (readerId: string) => boolean,
  cause: Finding,
): Revoke[] {
  return state.readerSecrets
    .filter(({ owner, readerId }) => owner === "ours" && mayDie(readerId))
    .map(({ name, uid, readerId }) => ({
      kind: "revoke",
      verb: "delete",
      clusterId,
      reader: readerId,
      secret: { name, uid },
      writes: [{ verb: "delete", clusterId, object: secretName(name) }],
      findings: [cause],
    }));
}

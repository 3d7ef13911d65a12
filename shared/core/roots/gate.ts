import { type Finding, finding } from "../answers/finding.ts";
import { VIEW_VARIABLES } from "../cluster/sources.ts";
import type { Member, OwnCacerts, ReachableMember } from "../member/observation.ts";
import { isReachable } from "../member/observation.ts";
import type { MeshSpec } from "../spec.ts";
import { heldClusters } from "./held.ts";
import type { Roots } from "./stages.ts";
import { formatRootVersions } from "./state.ts";
import { missedBy, type ViewSpec, viewOf } from "./view.ts";

/** What one member's workloads are told to trust. */
export interface PublishedRoots {
  readonly namespace: string;
  /** SHA-256 of each root in the ConfigMap, lower-case hex. */
  readonly fingerprints: readonly string[];
}

export interface GateInput {
  readonly roots: Roots;
  readonly spec: Pick<MeshSpec, "workloadTtl" | "clockSkew"> & ViewSpec;
  /** Every member, the unreachable ones too. */
  readonly members: readonly Member[];
  /** Why members may be missing from that; empty if none can be. */
  readonly unlisted: readonly string[];
  /** By cluster ID: ConfigMap `istio-ca-root-cert` of every namespace; a member that could not be asked is missing. */
  readonly published: ReadonlyMap<string, readonly PublishedRoots[]>;
  readonly now: Date;
}

export interface Gate {
  /** Whether the next stage may begin. */
  readonly open: boolean;
  /** What has to be seen first, a sentence each; waiting alone does not mend it. */
  readonly waitingFor: readonly string[];
  /** When the last certificate of the stage before has ended, as far as is known. */
  readonly until: Date | undefined;
  /** The stage takes longer than it should. */
  readonly overdue?: Finding;
}

/**
 * A stage of a root rotation is over when every member was seen to have loaded it, and every workload of it trusts what it
 * should; and when no certificate can be alive any more that was issued before. No waiting replaces the first.
 */
export function gateOf(input: GateInput): Gate {
  const inMesh = input.members.filter((member) => !isOutside(member));
  const waitingFor = [
    ...input.unlisted,
    ...whyUnseen(inMesh, input),
    ...whyHeld(input),
    ...inMesh.flatMap((member) => whyWaiting(member, input) ?? []),
  ];
  const until = endOfOldCertificates(inMesh, input);
  const late = overdue(inMesh, until, input);
  return {
    waitingFor,
    until,
    ...(late === undefined ? {} : { overdue: late }),
    open: waitingFor.length === 0 && until !== undefined && input.now > until,
  };
}

const CONFIRM_VIEW =
  "confirm what this configuration looks at: meshjoin root advance --confirm NotConfigured";

/** What is not looked at proves nothing: members there may trust the old root alone. */
function whyUnseen(inMesh: readonly Member[], { roots: { notes }, spec }: GateInput): string[] {
  if (inMesh.length === 0) {
    return [`no member is seen: correct ${VIEW_VARIABLES}, or wait until the first has joined`];
  }
  if (notes.view === undefined)
    return [`no tick has noted yet where members are looked for; ${CONFIRM_VIEW}`];
  return missedBy(viewOf(spec), notes.view).map(
    (missed) =>
      `this rotation has looked at ${missed}: look there, too, or, if nothing is left there, ${CONFIRM_VIEW}`,
  );
}

/** Nobody looks at a cluster that is no member, so nothing tells what its workloads trust; but the members still reach them. */
function whyHeld({ members, roots: { notes } }: GateInput): string[] {
  return [...heldClusters(members)]
    .filter(([id]) => !notes.without.includes(id))
    .map(
      ([id, holders]) =>
        `${id} is no member that this run sees, and ${nameSome(holders)} still holds credentials of it`,
    );
}

/** A cluster without a CA of the mesh, and without an istiod of ours that might have had one, is no part of it yet. */
function isOutside({ state }: Member): boolean {
  if (!state.reachable) return false;
  const { cacerts, controlPlane } = state;
  if (cacerts === undefined) return controlPlane?.owner !== "ours";
  if (cacerts.owner === "foreign") return cacerts.trust !== "sameRoots" && cacerts.trust !== "unknown";
  return cacerts.owner !== "ours";
}

/** What has still to be seen of a member that takes part, in the order in which it comes about. */
type Wait<T> = (member: T, input: GateInput) => string | undefined;

interface Issued extends ReachableMember {
  readonly cacerts: OwnCacerts;
}

const itHasNotGotTheBundle: Wait<Issued> = ({ clusterId, cacerts }, { roots }) =>
  cacerts.rootVersions === formatRootVersions(roots.versions)
    ? undefined
    : `${clusterId} has not got the bundle of this stage`;

const itsCacertsIsEdited: Wait<Issued> = ({ clusterId, cacerts: { editedBy } }) =>
  editedBy === undefined ? undefined : `${clusterId} has a cacerts that ${editedBy} has edited`;

const istiodDoesNotServeIt: Wait<Issued> = ({ clusterId, cacerts: { loadedAt } }) =>
  loadedAt === undefined ? `istiod of ${clusterId} does not serve its new intermediate` : undefined;

const istiodIsNotReady: Wait<Issued> = ({ clusterId, state: { controlPlane } }) =>
  controlPlane?.rolledOut === true ? undefined : `istiod of ${clusterId} is not ready`;

const workloadsAreNotTold: Wait<Issued> = ({ clusterId, cacerts: { rootFingerprints } }, { published }) => {
  const found = published.get(clusterId);
  if (found === undefined || found.length === 0) {
    return `what workloads of ${clusterId} trust could not be read`;
  }
  const wanted = new Set(rootFingerprints);
  const behind = found.filter(({ fingerprints }) => {
    const trusted = new Set(fingerprints);
    return trusted.size !== wanted.size || !wanted.isSubsetOf(trusted);
  });
  if (behind.length === 0) return undefined;
  const names = nameSome(behind.map(({ namespace }) => namespace));
  return `ConfigMap istio-ca-root-cert of ${clusterId} does not hold the bundle of this stage in namespace ${names}`;
};

const WAITS: readonly Wait<Issued>[] = [
  itHasNotGotTheBundle,
  itsCacertsIsEdited,
  istiodDoesNotServeIt,
  istiodIsNotReady,
  workloadsAreNotTold,
];

/** Its workloads, if it has any yet, began with the bundle of this stage: whether its istiod comes up is no matter of the stage. */
const WAITS_OF_NEWCOMER: readonly Wait<Issued>[] = [itHasNotGotTheBundle, itsCacertsIsEdited];

/** The first thing that a stage waits for at this member; undefined where it waits for nothing. */
function whyWaiting(member: Member, input: GateInput): string | undefined {
  const { clusterId } = member;
  if (!isReachable(member)) return `${clusterId} cannot be reached`;
  const { cacerts } = member.state;
  if (cacerts === undefined) return `${clusterId} has no intermediate`;
  if (cacerts.owner === "foreign" && cacerts.trust === "unknown") {
    return `whether the cacerts of ${clusterId} is of this mesh is not known: ${cacerts.because.message}`;
  }
  if (cacerts.owner === "foreign") {
    return `${clusterId} has a cacerts of its own, which Meshjoin does not rotate: take the mesh label off, or delete it, an outage if istiod starts before Meshjoin has issued another`;
  }
  const issued = { ...member, cacerts };
  for (const wait of joinedInStage(member, input) ? WAITS_OF_NEWCOMER : WAITS) {
    const found = wait(issued, input);
    if (found !== undefined) return found;
  }
  return undefined;
}

function nameSome(names: readonly string[]): string {
  const sorted = names.toSorted((a, b) => (a < b ? -1 : 1));
  return sorted.slice(0, 3).join(", ") + (sorted.length > 3 ? ` and ${sorted.length - 3} more` : "");
}

/**
 * It never had a certificate of the stage before: whatever becomes of it, its workloads begin with the bundle of this one. A cluster
 * whose namespace was deleted and made anew looks as if it had just joined; the remote secrets of the others are older than that.
 */
function joinedInStage(
  { clusterId, state }: Member,
  { members, roots: { notes }, spec }: GateInput,
): boolean {
  const joinedAt = state.reachable && state.cacerts?.owner === "ours" ? state.cacerts.joinedAt : undefined;
  const { stageSince } = notes;
  if (joinedAt === undefined || stageSince === undefined) return false;
  const isOfStage = (at: Date | undefined) =>
    at !== undefined && at.getTime() > stageSince.getTime() + spec.clockSkew * 1000;
  if (!isOfStage(joinedAt)) return false;
  const held = members
    .filter(isReachable)
    .flatMap((member) => member.state.remoteSecrets)
    .filter(({ owner, targetId }) => owner === "ours" && targetId === clusterId);
  return held.every(({ createdAt }) => isOfStage(createdAt));
}

/**
 * Of the newest of the members' first loads of this stage's root versions: a certificate that was issued a moment before lives for
 * the longest life that any istiod grants. What is issued anew for the same versions, and who joins, prolongs nothing.
 */
function endOfOldCertificates(members: readonly Member[], input: GateInput): Date | undefined {
  const counted = members.filter((member) => !joinedInStage(member, input));
  const reachable = counted.filter(isReachable);
  const loads = reachable.map(({ state: { cacerts } }) =>
    cacerts?.owner === "ours" && cacerts.loadedAt !== undefined
      ? (cacerts.versionsLoadedAt ?? cacerts.loadedAt).getTime()
      : undefined,
  );
  if (reachable.length < counted.length || loads.includes(undefined)) return undefined;
  if (loads.length === 0) return input.roots.notes.stageSince;
  const newest = Math.max(0, ...loads.flatMap((load) => load ?? []));
  const end = new Date(newest + longestLife(members, input));
  return Number.isNaN(end.getTime()) ? undefined : end;
}

/** Milliseconds, the skew of clocks included. */
function longestLife(members: readonly Member[], { spec }: GateInput): number {
  const lives = members.filter(isReachable).map(({ state }) => state.controlPlane?.workloadTtl ?? 0);
  return (Math.max(spec.workloadTtl, ...lives) + spec.clockSkew) * 1000;
}

/** A stage takes one life when nothing holds it; one that takes more than two, or is going to, is worth a look. */
function overdue(members: readonly Member[], until: Date | undefined, input: GateInput): Finding | undefined {
  const { stageSince } = input.roots.notes;
  if (stageSince === undefined) return undefined;
  const latest = stageSince.getTime() + 2 * longestLife(members, input);
  const end = Math.max(input.now.getTime(), until?.getTime() ?? 0);
  if (!(end > latest)) return undefined;
  const when =
    until === undefined || until < input.now ? "it is not known when" : `not before ${until.toISOString()}`;
  return finding(
    "StageOverdue",
    `a stage of the root rotation began at ${stageSince.toISOString()} and lasts longer than two lives of a workload's certificate; it ends, ${when}`,
    "see what it waits for, and mend that: meshjoin root status",
  );
}

import { type Finding, finding } from "../answers/finding.ts";
import { VIEW_VARIABLES } from "../cluster/sources.ts";
import type { Member, OwnCacerts, ReachableMember } from "../member/observation.ts";
import { isReachable } from "../member/observation.ts";
import type { MeshSpec } from "../spec.ts";
import { sentenceTime } from "../time.ts";
import { heldClusters } from "./held.ts";
import type { Roots } from "./stages.ts";
import { formatRootVersions } from "./state.ts";
import { missedBy, type ViewSpec, viewOf } from "./view.ts";

/** The roots that istiod publishes to the workloads of one namespace. */
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
  /** Why `members` may be incomplete; empty if it is complete. */
  readonly unlisted: readonly string[];
  /** By cluster ID: ConfigMap `istio-ca-root-cert` of each namespace. Lacks unreachable members. */
  readonly published: ReadonlyMap<string, readonly PublishedRoots[]>;
  readonly now: Date;
}

export interface Gate {
  /** Whether the next stage may begin. */
  readonly open: boolean;
  /** What Meshjoin must see first, a sentence each. Time alone does not bring it about. */
  readonly waitingFor: readonly string[];
  /** How many members have loaded and published what the stage gives them. */
  readonly loaded: number;
  /** When the last certificate of the stage before ends; undefined where Meshjoin cannot tell. */
  readonly until: Date | undefined;
  /** The stage takes longer than it should. */
  readonly overdue?: Finding;
}

/**
 * A stage of a root rotation is over when Meshjoin has seen that every member loaded it and publishes its
 * roots to every workload, and when no certificate from before the stage can be alive. No waiting replaces
 * the first.
 */
export function gateOf(input: GateInput): Gate {
  const inMesh = input.members.filter((member) => !isOutside(member));
  const reasons = inMesh.map((member) => whyWaiting(member, input));
  const waitingFor = [
    ...input.unlisted,
    ...whyUnseen(inMesh, input),
    ...whyHeld(input),
    ...reasons.flatMap((reason) => reason ?? []),
  ];
  const until = endOfOldCertificates(inMesh, input);
  const stageOverdue = overdue(inMesh, until, input);
  return {
    waitingFor,
    loaded: reasons.filter((reason) => reason === undefined).length,
    until,
    ...(stageOverdue === undefined ? {} : { overdue: stageOverdue }),
    open: waitingFor.length === 0 && until !== undefined && input.now > until,
  };
}

const CONFIRM_VIEW =
  "confirm what this configuration looks at: meshjoin root advance --confirm NotConfigured";

/** Places where Meshjoin does not look: members there may trust the old root alone. */
function whyUnseen(inMesh: readonly Member[], { roots: { notes }, spec }: GateInput): string[] {
  if (inMesh.length === 0) {
    return [`this run sees no member: correct ${VIEW_VARIABLES}, or wait until the first has joined`];
  }
  if (notes.view === undefined)
    return [`no tick has recorded yet where Meshjoin looks for members; ${CONFIRM_VIEW}`];
  return missedBy(viewOf(spec), notes.view).map(
    (missed) =>
      `an earlier run of this rotation looked at ${missed}: look there, too, or, if no member is left there, ${CONFIRM_VIEW}`,
  );
}

/** Clusters that are no members and that members still reach: no look tells the roots that they trust. */
function whyHeld({ members, roots: { notes } }: GateInput): string[] {
  return [...heldClusters(members)]
    .filter(([id]) => !notes.without.includes(id))
    .map(
      ([id, holders]) =>
        `${id} is no member that this run sees, and ${nameSome(holders)} still holds credentials of it`,
    );
}

/** Outside the mesh: a cluster without a CA of the mesh, and without an istiod that may have had one. */
function isOutside({ state }: Member): boolean {
  if (!state.reachable) return false;
  const { cacerts, controlPlane } = state;
  if (cacerts === undefined) return controlPlane?.owner !== "ours";
  if (cacerts.owner === "foreign") return cacerts.trust !== "sameRoots" && cacerts.trust !== "unknown";
  return cacerts.owner !== "ours";
}

/** Why the gate waits for a member; undefined where it does not. */
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
  const namespaces = published.get(clusterId);
  if (namespaces === undefined || namespaces.length === 0) {
    return `Meshjoin could not read the roots that workloads of ${clusterId} trust`;
  }
  const bundle = new Set(rootFingerprints);
  const behind = namespaces.filter(({ fingerprints }) => {
    const trusted = new Set(fingerprints);
    return trusted.size !== bundle.size || !bundle.isSubsetOf(trusted);
  });
  if (behind.length === 0) return undefined;
  const names = nameSome(behind.map(({ namespace }) => namespace));
  return `ConfigMap istio-ca-root-cert of ${clusterId} does not hold the bundle of this stage in namespace ${names}`;
};

/** In the order in which a member passes them. */
const WAITS: readonly Wait<Issued>[] = [
  itHasNotGotTheBundle,
  itsCacertsIsEdited,
  istiodDoesNotServeIt,
  istiodIsNotReady,
  workloadsAreNotTold,
];

/** A newcomer's workloads began with the bundle of this stage, so the gate does not wait for its istiod. */
const WAITS_OF_NEWCOMER: readonly Wait<Issued>[] = [itHasNotGotTheBundle, itsCacertsIsEdited];

/** The first thing that the gate waits for at this member. */
function whyWaiting(member: Member, input: GateInput): string | undefined {
  const { clusterId } = member;
  if (!isReachable(member)) return `${clusterId} cannot be reached`;
  const { cacerts } = member.state;
  if (cacerts === undefined) return `${clusterId} has no intermediate`;
  if (cacerts.owner === "foreign" && cacerts.trust === "unknown") {
    return `Meshjoin cannot tell whether the cacerts of ${clusterId} is of this mesh: ${cacerts.because.message}`;
  }
  if (cacerts.owner === "foreign") {
    return `${clusterId} has a cacerts of its own, which Meshjoin does not rotate: take the mesh label off, or delete it, an outage if istiod starts before Meshjoin has issued another`;
  }
  const issued = { ...member, cacerts };
  for (const wait of joinedInStage(member, input) ? WAITS_OF_NEWCOMER : WAITS) {
    const reason = wait(issued, input);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function nameSome(names: readonly string[]): string {
  const sorted = names.toSorted((a, b) => (a < b ? -1 : 1));
  return sorted.slice(0, 3).join(", ") + (sorted.length > 3 ? ` and ${sorted.length - 3} more` : "");
}

/**
 * Whether the member joined within this stage, and so never had a certificate of an earlier one. A cluster
 * whose namespace was deleted and made anew looks like that, too; but then its peers' Secrets for it are
 * older: at least the reader Secrets, for a remote secret goes and comes with a gateway.
 */
function joinedInStage(
  { clusterId, state }: Member,
  { members, roots: { notes }, spec }: GateInput,
): boolean {
  const joinedAt = state.reachable && state.cacerts?.owner === "ours" ? state.cacerts.joinedAt : undefined;
  const { stageSince } = notes;
  if (joinedAt === undefined || stageSince === undefined) return false;
  const isInStage = (at: Date | undefined) =>
    at !== undefined && at.getTime() > stageSince.getTime() + spec.clockSkew * 1000;
  if (!isInStage(joinedAt)) return false;
  const peersSecrets = members
    .filter(isReachable)
    .flatMap(({ state: { remoteSecrets, readerSecrets } }) => [
      ...remoteSecrets.filter(({ targetId }) => targetId === clusterId),
      ...readerSecrets.filter(({ readerId }) => readerId === clusterId),
    ]);
  return peersSecrets.every(({ owner, createdAt }) => owner !== "ours" || isInStage(createdAt));
}

/**
 * The latest first load of this stage's root versions, over all members, plus the longest life that any
 * istiod grants: a certificate may have been issued a moment before that load. Re-issues for the same
 * versions, and joins, prolong nothing.
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

/** A stage takes one life when nothing holds it. A person should look at one that takes more than two. */
function overdue(members: readonly Member[], until: Date | undefined, input: GateInput): Finding | undefined {
  const { stageSince } = input.roots.notes;
  if (stageSince === undefined) return undefined;
  const latest = stageSince.getTime() + 2 * longestLife(members, input);
  const end = Math.max(input.now.getTime(), until?.getTime() ?? 0);
  if (!(end > latest)) return undefined;
  const when =
    until === undefined || until < input.now ? "it is not known when" : `not before ${sentenceTime(until)}`;
  return finding(
    "StageOverdue",
    `a stage of the root rotation began at ${sentenceTime(stageSince)} and lasts longer than two lives of a workload's certificate; it ends, ${when}`,
    "see what it waits for, and mend that: meshjoin root status",
  );
}

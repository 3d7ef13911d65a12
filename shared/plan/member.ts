import { needsNetAdmin } from "../core/autopilot.ts";
import { type Finding, finding } from "../core/finding.ts";
import {
  certificateExpiring,
  isIntermediateDue,
  rootExpiring,
  wouldGainLife,
} from "../core/intermediate-life.ts";
import { CACERTS, ISTIO_NAMESPACE, ISTIOD } from "../core/names.ts";
import type {
  ControlPlaneState,
  Member,
  OwnCacerts,
  Reachable,
  ReachableMember,
} from "../core/observation.ts";
import { isReachable } from "../core/observation.ts";
import { unsafeRoots } from "../core/roots/guard.ts";
import { formatRootVersions } from "../core/roots/state.ts";
import {
  type ApplyControlPlane,
  type IssueHistory,
  type IssueIntermediate,
  type LabelNamespace,
  type MemberAction,
  secretName,
} from "./action.ts";
import { BLOCKERS, type DesiredControlPlane, type MemberContext } from "./checks.ts";

/**
 * How a member stands after its own half: `complete`, `pending` (actions or readiness are missing), or
 * `blocked` (somebody must act; nothing is written to it).
 */
export type Standing = "complete" | "pending" | "blocked";

export interface MemberPlan {
  readonly clusterId: string;
  readonly standing: Standing;
  readonly actions: readonly MemberAction[];
  /** Another intermediate for an istiod that serves with the one it has; a share of the members has its turn at a time. */
  readonly renewal?: IssueIntermediate;
  /** A changed manifest for an istiod that is whole: it has time, and goes to one member after the other. */
  readonly rollOut?: ApplyControlPlane;
  readonly findings: readonly Finding[];
}

/** Round one of design rule 2, for one member: its own half, in the order of design rule 3. */
export function planMember(member: Member, context: MemberContext): MemberPlan {
  const blockers = BLOCKERS.flatMap((check) => check(member, context) ?? []);
  if (blockers.length > 0 || !isReachable(member)) {
    return { clusterId: member.clusterId, standing: "blocked", actions: [], findings: blockers };
  }
  const accepted = acceptances(member);
  const isGuest = member.state.controlPlane?.owner === "foreign";
  const due = (isGuest ? [noteAcceptance] : ACTIONS).flatMap((step) => step(member, context) ?? []);
  const rollOut = due.find((action) => action.kind === "applyControlPlane" && isWhole(member.state));
  const actions = due.filter((action) => action !== rollOut);
  const renewal = isGuest || !isWhole(member.state) ? undefined : renewIntermediate(member, context);
  const isIssued = actions.some(({ kind }) => kind === "issueIntermediate");
  const findings = [
    ...accepted,
    ...[needsNetAdmin(member.cluster) ?? []].flat(),
    ...cacertsNotes(member, context),
    ...notes(member, context),
    ...doubledRemoteSecrets(member),
    ...(renewal?.findings ?? []),
    ...(rollOut?.findings ?? []),
  ];
  const standing = actions.length === 0 ? readiness(member.state, "rolledOut") : "pending";
  return {
    clusterId: member.clusterId,
    standing,
    actions,
    ...(renewal === undefined || isIssued ? {} : { renewal }),
    ...(rollOut?.kind === "applyControlPlane" ? { rollOut } : {}),
    findings,
  };
}

/** Everything of it was applied once: the hash is written last. */
function isWhole({ controlPlane }: Reachable): boolean {
  return controlPlane?.manifestHash !== undefined;
}

/**
 * What a peer's own half allows: enough that a remote secret makes sense. It may be due for a new certificate or
 * manifest, or in the middle of a roll-out, all the same; that is its own reconcile's business, and no reason to keep pairs
 * waiting.
 */
export function peerStanding(member: Member, context: MemberContext): Standing {
  const blocked = BLOCKERS.some((check) => check(member, context) !== undefined);
  return blocked || !isReachable(member) ? "blocked" : readiness(member.state, "serves");
}

function readiness({ cacerts, controlPlane, pods }: Reachable, asked: "serves" | "rolledOut"): Standing {
  const applied = controlPlane?.owner === "foreign" || controlPlane?.manifestHash !== undefined;
  return cacerts !== undefined && applied && controlPlane[asked] && pods.length > 0 ? "complete" : "pending";
}

function acceptances(member: ReachableMember): Finding[] {
  const { state, clusterId } = member;
  const accepted: Finding[] = [];
  if (state.cacerts?.owner === "foreign") {
    accepted.push(acceptedCacerts(clusterId));
  }
  if (state.controlPlane?.owner === "foreign") {
    accepted.push(
      finding(
        "ForeignControlPlaneAccepted",
        `Deployment ${state.controlPlane.name} is not Meshjoin's but belongs to the mesh; only its remote secrets are kept`,
        "nothing; uninstall it to have Meshjoin install and upgrade one, an outage for every pod that starts meanwhile",
        clusterId,
      ),
    );
  }
  return accepted;
}

function acceptedCacerts(clusterId: string): Finding {
  return finding(
    "ForeignCacertsAccepted",
    `Secret ${CACERTS} is not Meshjoin's but chains to the mesh's roots; it is used as it is and never rotated`,
    `nothing; delete ${CACERTS} to have Meshjoin issue and rotate one, an outage if istiod starts before it is there`,
    clusterId,
  );
}

/** istiod reads each by itself: it lists the target twice, and each of its endpoints gets twice its share of requests. */
function doubledRemoteSecrets({ clusterId, state }: ReachableMember): Finding[] {
  const read = state.remoteSecrets.filter(({ isRead, targetId }) => isRead && targetId !== "");
  return [...Map.groupBy(read, ({ targetId }) => targetId)].flatMap(([targetId, secrets]) => {
    if (secrets.length < 2) return [];
    const names = secrets.map(({ name }) => name).toSorted();
    const others = secrets.filter(({ owner }) => owner !== "ours").map(({ name }) => name);
    return finding(
      "RemoteSecretDoubled",
      `istiod of ${clusterId} reads ${names.join(" and ")}, both for ${targetId}, and counts its endpoints twice`,
      `delete the one that is not needed: kubectl -n ${ISTIO_NAMESPACE} delete secret ${others[0] ?? "NAME"}`,
      clusterId,
    );
  });
}

function notes(member: ReachableMember, { desired }: MemberContext): Finding[] {
  const controlPlane = member.state.controlPlane;
  if (controlPlane === undefined) return [];
  const found: Finding[] = [];
  if (!controlPlane.rolledOut) {
    found.push(notReady(controlPlane, member.clusterId));
  }
  if (controlPlane.owner === "ours" && controlPlane.istioVersion !== desired.istioVersion) {
    found.push(
      finding(
        "IstioVersionDiffers",
        `istiod is ${controlPlane.istioVersion}, and Meshjoin installs ${desired.istioVersion}`,
        "when it suits, confirm it, and the members are upgraded one by one: meshjoin upgrade, or POST /sync with confirm IstioVersionDiffers",
        member.clusterId,
      ),
    );
  }
  return found;
}

function notReady({ unpulledImage, notReadyBecause }: ControlPlaneState, clusterId: string): Finding {
  if (unpulledImage !== undefined) {
    const { image, node, pod, said } = unpulledImage;
    return finding(
      "ImageNotPulled",
      `istiod is not ready: node ${node} cannot get the image ${image} for pod ${pod}: ${said}`,
      "let the nodes reach that registry: over Cloud NAT, or set MESHJOIN_ISTIO_HUB to a mirror that holds the image, " +
        "and let the nodes' service account read it (Terraform: image_mirror)",
      clusterId,
    );
  }
  return finding(
    "ControlPlaneNotReady",
    `istiod is not ready: ${notReadyBecause ?? "no pod has reported a condition yet"}`,
    `kubectl -n ${ISTIO_NAMESPACE} describe pods -l app=istiod`,
    clusterId,
  );
}

type ActionStep = (member: ReachableMember, context: MemberContext) => MemberAction | undefined;

const labelNamespace: ActionStep = (member, context) => {
  const { state, clusterId, network } = member;
  const current = state.namespace?.owner === "ours" && state.namespace.network === network;
  if (current) return noteAcceptance(member, context);
  const cause = finding(
    "NamespaceNotLabelled",
    `namespace ${ISTIO_NAMESPACE} does not carry network ${network} and the mesh's labels`,
    "Meshjoin labels it",
    clusterId,
  );
  const verb = state.namespace === undefined ? "create" : "update";
  const acceptance = acceptanceOf(member);
  return labels(verb, member, { network, acceptance }, cause);
};

/** A namespace that is somebody else's gets the note alone; one that is ours keeps its labels with it. */
const noteAcceptance: ActionStep = (member) => {
  const { namespace } = member.state;
  const acceptance = acceptanceOf(member);
  if (acceptance === undefined || namespace === undefined || namespace.acceptedCacerts === acceptance) {
    return undefined;
  }
  const network = namespace.owner === "ours" ? namespace.network : undefined;
  return labels("update", member, { network, acceptance }, acceptedCacerts(member.clusterId));
};

function labels(
  verb: "create" | "update",
  { clusterId }: ReachableMember,
  how: Pick<LabelNamespace, "network" | "acceptance">,
  cause: Finding,
): LabelNamespace {
  const writes = [{ verb, clusterId, object: { kind: "Namespace", name: ISTIO_NAMESPACE } }];
  return { kind: "labelNamespace", verb, clusterId, ...how, writes, findings: [cause] };
}

function acceptanceOf({ state: { cacerts } }: ReachableMember): string | undefined {
  return cacerts?.owner === "foreign" && cacerts.trust === "sameRoots" ? cacerts.acceptance : undefined;
}

/** What cannot wait: there is none, or it is not what was written, or no istiod has loaded it yet. */
const issueIntermediate: ActionStep = (member, context) => {
  const { state, clusterId } = member;
  const { cacerts } = state;
  if (cacerts === undefined) {
    const cause = finding(
      "CacertsMissing",
      "the cluster has no intermediate CA",
      "Meshjoin issues one",
      clusterId,
    );
    return {
      kind: "issueIntermediate",
      verb: "create",
      clusterId,
      isUrgent: false,
      history: {
        isFirst: state.controlPlane === undefined,
        joinedAt: undefined,
        versionsLoaded: undefined,
      },
      resourceVersion: undefined,
      writes: [{ verb: "create", clusterId, object: secretName(CACERTS) }],
      findings: [cause],
    };
  }
  if (cacerts.owner === "foreign") return undefined;
  if (cacerts.editedBy === undefined || unsafeRoots(cacerts, context.roots, clusterId) !== undefined) {
    return isWhole(state) ? undefined : renewIntermediate(member, context);
  }
  const edited = `${CACERTS} was changed by ${cacerts.editedBy} since Meshjoin wrote it`;
  return replacement(
    cacerts,
    finding("CacertsOutdated", edited, "Meshjoin issues another", clusterId),
    context,
  );
};

/** What takes its turn: an intermediate that serves, and is due for another. */
function renewIntermediate(
  { state: { cacerts }, clusterId }: ReachableMember,
  context: MemberContext,
): IssueIntermediate | undefined {
  if (cacerts === undefined || cacerts.owner === "foreign") return undefined;
  if (unsafeRoots(cacerts, context.roots, clusterId) !== undefined) return undefined;
  const cause = whyRenew(cacerts, clusterId, context);
  return cause && replacement(cacerts, cause, context);
}

function replacement(cacerts: OwnCacerts, cause: Finding, { now }: MemberContext): IssueIntermediate {
  const { clusterId = "" } = cause;
  return {
    kind: "issueIntermediate",
    verb: "update",
    clusterId,
    isUrgent: certificateExpiring(cacerts, clusterId, now) !== undefined,
    history: historyOf(cacerts),
    resourceVersion: cacerts.resourceVersion,
    writes: [{ verb: "update", clusterId, object: secretName(CACERTS) }],
    findings: [cause],
  };
}

/** What somebody has edited may have been served with another CA meanwhile. */
function historyOf({
  editedBy,
  joinedAt,
  loadedAt,
  rootVersions,
  versionsLoadedAt,
}: OwnCacerts): IssueHistory {
  const at = versionsLoadedAt ?? loadedAt;
  return editedBy === undefined
    ? { isFirst: false, joinedAt, versionsLoaded: at && { rootVersions, at } }
    : { isFirst: false, joinedAt: undefined, versionsLoaded: undefined };
}

function whyRenew(cacerts: OwnCacerts, clusterId: string, context: MemberContext): Finding | undefined {
  const { spec, now } = context;
  const due = (message: string) =>
    finding("CertificateDue", message, "Meshjoin issues a new one when its turn comes", clusterId);
  const wanted = formatRootVersions(context.roots.versions);
  if (cacerts.rootVersions !== wanted) {
    const why = `${CACERTS} stands for root versions ${cacerts.rootVersions}, and the mesh is at ${wanted}`;
    return finding("CacertsOutdated", why, "Meshjoin issues a new intermediate", clusterId);
  }
  const ordered = latest(context.rotateBefore, context.roots.notes.rotateBefore);
  if (ordered !== undefined && (cacerts.issuedAt === undefined || cacerts.issuedAt < ordered)) {
    return due(`the intermediate is to be replaced, as was ordered at ${ordered.toISOString()}`);
  }
  return isIntermediateDue(cacerts, clusterId, now) && wouldGainLife(cacerts, spec, now)
    ? due("two thirds of the life of the intermediate are over")
    : undefined;
}

function latest(a: Date | undefined, b: Date | undefined): Date | undefined {
  return a !== undefined && (b === undefined || a > b) ? a : b;
}

/** What is to be said of an intermediate beside what is done about it. */
function cacertsNotes(
  { state: { cacerts }, clusterId }: ReachableMember,
  { roots, spec, now }: MemberContext,
): Finding[] {
  if (cacerts?.owner !== "ours") return [];
  const { rootNotAfter } = cacerts;
  const stands = formatRootVersions(roots.versions) === cacerts.rootVersions;
  const isHopeless =
    stands && isIntermediateDue(cacerts, clusterId, now) && !wouldGainLife(cacerts, spec, now);
  return [
    unsafeRoots(cacerts, roots, clusterId),
    certificateExpiring(cacerts, clusterId, now),
    isHopeless && rootNotAfter !== undefined ? rootExpiring(rootNotAfter, clusterId) : undefined,
  ].flatMap((each) => each ?? []);
}

const applyControlPlane: ActionStep = ({ state, clusterId }, { desired, confirm }) => {
  const { controlPlane } = state;
  const { manifestHash } = desired;
  if (controlPlane === undefined) {
    const cause = finding(
      "ControlPlaneMissing",
      "istiod is not installed",
      "Meshjoin installs it",
      clusterId,
    );
    return applies("create", state, desired, cause);
  }
  if (controlPlane.manifestHash === manifestHash) return undefined;
  const differs = controlPlane.istioVersion !== desired.istioVersion;
  if (differs && !confirm.includes("IstioVersionDiffers")) return undefined;
  const cause = finding(
    "ControlPlaneOutdated",
    `${ISTIOD} was installed from another manifest or configuration`,
    "Meshjoin applies the present one",
    clusterId,
  );
  return applies("update", state, desired, cause);
};

function applies(
  verb: "create" | "update",
  { definitions }: Reachable,
  { manifestHash, objects }: DesiredControlPlane,
  cause: Finding,
): ApplyControlPlane {
  const { clusterId = "" } = cause;
  const writes = objects(definitions).map((object) => ({ verb, clusterId, object }));
  return { kind: "applyControlPlane", verb, clusterId, manifestHash, writes, findings: [cause] };
}

const ACTIONS: readonly ActionStep[] = [labelNamespace, issueIntermediate, applyControlPlane];

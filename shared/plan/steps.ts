import { type Finding, finding } from "../core/answers/finding.ts";
import { certificateExpiring } from "../core/member/intermediate-life.ts";
import type { OwnCacerts, Reachable, ReachableMember } from "../core/member/observation.ts";
import { CACERTS, ISTIO_NAMESPACE, ISTIOD } from "../core/names.ts";
import { unsafeRoots } from "../core/roots/guard.ts";
import {
  type ApplyControlPlane,
  type IssueHistory,
  type IssueIntermediate,
  type LabelNamespace,
  type MemberAction,
  secretName,
} from "./action.ts";
import type { DesiredControlPlane, MemberContext } from "./context.ts";
import { acceptedCacerts } from "./member-notes.ts";
import { type ChangeNotes, changeNotes } from "./network-changes.ts";
import { isGuest, isInstalled } from "./standing.ts";
import { trafficDefaultsWrites } from "./traffic-defaults.ts";
import { whyRenew } from "./why-intermediate.ts";

/** An action that is due for a member, now or in its turn. */
type ActionStep = (member: ReachableMember, context: MemberContext) => MemberAction | undefined;

const labelNamespace: ActionStep = (member, context) => {
  const { state, clusterId, network } = member;
  const { namespace } = state;
  const notes = changeNotes(member, context);
  const why = whyLabel(member, notes);
  if (why === undefined) return noteAcceptance(member, context);
  const cause = finding("NamespaceNotLabelled", why, "nothing: Meshjoin labels it", clusterId);
  const verb = namespace === undefined ? "create" : "update";
  const acceptance = acceptanceOf(member);
  return labels(verb, member, { network, acceptance, ...notes }, cause);
};

function whyLabel(
  { network, state: { namespace } }: ReachableMember,
  { formerNetwork, nextNetwork }: ChangeNotes,
): string | undefined {
  const name = `namespace ${ISTIO_NAMESPACE}`;
  if (namespace?.owner !== "ours" || namespace.network !== network)
    return `${name} does not carry network ${network} and the mesh's labels`;
  if (namespace.leftAt !== undefined) return `${name} still notes that the cluster has left`;
  if (namespace.nextNetwork !== nextNetwork) {
    return nextNetwork === undefined
      ? `${name} notes a change to network ${namespace.nextNetwork ?? ""}, which the cluster's label does not name any more`
      : `a person has confirmed the change from network ${network} to ${nextNetwork}`;
  }
  if (formerNetwork === undefined)
    return namespace.formerNetwork === undefined
      ? undefined
      : `no pod is in network ${namespace.formerNetwork} any more`;
  const isNoted = namespace.formerNetwork === formerNetwork && namespace.changedTo === network;
  return isNoted ? undefined : `${name} has lost the note of the change from network ${formerNetwork}`;
}

/** A foreign namespace gets the note alone. Meshjoin's own keeps its labels. */
const noteAcceptance: ActionStep = (member) => {
  const { namespace } = member.state;
  const acceptance = acceptanceOf(member);
  if (acceptance === undefined || namespace === undefined || namespace.acceptedCacerts === acceptance) {
    return undefined;
  }
  const { owner, formerNetwork, nextNetwork } = namespace;
  const kept = owner === "ours" ? { network: namespace.network, formerNetwork, nextNetwork } : NO_LABEL;
  return labels("update", member, { ...kept, acceptance }, acceptedCacerts(member.clusterId));
};

const NO_LABEL = { network: undefined };

function labels(
  verb: "create" | "update",
  { clusterId }: ReachableMember,
  content: Pick<LabelNamespace, "network" | "acceptance"> & ChangeNotes,
  cause: Finding,
): LabelNamespace {
  const writes = [{ verb, clusterId, object: { kind: "Namespace", name: ISTIO_NAMESPACE } }];
  return { kind: "labelNamespace", verb, clusterId, ...content, writes, findings: [cause] };
}

function acceptanceOf({ state: { cacerts } }: ReachableMember): string | undefined {
  return cacerts?.owner === "foreign" && cacerts.trust === "sameRoots" ? cacerts.acceptance : undefined;
}

/** An intermediate that cannot wait: there is none, or it was edited, or no istiod has loaded it yet. */
const issueIntermediate: ActionStep = (member, context) => {
  const { state, clusterId } = member;
  const { cacerts } = state;
  if (cacerts === undefined) {
    const cause = finding(
      "CacertsMissing",
      "the cluster has no intermediate CA",
      "nothing: Meshjoin issues one",
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
  if (cacerts.editedBy === undefined || unsafeRoots(cacerts, context, member) !== undefined) {
    return isInstalled(state) ? undefined : renewIntermediate(member, context);
  }
  const edited = `${CACERTS} was changed by ${cacerts.editedBy} since Meshjoin wrote it`;
  return replacement(
    cacerts,
    finding("CacertsOutdated", edited, "nothing: Meshjoin issues another", clusterId),
    context,
  );
};

/** Another intermediate for a member that is due for one. Where istiod serves, it waits for its turn. */
export function renewIntermediate(
  member: ReachableMember,
  context: MemberContext,
): IssueIntermediate | undefined {
  const { cacerts } = member.state;
  if (cacerts === undefined || cacerts.owner === "foreign") return undefined;
  if (unsafeRoots(cacerts, context, member) !== undefined) return undefined;
  const cause = whyRenew(cacerts, member.clusterId, context);
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

/** Empty for an edited `cacerts`: istiod may have served another CA meanwhile. */
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

const applyControlPlane: ActionStep = ({ state, clusterId }, { desired, confirm, failoverSettings }) => {
  const { controlPlane } = state;
  const { manifestHash } = desired;
  if (controlPlane === undefined) {
    const cause = finding(
      "ControlPlaneMissing",
      "istiod is not installed",
      "nothing: Meshjoin installs it",
      clusterId,
    );
    const action = applies("create", state, desired, cause);
    if (hasServed(state)) return action;
    const rule = failoverSettings === undefined ? [] : trafficDefaultsWrites("create", clusterId);
    return { ...action, isFirst: true, writes: [...action.writes, ...rule] };
  }
  if (controlPlane.manifestHash === manifestHash) return undefined;
  const isUpgrade = controlPlane.istioVersion !== desired.istioVersion;
  if (isUpgrade && !confirm.includes("IstioVersionDiffers")) return undefined;
  const cause = finding(
    "ControlPlaneOutdated",
    `${ISTIOD} was installed from another manifest or configuration`,
    "nothing: Meshjoin applies the present one",
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
  const isFirst = false;
  return { kind: "applyControlPlane", verb, clusterId, isFirst, manifestHash, writes, findings: [cause] };
}

/**
 * Whether an istiod of Meshjoin's has run before, though none is there now: then workloads may rely on it.
 */
function hasServed({ cacerts }: Reachable): boolean {
  return cacerts?.owner === "ours" && (cacerts.loadedAt ?? cacerts.versionsLoadedAt) !== undefined;
}

/** In the sequence of design rule 3. */
const OWN_STEPS: readonly ActionStep[] = [labelNamespace, issueIntermediate, applyControlPlane];
/** For a member whose control plane is foreign. */
const GUEST_STEPS: readonly ActionStep[] = [noteAcceptance];

/** The actions that are due, with those that wait for a turn. */
export function stepsOf(member: ReachableMember, context: MemberContext): MemberAction[] {
  const steps = isGuest(member.state) ? GUEST_STEPS : OWN_STEPS;
  return steps.flatMap((step) => step(member, context) ?? []);
}

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
import { whyRenew } from "./why-intermediate.ts";

/** An action that is due for a member, now or in its turn. */
type ActionStep = (member: ReachableMember, context: MemberContext) => MemberAction | undefined;

const labelNamespace: ActionStep = (member, context) => {
  const { state, clusterId, network } = member;
  const { namespace } = state;
  const hasLeft = namespace?.leftAt !== undefined;
  const current = namespace?.owner === "ours" && namespace.network === network && !hasLeft;
  if (current) return noteAcceptance(member, context);
  const cause = finding(
    "NamespaceNotLabelled",
    hasLeft
      ? `namespace ${ISTIO_NAMESPACE} still notes that the cluster has left`
      : `namespace ${ISTIO_NAMESPACE} does not carry network ${network} and the mesh's labels`,
    "nothing: Meshjoin labels it",
    clusterId,
  );
  const verb = namespace === undefined ? "create" : "update";
  const acceptance = acceptanceOf(member);
  return labels(verb, member, { network, acceptance }, cause);
};

/** A foreign namespace gets the note alone. Meshjoin's own keeps its labels. */
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
  content: Pick<LabelNamespace, "network" | "acceptance">,
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
  if (cacerts.editedBy === undefined || unsafeRoots(cacerts, context.roots, member) !== undefined) {
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
  if (unsafeRoots(cacerts, context.roots, member) !== undefined) return undefined;
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

const applyControlPlane: ActionStep = ({ state, clusterId }, { desired, confirm }) => {
  const { controlPlane } = state;
  const { manifestHash } = desired;
  if (controlPlane === undefined) {
    const cause = finding(
      "ControlPlaneMissing",
      "istiod is not installed",
      "nothing: Meshjoin installs it",
      clusterId,
    );
    return applies("create", state, desired, cause);
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
  return { kind: "applyControlPlane", verb, clusterId, manifestHash, writes, findings: [cause] };
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

export function isGuest({ controlPlane }: Reachable): boolean {
  return controlPlane?.owner === "foreign";
}

/** Whether all of the manifest was applied once: Meshjoin writes the hash last. */
export function isInstalled({ controlPlane }: Reachable): boolean {
  return controlPlane?.manifestHash !== undefined;
}

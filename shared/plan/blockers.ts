import { faultFinding } from "../core/answers/error-finding.ts";
import { type Finding, finding } from "../core/answers/finding.ts";
import { kubectlOn } from "../core/cluster/gcloud.ts";
import type { ControlPlaneState, Member } from "../core/member/observation.ts";
import { outOfReach } from "../core/member/reach.ts";
import { CACERTS, clusterResource, ISTIO_NAMESPACE, TRUST_DOMAIN } from "../core/names.ts";
import type { MeshSpec } from "../core/spec.ts";
import type { MemberContext } from "./context.ts";
import { networkLabelInvalid } from "./member-notes.ts";

/** Why nothing may be written to a member. */
type Blocker = (member: Member, context: MemberContext) => Finding | undefined;

const clusterIdCollision: Blocker = ({ clusterId, cluster }, { listing }) =>
  listing.collisions.has(clusterId)
    ? finding(
        "ClusterIdCollision",
        "two members would have the same cluster ID, so neither joins",
        `recreate one of them under another name, or take its mesh label off: meshjoin leave ${clusterResource(cluster.ref)}`,
        clusterId,
      )
    : undefined;

const managedMesh: Blocker = ({ state, clusterId }) =>
  state.reachable && state.managedMesh
    ? finding(
        "ManagedMesh",
        "Cloud Service Mesh manages the control plane of the cluster",
        `disable Cloud Service Mesh on the cluster, or take its mesh label off: meshjoin leave ${clusterId}`,
        clusterId,
      )
    : undefined;

const namespaceTerminating: Blocker = ({ state, clusterId, cluster }) =>
  state.reachable && state.namespace?.terminating
    ? finding(
        "NamespaceTerminating",
        `namespace ${ISTIO_NAMESPACE} is being deleted`,
        `wait until it is gone: ${kubectlOn(cluster.ref)} get namespace ${ISTIO_NAMESPACE}`,
        clusterId,
      )
    : undefined;

const otherMesh: Blocker = ({ state, clusterId }, { spec }) => {
  if (!state.reachable) return undefined;
  const owners = [state.namespace?.owner, state.cacerts?.owner, state.controlPlane?.owner];
  return owners.includes("otherMesh")
    ? finding(
        "OtherMesh",
        "the cluster still holds the control plane of another mesh of Meshjoin",
        `set the label back to that mesh; or delete namespace ${ISTIO_NAMESPACE} to let it join mesh ${spec.meshId}, an outage of its workloads until each has started anew`,
        clusterId,
      )
    : undefined;
};

const networkConflict: Blocker = ({ state, clusterId, cluster, network }) => {
  const namespace = state.reachable ? state.namespace : undefined;
  const label = namespace?.owner === "ours" ? undefined : namespace?.network;
  return label === undefined || label === network
    ? undefined
    : finding(
        "NetworkConflict",
        `namespace ${ISTIO_NAMESPACE} is labelled with network ${label}, but the cluster is in ${network}`,
        `remove the label: ${kubectlOn(cluster.ref)} label namespace ${ISTIO_NAMESPACE} topology.istio.io/network-`,
        clusterId,
      );
};

/** Where istiod runs already, the member stays in its network, and the label is a note. */
const networkLabel: Blocker = (member) =>
  member.state.reachable && member.state.controlPlane !== undefined ? undefined : networkLabelInvalid(member);

const selfSignedMesh: Blocker = ({ state, clusterId }) => {
  if (!state.reachable) return undefined;
  const generated = state.cacerts?.owner === "foreign" && state.cacerts.trust === "generated";
  const running = state.controlPlane !== undefined && state.cacerts === undefined && state.selfSignedCa;
  return generated || running
    ? finding(
        "SelfSignedMesh",
        "an istiod with a self-signed CA runs in the cluster; a new CA would cut its workloads off",
        `take the mesh label off: meshjoin leave ${clusterId}; or uninstall that istiod and its workloads' sidecars first, an outage of all that relies on them`,
        clusterId,
      )
    : undefined;
};

const CACERTS_OUTAGE =
  "an outage: workloads do not trust each other until istiod and all of them have started anew";
const FOREIGN_CACERTS_CURES = {
  otherRoots: "import its root with a root rotation; or delete it",
  unloadable: "mend it; or delete it to have Meshjoin issue one",
} as const;

const foreignCacerts: Blocker = ({ state, clusterId, cluster }) => {
  const cacerts = state.reachable ? state.cacerts : undefined;
  return cacerts?.owner === "foreign" && "faults" in cacerts
    ? finding(
        "ForeignCacerts",
        `Secret ${CACERTS} is not Meshjoin's, and the mesh cannot use it: ${cacerts.faults.join("; ")}`,
        `${FOREIGN_CACERTS_CURES[cacerts.trust]} (${kubectlOn(cluster.ref)} -n ${ISTIO_NAMESPACE} delete secret ${CACERTS}), ${CACERTS_OUTAGE}`,
        clusterId,
      )
    : undefined;
};

/** The root store or the signer is at fault, and not the member. */
const cacertsNotJudged: Blocker = ({ state, clusterId }) => {
  const cacerts = state.reachable ? state.cacerts : undefined;
  if (cacerts?.owner !== "foreign" || cacerts.trust !== "unknown") return undefined;
  const { because } = cacerts;
  const message = `Meshjoin cannot tell whether the mesh accepts Secret ${CACERTS}, which is not Meshjoin's: ${because.message}`;
  return faultFinding({ ...because, message }, clusterId);
};

/** Undefined for a self-signed istiod: a person must uninstall that one anyway. */
const foreignControlPlane: Blocker = (member, context) => {
  if (selfSignedMesh(member, context) !== undefined) return undefined;
  const { spec } = context;
  const controlPlane = member.state.reachable ? member.state.controlPlane : undefined;
  if (controlPlane?.owner !== "foreign") return undefined;
  const differences = identityDifferences(controlPlane, member, spec);
  return differences.length === 0
    ? undefined
    : finding(
        "ForeignControlPlane",
        `Deployment ${controlPlane.name} is not Meshjoin's and differs in ${differences.join(", ")}`,
        `take the mesh label off: meshjoin leave ${member.clusterId}; or uninstall it, or install it with meshID ${spec.meshId}, clusterName ${member.clusterId}, network ${member.network}: either is an outage of the workloads that run, for istiod serves no sidecar that knows another clusterName until it starts anew`,
        member.clusterId,
      );
};

/** With any of these Meshjoin writes nothing to the member. */
const BLOCKERS: readonly Blocker[] = [
  outOfReach,
  clusterIdCollision,
  managedMesh,
  namespaceTerminating,
  otherMesh,
  networkLabel,
  networkConflict,
  selfSignedMesh,
  foreignCacerts,
  cacertsNotJudged,
  foreignControlPlane,
];

/** Why Meshjoin must not write to a member; undefined if it may. */
export function whyBlocked(member: Member, context: MemberContext): Block | undefined {
  const blocks = BLOCKERS.flatMap((blocker) => {
    const because = blocker(member, context);
    return because === undefined ? [] : [{ because, passes: passes(blocker, member) }];
  });
  if (blocks.length === 0) return undefined;
  const waitsFor = blocks.every((each) => each.passes) ? "time" : "person";
  return { findings: blocks.map(({ because }) => because), waitsFor };
}

/** Whether time alone ends the block: an API server or a signer comes back, a deletion ends. */
function passes(blocker: Blocker, { state }: Member): boolean {
  if (!state.reachable) return blocker === outOfReach && state.retryable;
  if (blocker === cacertsNotJudged) {
    const { cacerts } = state;
    return cacerts?.owner === "foreign" && cacerts.trust === "unknown" && cacerts.because.retryable;
  }
  return blocker === namespaceTerminating;
}

export interface Block {
  readonly findings: readonly Finding[];
  readonly waitsFor: "time" | "person";
}

function identityDifferences(controlPlane: ControlPlaneState, member: Member, spec: MeshSpec): string[] {
  const { identity } = controlPlane;
  const identities: readonly (readonly [string, string | undefined, string])[] = [
    ["mesh ID", identity?.meshId, spec.meshId],
    ["cluster ID", identity?.clusterId, member.clusterId],
    ["network", identity?.network, member.network],
    ["trust domain", identity?.trustDomain, TRUST_DOMAIN],
  ];
  const differences = identities.flatMap(([name, actual, expected]) => (actual === expected ? [] : [name]));
  const sharesRoots = member.state.reachable && member.state.cacerts !== undefined;
  return sharesRoots ? differences : [...differences, "root (it has no cacerts)"];
}

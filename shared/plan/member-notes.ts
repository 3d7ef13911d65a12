import { type Finding, finding } from "../core/answers/finding.ts";
import { needsNetAdmin } from "../core/cluster/autopilot.ts";
import { kubectlOn, typedName } from "../core/cluster/gcloud.ts";
import {
  certificateExpiring,
  isIntermediateDue,
  rootExpiring,
  wouldGainLife,
} from "../core/member/intermediate-life.ts";
import { certificatesEnd } from "../core/member/istiod-away.ts";
import type { ControlPlaneState, NamedCluster, ReachableMember } from "../core/member/observation.ts";
import { CACERTS, ISTIO_NAMESPACE } from "../core/names.ts";
import { isGatewayLabel, MESH_GATEWAY_LABEL } from "../core/network/gateway.ts";
import { isNetworkLabel, MESH_NETWORK_LABEL, NETWORK_LABEL_FORM } from "../core/network/network.ts";
import { unsafeRoots } from "../core/roots/guard.ts";
import { formatRootVersions } from "../core/roots/state.ts";
import type { MemberContext } from "./context.ts";
import { stateLabelInvalid } from "./drains.ts";
import { networkChange, podsInFormerNetwork } from "./network-changes.ts";

/** A fact about a member beside the actions for it. */
type Note = (member: ReachableMember, context: MemberContext) => Finding | readonly Finding[] | undefined;

const itsCacertsAreAccepted: Note = ({ state: { cacerts }, clusterId }) =>
  cacerts?.owner === "foreign" ? acceptedCacerts(clusterId) : undefined;

const itsControlPlaneIsAccepted: Note = ({ state: { controlPlane }, clusterId }) =>
  controlPlane?.owner === "foreign"
    ? finding(
        "ForeignControlPlaneAccepted",
        `Deployment ${controlPlane.name} is not Meshjoin's but belongs to the mesh; Meshjoin keeps only its remote secrets`,
        "nothing; uninstall it to have Meshjoin install and upgrade one, an outage for every pod that starts meanwhile",
        clusterId,
      )
    : undefined;

const autopilotNeedsNetAdmin: Note = ({ cluster }) => needsNetAdmin(cluster);

const itsNetworkLabelIsInvalid: Note = (member) => networkLabelInvalid(member);

/** Undefined where the labels about network and gateway have values that Meshjoin takes. */
export function networkLabelInvalid({ cluster, clusterId }: NamedCluster): Finding | undefined {
  const { [MESH_NETWORK_LABEL]: network, [MESH_GATEWAY_LABEL]: gateway } = cluster.labels;
  const faults: readonly (readonly [string, string, string])[] = [
    ...(network === undefined || isNetworkLabel(network)
      ? []
      : [[MESH_NETWORK_LABEL, network, NETWORK_LABEL_FORM] as const]),
    ...(gateway === undefined || isGatewayLabel(gateway)
      ? []
      : [[MESH_GATEWAY_LABEL, gateway, "internal, external or none"] as const]),
  ];
  const [fault] = faults;
  if (fault === undefined) return undefined;
  const [key, value, form] = fault;
  return finding(
    "NetworkLabelInvalid",
    `label ${key} of the cluster is ${JSON.stringify(value)}; use ${form}`,
    `set another value, or take the label off: meshjoin label ${clusterId} ${key === MESH_NETWORK_LABEL ? "--no-network" : "--no-gateway"}`,
    clusterId,
  );
}

const itsStateLabelIsInvalid: Note = (member) => stateLabelInvalid(member);

const itsRootsAreUnsafe: Note = ({ state: { cacerts }, ...member }, context) =>
  cacerts?.owner === "ours" ? unsafeRoots(cacerts, context, member) : undefined;

const itsCertificateExpires: Note = ({ state: { cacerts }, clusterId }, { now }) =>
  cacerts?.owner === "ours" ? certificateExpiring(cacerts, clusterId, now) : undefined;

/** Another intermediate of this root would hardly last longer. */
const itsRootExpires: Note = ({ state: { cacerts }, clusterId }, { roots, spec, now }) => {
  if (cacerts?.owner !== "ours" || cacerts.rootNotAfter === undefined) return undefined;
  const stands = formatRootVersions(roots.versions) === cacerts.rootVersions;
  const isHopeless =
    stands && isIntermediateDue(cacerts, clusterId, now) && !wouldGainLife(cacerts, spec, now);
  return isHopeless ? rootExpiring(cacerts.rootNotAfter, clusterId) : undefined;
};

const itsIstiodIsNotReady: Note = ({ state: { controlPlane }, ...member }) =>
  controlPlane === undefined || (controlPlane.rolledOut && controlPlane.isScaledToZero !== true)
    ? undefined
    : notReady(controlPlane, member);

/** An istiod that is missing is installed in the same run, unless a person has paused that. */
const itsCertificatesEnd: Note = (member, { now, roots }) =>
  member.state.controlPlane === undefined && roots.notes.writesPaused === undefined
    ? undefined
    : certificatesEnd(member, now);

const itsIstioDiffers: Note = ({ state: { controlPlane }, clusterId }, { desired }) =>
  controlPlane?.owner === "ours" && controlPlane.istioVersion !== desired.istioVersion
    ? finding(
        "IstioVersionDiffers",
        `istiod is ${controlPlane.istioVersion}, and Meshjoin installs ${desired.istioVersion}`,
        `when it suits: meshjoin upgrade --cluster ${clusterId}; without --cluster it brings all members there, one by one`,
        clusterId,
      )
    : undefined;

export function acceptedCacerts(clusterId: string): Finding {
  return finding(
    "ForeignCacertsAccepted",
    `Secret ${CACERTS} is not Meshjoin's but chains to the mesh's roots; Meshjoin accepts it and never rotates it`,
    `nothing; delete ${CACERTS} to have Meshjoin issue and rotate one, an outage if istiod starts before it is there`,
    clusterId,
  );
}

/** istiod reads each by itself: it lists the target twice, and sends each endpoint twice its share. */
const remoteSecretsAreDoubled: Note = ({ clusterId, cluster, state }) => {
  const read = state.remoteSecrets.filter(({ isRead, targetId }) => isRead && targetId !== "");
  return [...Map.groupBy(read, ({ targetId }) => targetId)].flatMap(([targetId, secrets]) => {
    if (secrets.length < 2) return [];
    const names = secrets.map(({ name }) => name).toSorted();
    const others = secrets.filter(({ owner }) => owner !== "ours").map(({ name }) => name);
    return finding(
      "RemoteSecretDoubled",
      `istiod of ${clusterId} reads ${names.join(" and ")}, both for ${targetId}, and counts its endpoints twice`,
      `delete the one that is not needed: ${kubectlOn(cluster.ref)} -n ${ISTIO_NAMESPACE} delete secret ${typedName(others[0] ?? "")}`,
      clusterId,
    );
  });
};

function notReady(
  { name, isScaledToZero = false, unpulledImage, notReadyBecause }: ControlPlaneState,
  { clusterId, cluster }: NamedCluster,
): Finding {
  if (isScaledToZero) {
    return finding(
      "ScaledToZero",
      `Deployment ${name} is scaled to 0, so the cluster has no istiod: its pods get no certificate and no configuration`,
      `${kubectlOn(cluster.ref)} -n ${ISTIO_NAMESPACE} scale deployment ${typedName(name)} --replicas=1`,
      clusterId,
    );
  }
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
    `${kubectlOn(cluster.ref)} -n ${ISTIO_NAMESPACE} describe pods -l app=istiod`,
    clusterId,
  );
}

const NOTES: readonly Note[] = [
  networkChange,
  podsInFormerNetwork,
  itsNetworkLabelIsInvalid,
  itsStateLabelIsInvalid,
  itsCacertsAreAccepted,
  itsControlPlaneIsAccepted,
  autopilotNeedsNetAdmin,
  itsRootsAreUnsafe,
  itsCertificateExpires,
  itsRootExpires,
  itsIstiodIsNotReady,
  itsCertificatesEnd,
  itsIstioDiffers,
  remoteSecretsAreDoubled,
];

/** All notes about a member that is not blocked. */
export function notesOf(member: ReachableMember, context: MemberContext): Finding[] {
  return NOTES.flatMap((note) => note(member, context) ?? []);
}

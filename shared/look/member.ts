import { lazily } from "../async/lazily.ts";
import type { Cluster } from "../core/cluster/cluster.ts";
import { formatAcceptance, isAccepted } from "../core/member/acceptance.ts";
import { networksSeen } from "../core/member/networks.ts";
import {
  type CacertsState,
  type ControlPlaneIdentity,
  type ControlPlaneState,
  type ForeignCacerts,
  type Member,
  type MemberState,
  named,
  type Reachable,
} from "../core/member/observation.ts";
import {
  annotation,
  CACERTS,
  clusterId,
  ISTIO_NAMESPACE,
  ISTIOD,
  networkName,
  SELF_SIGNED_SECRET,
} from "../core/names.ts";
import { networkOf } from "../core/network/network.ts";
import { asMeshjoinError, MeshjoinError } from "../errors.ts";
import { drainCopies } from "../istio/drain-note.ts";
import { judgeCacerts } from "../istio/foreign-cacerts.ts";
import {
  chooseControlPlane,
  controlPlaneIdentity,
  controlPlaneState,
  namespaceState,
  ownCacerts,
  secretData,
} from "../istio/member-state.ts";
import { ownerOf } from "../istio/ownership.ts";
import { probeMarks } from "../istio/probe/mark.ts";
import { RECORD, readRecord } from "../istio/record-config-map.ts";
import { type DeploymentObject, ISTIOD_LOCK, isReady } from "../istio/workload.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi, ObjectQuery, ObjectRef } from "../ports/member-api.ts";
import type { Ports } from "../ports/ports.ts";
import type { Run } from "../run.ts";
import { podsElsewhere } from "./pods-elsewhere.ts";
import { secretStates } from "./secret-states.ts";

/** Written by the managed control plane of Cloud Service Mesh. */
const MANAGED_MESH_CONFIG: ObjectRef = {
  apiVersion: "v1",
  kind: "ConfigMap",
  namespace: ISTIO_NAMESPACE,
  name: "istio-asm-managed",
};
const LOCK: ObjectRef = {
  apiVersion: "v1",
  kind: "ConfigMap",
  namespace: ISTIO_NAMESPACE,
  name: ISTIOD_LOCK,
};
export const NAMESPACE: ObjectRef = { apiVersion: "v1", kind: "Namespace", name: ISTIO_NAMESPACE };
export const SECRETS: ObjectQuery = {
  apiVersion: "v1",
  kind: "Secret",
  namespace: ISTIO_NAMESPACE,
  metadataOnly: true,
};
/** The label of the istiod chart for Deployments and pods, in every revision. */
const DEPLOYMENTS: ObjectQuery = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  namespace: ISTIO_NAMESPACE,
  labelSelector: "app=istiod",
};
export const ISTIOD_PODS: ObjectQuery = {
  apiVersion: "v1",
  kind: "Pod",
  namespace: ISTIO_NAMESPACE,
  labelSelector: "app=istiod",
};

/** A cluster without Istio's namespace holds nothing to read. */
const EMPTY: Reachable = {
  reachable: true,
  namespace: undefined,
  managedMesh: false,
  cacerts: undefined,
  selfSignedCa: false,
  controlPlane: undefined,
  pods: [],
  remoteSecrets: [],
  readerSecrets: [],
};

/** Of a subject, which may lack it, the namespace is read as well. */
export type Depth = "subject" | "peer";

export interface Observe {
  readonly depth: Depth;
  readonly signal: AbortSignal;
  /** The same member as an earlier look saw it. */
  readonly before?: MemberState | undefined;
}

/**
 * Reads one member: three lists of metadata and status for a peer; for a subject its namespace and its record
 * as well.
 * It reads no key, unless it must judge a foreign `cacerts`. Never fails: an API server that does not answer,
 * or whose objects cannot be read, is a value.
 */
export async function observeMember(run: Run, cluster: Cluster, how: Observe): Promise<Member> {
  const member = named(cluster);
  try {
    const state = await read(run, cluster, how);
    return { ...member, state, ...networksSeen(state, cluster) };
  } catch (error) {
    const { code, message, cure, retryable } = asMeshjoinError(error, member.clusterId, LOOKING);
    const unexpected = error instanceof MeshjoinError ? {} : { unexpected: error };
    return { ...member, state: { reachable: false, code, message, cure, retryable, ...unexpected } };
  }
}

const LOOKING = "its objects were read";

/** The unexpected errors of the members, which their findings may not quote. */
export function unreadableErrors(members: readonly Member[]): MeshjoinError[] {
  return members.flatMap(({ clusterId: id, state }) =>
    state.reachable || state.unexpected === undefined ? [] : [asMeshjoinError(state.unexpected, id, LOOKING)],
  );
}

/** Reads the same member once more, as a subject; its gateways stay as they were seen last. */
export async function observeAgain(run: Run, member: Member): Promise<Member> {
  const how: Observe = { depth: "subject", signal: run.signal, before: member.state };
  const seen = await observeMember(run, member.cluster, how);
  const gateways = member.state.reachable ? member.state.gateways : undefined;
  return seen.state.reachable ? { ...seen, state: { ...seen.state, gateways } } : seen;
}

async function read(
  { ports, spec, share }: Run,
  cluster: Cluster,
  { depth, signal, before }: Observe,
): Promise<Reachable> {
  const api = ports.fleet.member(cluster);
  const readNamespace = lazily(() => api.reader.get(NAMESPACE, signal));
  const namespace = depth === "subject" ? await readNamespace() : undefined;
  if (depth === "subject" && namespace === undefined) return EMPTY;
  const [secrets, deployments, pods, record] = await Promise.all([
    api.reader.list(SECRETS, signal),
    api.reader.list(DEPLOYMENTS, signal),
    api.reader.list(ISTIOD_PODS, signal),
    depth === "subject" ? api.reader.get(RECORD, signal) : undefined,
  ]);
  const { meshId } = spec;
  const known = before?.reachable === true ? before : undefined;
  const deployment = chooseControlPlane(deployments, meshId);
  const managed = deployment === undefined && namespace !== undefined;
  const ready = pods.filter((pod) => isReady(pod));
  const isAway = deployment !== undefined && ready.length === 0;
  const [cacerts, identity, managedMesh, lock] = await Promise.all([
    cacertsState({ ports, api, meshId, signal, readNamespace }, secrets),
    foreignIdentity({ api, meshId, signal, readNamespace }, deployment),
    managed ? api.reader.get(MANAGED_MESH_CONFIG, signal).then((config) => config !== undefined) : false,
    isAway ? api.reader.get(LOCK, signal) : undefined,
  ]);
  const own =
    deployment === undefined ? undefined : controlPlaneState(deployment, pods, { identity, lock }, meshId);
  const noted = namespace ?? (mayHaveNotes(own, cluster, known) ? await readNamespace() : undefined);
  const state: Reachable = {
    reachable: true,
    namespace: noted === undefined ? undefined : namespaceState(noted, meshId),
    managedMesh,
    cacerts,
    selfSignedCa: secrets.some(({ metadata }) => metadata.name === SELF_SIGNED_SECRET),
    controlPlane: own,
    record: depth === "subject" ? readRecord(record, meshId) : known?.record,
    pods: ready.map(({ metadata }) => metadata.name),
    podsElsewhere: known?.podsElsewhere,
    trafficRules: known?.trafficRules,
    ...secretStates(secrets, meshId, share, known),
    ...marksIn(secrets, meshId),
    ...drainsIn(secrets, meshId),
  };
  const { network, formerNetwork } = networksSeen({ ...state, podsElsewhere: undefined }, cluster);
  if (depth !== "subject" || formerNetwork === undefined) return state;
  return { ...state, podsElsewhere: await podsElsewhere(api, network, clusterId(cluster.ref), signal) };
}

function marksIn(secrets: readonly KubernetesObject[], meshId: string): Pick<Reachable, "probeMarks"> {
  const marks = probeMarks(secrets, meshId);
  return marks.length === 0 ? {} : { probeMarks: marks };
}

function drainsIn(secrets: readonly KubernetesObject[], meshId: string): Pick<Reachable, "drainCopies"> {
  const copies = drainCopies(secrets, meshId);
  return copies.length === 0 ? {} : { drainCopies: copies };
}

/** Whether the namespace of a peer, which is not read otherwise, may note a change of its network. */
function mayHaveNotes(
  controlPlane: ControlPlaneState | undefined,
  cluster: Cluster,
  known: Reachable | undefined,
): boolean {
  if (controlPlane?.manifestHash === undefined) return false;
  const installed = controlPlane.network ?? networkName(cluster.network);
  const { nextNetwork, changedTo } = known?.namespace ?? {};
  const isOnRecord = controlPlane.formerNetwork ?? nextNetwork ?? changedTo;
  return isOnRecord !== undefined || installed !== networkOf(cluster);
}

interface Look {
  readonly ports: Ports;
  readonly api: MemberApi;
  readonly meshId: string;
  readonly signal: AbortSignal;
  readonly readNamespace: () => Promise<KubernetesObject | undefined>;
}

async function cacertsState(
  look: Look,
  secrets: readonly KubernetesObject[],
): Promise<CacertsState | undefined> {
  const metadata = secrets.find((secret) => secret.metadata.name === CACERTS)?.metadata;
  if (metadata === undefined) return undefined;
  const owner = ownerOf(metadata, look.meshId);
  if (owner === "foreign") return await foreignCacerts(look, metadata.resourceVersion ?? "");
  return ownCacerts(metadata, owner);
}

/**
 * A `cacerts` that Meshjoin has accepted is not read again. Any other is read whole, with its key, because
 * istiod refuses one whose key does not fit.
 */
async function foreignCacerts(
  { ports, api, signal, readNamespace }: Look,
  resourceVersion: string,
): Promise<ForeignCacerts | undefined> {
  const now = ports.clock.now();
  const note = (await readNamespace())?.metadata.annotations?.[annotation("accepted-cacerts")];
  if (note !== undefined) {
    const state = await orError(ports.roots.state(signal));
    if (state instanceof MeshjoinError) return unknownTrust(state);
    if (isAccepted(note, { resourceVersion, rootVersions: state.versions }, now)) {
      return { owner: "foreign", trust: "sameRoots", acceptance: note };
    }
  }
  const ref: ObjectRef = { apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name: CACERTS };
  const [secret, trust] = await Promise.all([
    api.reader.get(ref, signal),
    orError(ports.authority.trustBundle(signal)),
  ]);
  if (secret === undefined) return undefined;
  if (trust instanceof MeshjoinError) return unknownTrust(trust);
  const { trustBundle, rootVersions } = trust;
  const verdict = judgeCacerts(secretData(secret), trustBundle, now);
  if (verdict.trust !== "sameRoots") return verdict;
  const present = { resourceVersion: secret.metadata.resourceVersion ?? "", rootVersions };
  const acceptance = formatAcceptance({ ...present, until: verdict.until });
  return { owner: "foreign", trust: "sameRoots", acceptance };
}

/** The root store and the signer are no part of the member: their errors leave the rest of it readable. */
async function orError<T>(answer: Promise<T>): Promise<T | MeshjoinError> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof MeshjoinError) return error;
    throw error;
  }
}

function unknownTrust({ code, message, cure, retryable }: MeshjoinError): ForeignCacerts {
  return { owner: "foreign", trust: "unknown", because: { code, message, cure, retryable } };
}

async function foreignIdentity(
  { api, meshId, signal, readNamespace }: Omit<Look, "ports">,
  deployment: DeploymentObject | undefined,
): Promise<ControlPlaneIdentity | undefined> {
  if (deployment === undefined || ownerOf(deployment.metadata, meshId) !== "foreign") return undefined;
  const revision = deployment.metadata.name.slice(ISTIOD.length);
  const ref = { apiVersion: "v1", kind: "ConfigMap", namespace: ISTIO_NAMESPACE, name: `istio${revision}` };
  const [config, namespace] = await Promise.all([api.reader.get(ref, signal), readNamespace()]);
  return controlPlaneIdentity(deployment, config, namespace);
}

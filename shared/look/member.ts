import { lazily } from "../async/lazily.ts";
import type { Cluster } from "../core/cluster/cluster.ts";
import { formatAcceptance, isAccepted } from "../core/member/acceptance.ts";
import {
  type CacertsState,
  type ControlPlaneIdentity,
  type ForeignCacerts,
  type Member,
  type MemberState,
  named,
  type Reachable,
} from "../core/member/observation.ts";
import { annotation, CACERTS, ISTIO_NAMESPACE, ISTIOD, SELF_SIGNED_SECRET } from "../core/names.ts";
import { asMeshjoinError, MeshjoinError } from "../errors.ts";
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
import { type DeploymentObject, isReady } from "../istio/workload.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi, ObjectQuery, ObjectRef } from "../ports/member-api.ts";
import type { Ports } from "../ports/ports.ts";
import type { Run } from "../run.ts";
import { secretStates } from "./secret-states.ts";

/** What Cloud Service Mesh's managed control plane leaves in a cluster. */
const MANAGED_MESH_CONFIG: ObjectRef = {
  apiVersion: "v1",
  kind: "ConfigMap",
  namespace: ISTIO_NAMESPACE,
  name: "istio-asm-managed",
};
const NAMESPACE: ObjectRef = { apiVersion: "v1", kind: "Namespace", name: ISTIO_NAMESPACE };
const SECRETS: ObjectQuery = {
  apiVersion: "v1",
  kind: "Secret",
  namespace: ISTIO_NAMESPACE,
  metadataOnly: true,
};
/** Both are labelled so by the istiod chart, whatever the revision. */
const DEPLOYMENTS: ObjectQuery = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  namespace: ISTIO_NAMESPACE,
  labelSelector: "app=istiod",
};
const PODS: ObjectQuery = {
  apiVersion: "v1",
  kind: "Pod",
  namespace: ISTIO_NAMESPACE,
  labelSelector: "app=istiod",
};

/** A cluster without Istio's namespace; there is nothing in it to be read. */
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

/** A namespace more is read of a subject, which may have none. */
export type Depth = "subject" | "peer";

export interface Observe {
  readonly depth: Depth;
  readonly signal: AbortSignal;
  /** The same member, as it was seen before. */
  readonly before?: MemberState | undefined;
}

/**
 * Reads one member: three lists of metadata and status for a peer, a namespace more for a subject. No key byte is
 * read, unless a `cacerts` that is not ours has to be judged. Never fails: an API server that does not answer is a value, and so is
 * one whose objects cannot be read.
 */
export async function observeMember(run: Run, cluster: Cluster, how: Observe): Promise<Member> {
  const member = named(cluster);
  try {
    return { ...member, state: await read(run, cluster, how) };
  } catch (error) {
    const { code, message, cure, retryable } = asMeshjoinError(error, member.clusterId, LOOKING);
    const unexpected = error instanceof MeshjoinError ? {} : { unexpected: error };
    return { ...member, state: { reachable: false, code, message, cure, retryable, ...unexpected } };
  }
}

const LOOKING = "what it holds was read";

/** Of members that were looked at: the errors that their findings may not quote. */
export function unreadableErrors(members: readonly Member[]): MeshjoinError[] {
  return members.flatMap(({ clusterId: id, state }) =>
    state.reachable || state.unexpected === undefined ? [] : [asMeshjoinError(state.unexpected, id, LOOKING)],
  );
}

/** The same member as a subject, when it may have changed. */
export async function observeAgain(run: Run, member: Member): Promise<Member> {
  const how: Observe = { depth: "subject", signal: run.signal, before: member.state };
  const { state } = await observeMember(run, member.cluster, how);
  return { ...member, state };
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
  const [secrets, deployments, pods] = await Promise.all([
    api.reader.list(SECRETS, signal),
    api.reader.list(DEPLOYMENTS, signal),
    api.reader.list(PODS, signal),
  ]);
  const { meshId } = spec;
  const deployment = chooseControlPlane(deployments, meshId);
  const managed = deployment === undefined && namespace !== undefined;
  const [cacerts, identity, managedMesh] = await Promise.all([
    cacertsState({ ports, api, meshId, signal, readNamespace }, secrets),
    foreignIdentity({ api, meshId, signal, readNamespace }, deployment),
    managed ? api.reader.get(MANAGED_MESH_CONFIG, signal).then((found) => found !== undefined) : false,
  ]);
  return {
    reachable: true,
    namespace: namespace === undefined ? undefined : namespaceState(namespace, meshId),
    managedMesh,
    cacerts,
    selfSignedCa: secrets.some(({ metadata }) => metadata.name === SELF_SIGNED_SECRET),
    controlPlane:
      deployment === undefined ? undefined : controlPlaneState(deployment, pods, identity, meshId),
    pods: pods.filter((pod) => isReady(pod)).map(({ metadata }) => metadata.name),
    ...secretStates(secrets, meshId, share, before?.reachable === true ? before : undefined),
  };
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
 * One that was accepted before is not read again. Any other is, whole and with its key, because istiod would refuse one whose
 * key does not fit.
 */
async function foreignCacerts(
  { ports, api, signal, readNamespace }: Look,
  listed: string,
): Promise<ForeignCacerts | undefined> {
  const now = ports.clock.now();
  const note = (await readNamespace())?.metadata.annotations?.[annotation("accepted-cacerts")];
  if (note !== undefined) {
    const state = await orError(ports.roots.state(signal));
    if (state instanceof MeshjoinError) return unknownTrust(state);
    if (isAccepted(note, { resourceVersion: listed, rootVersions: state.versions }, now)) {
      return { owner: "foreign", trust: "sameRoots", acceptance: note };
    }
  }
  const ref: ObjectRef = { apiVersion: "v1", kind: "Secret", namespace: ISTIO_NAMESPACE, name: CACERTS };
  const [secret, trusted] = await Promise.all([
    api.reader.get(ref, signal),
    orError(ports.authority.trustBundle(signal)),
  ]);
  if (secret === undefined) return undefined;
  if (trusted instanceof MeshjoinError) return unknownTrust(trusted);
  const { trustBundle, rootVersions } = trusted;
  const verdict = judgeCacerts(secretData(secret), trustBundle, now);
  if (verdict.trust !== "sameRoots") return verdict;
  const { resourceVersion = "" } = secret.metadata;
  const acceptance = formatAcceptance({ resourceVersion, rootVersions, until: verdict.until });
  return { owner: "foreign", trust: "sameRoots", acceptance };
}

/** The root store and the signer are no part of the member, so what is wrong with them leaves the rest of it known. */
async function orError<T>(asked: Promise<T>): Promise<T | MeshjoinError> {
  try {
    return await asked;
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

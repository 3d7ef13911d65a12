import { peerEndpoint } from "../core/cluster/endpoints.ts";
import type { ReachableMember } from "../core/member/observation.ts";
import { annotation, REMOTE_SECRET_LABEL, readerSecretName, remoteSecretName } from "../core/names.ts";
import type { MeshSpec } from "../core/spec.ts";
import { NotReadyError, RefusedError, UnavailableError } from "../errors.ts";
import { tokenOfKubeconfig } from "../istio/kubeconfig.ts";
import { readerSecret, remoteSecret, secretFile, secretRef } from "../istio/secrets.ts";
import type { Connect } from "../plan/action.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi } from "../ports/member-api.ts";
import type { Ports } from "../ports/ports.ts";
import { mint } from "./mint.ts";
import { applySecretNotes } from "./secret-notes.ts";

export interface Pair {
  readonly reader: ReachableMember;
  readonly target: ReachableMember;
}

/**
 * Gives the reader a credential of the target: a reader Secret in the target, a token that is bound to it and
 * tried, and the remote secret in the reader, created or replaced in place. If the run dies after any of
 * these, the next run goes on from there. Answers whether it wrote the remote secret.
 */
export async function connectPair(
  ports: Ports,
  spec: MeshSpec,
  { reader, target }: Pair,
  action: Connect,
  signal: AbortSignal,
): Promise<boolean> {
  const apis = { reader: ports.fleet.member(reader.cluster), target: ports.fleet.member(target.cluster) };
  const choice = peerEndpoint(target.cluster, spec.accessPeers, target.clusterId);
  if ("finding" in choice) {
    const { message, cure, reason } = choice.finding;
    throw new RefusedError(message, { code: reason, cure });
  }
  if (action.resourceVersion !== undefined) {
    const only = action.urgency === "due" || action.urgency === "reserve" ? undefined : target.clusterId;
    await assertReplaceable(apis, { reader, target }, only, signal);
  }

  const bound = await ensureReaderSecret(apis.target, spec.meshId, { reader, target }, signal);
  if (action.unseen === bound.uid) return false;
  const now = ports.clock.now();
  const grant = await apis.target.tokens.request(bound, spec.tokenTtl, signal);
  if (!(await apis.target.tokens.isAccepted(grant.token, signal))) {
    throw new UnavailableError(`${target.clusterId} does not accept the token that it has just granted`, {
      code: "TokenNotAccepted",
      fields: { clusterId: target.clusterId },
    });
  }
  const secret = remoteSecret({
    meshId: spec.meshId,
    target: target.cluster,
    targetId: target.clusterId,
    endpoint: choice.endpoint,
    endpointDigest: action.endpointDigest,
    network: target.network,
    readerUid: bound.uid,
    grant,
    now,
  });
  const minted = await mint(
    apis.reader,
    secret,
    { meshId: spec.meshId, replaces: action.resourceVersion, accepts: isAsGoodAs(secret) },
    signal,
  );
  if (minted.wrote) await keepSilence(apis.reader, { reader, target }, minted.secret, signal);
  return minted.wrote;
}

/**
 * An istiod may be away while its API server grants tokens. Without this each renewal would begin the silence
 * anew, and among many readers one is always due.
 */
async function keepSilence(
  api: MemberApi,
  { reader, target }: Pair,
  { metadata: { name, uid = "", resourceVersion = "" } }: KubernetesObject,
  signal: AbortSignal,
): Promise<void> {
  const before = reader.state.remoteSecrets.find((secret) => secret.name === name);
  if (before?.silentSince === undefined || before.targetGkeId !== target.cluster.id) return;
  const notes = { lostSince: undefined, silentSince: before.silentSince, lastGateway: undefined };
  await applySecretNotes(api, { name, uid, resourceVersion }, notes, signal);
}

const COMPARED = ["cluster-id", "endpoint-digest", "network", "reader-uid"] as const;

/** Whether a Secret is for the same cluster, address and reader, and labelled for istiod to read. */
function isAsGoodAs(secret: KubernetesObject): (existing: KubernetesObject) => boolean {
  return (existing) =>
    existing.metadata.labels?.[REMOTE_SECRET_LABEL] === "true" &&
    COMPARED.map(annotation).every(
      (key) => existing.metadata.annotations?.[key] === secret.metadata.annotations?.[key],
    );
}

interface BoundTo {
  readonly name: string;
  readonly uid: string;
}

/** Deletes a reader Secret of an earlier cluster of the name first, which revokes that cluster's tokens. */
async function ensureReaderSecret(
  api: MemberApi,
  meshId: string,
  { reader, target }: Pair,
  signal: AbortSignal,
): Promise<BoundTo> {
  const name = readerSecretName(reader.clusterId);
  const existing = target.state.readerSecrets.find((secret) => secret.name === name);
  if (existing !== undefined && existing.readerGkeId === reader.cluster.id) return existing;
  if (existing !== undefined) await api.writer.delete(secretRef(name), existing.uid, signal);
  const minting = {
    meshId,
    accepts: ({ metadata }: KubernetesObject) =>
      metadata.annotations?.[annotation("cluster-id")] === reader.cluster.id,
  };
  const { secret } = await mint(api, readerSecret(meshId, reader.cluster, reader.clusterId), minting, signal);
  return { name, uid: secret.metadata.uid ?? "" };
}

/**
 * Design rule 4: while an istiod is syncing, a change of its remote secret can wedge it, unless the token in
 * it is dead, so that no sync can succeed. With `only`, the sync of that cluster alone counts; without it,
 * any sync of the reader does, because a renewal has time.
 */
async function assertReplaceable(
  apis: { readonly reader: MemberApi; readonly target: MemberApi },
  { reader, target }: Pair,
  only: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const views = await Promise.all(
    reader.state.pods.map(async (pod) => {
      const session = apis.reader.istiod.open(pod);
      try {
        return await session.remoteClusters(signal);
      } finally {
        session.close();
      }
    }),
  );
  const syncing = views
    .flat()
    .find(({ clusterId, status }) => status === "syncing" && (only ?? clusterId) === clusterId);
  if (syncing === undefined) return;
  const current = await apis.reader.reader.get(secretRef(remoteSecretName(target.clusterId)), signal);
  const token = current && tokenOfKubeconfig(secretFile(current, target.clusterId) ?? "");
  if (token === undefined || !(await apis.target.tokens.isAccepted(token, signal))) return;
  throw new NotReadyError(`istiod of ${reader.clusterId} is still syncing ${syncing.clusterId}`, {
    code: "PairSyncing",
    cure: `nothing: Meshjoin writes the remote secret for ${target.clusterId} afterwards`,
    fields: { clusterId: reader.clusterId },
  });
}

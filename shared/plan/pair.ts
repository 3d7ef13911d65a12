import { endpointDigest } from "../core/endpoint-digest.ts";
import { peerEndpoint } from "../core/endpoints.ts";
import { type Finding, finding } from "../core/finding.ts";
import { ISTIO_NAMESPACE, readerSecretName, remoteSecretName } from "../core/names.ts";
import type { Member, ReachableMember, ReaderSecretState, RemoteSecretState } from "../core/observation.ts";
import { isReachable } from "../core/observation.ts";
import { outOfReach } from "../core/reach.ts";
import type { MeshSpec } from "../core/spec.ts";
import { isTokenDue, tokenExpiring } from "../core/token-life.ts";
import { type Connect, isRenewal } from "./action.ts";
import type { Standing } from "./member.ts";

export interface PairContext {
  readonly spec: MeshSpec;
  readonly standings: ReadonlyMap<string, Standing>;
  readonly now: Date;
}

/**
 * How a directed pair stands: `current` (the remote secret is as it should be), `connect` (it is written now),
 * `pending` (one side is not ready; it will look for itself), `excluded` (not to be paired, or kept by somebody
 * else), `blocked` (somebody must act).
 */
export type PairStanding = "current" | "connect" | "pending" | "excluded" | "blocked";

export interface PairPlan {
  readonly reader: string;
  readonly target: string;
  readonly standing: PairStanding;
  readonly action?: Connect;
  /** Of the token that the reader has now. */
  readonly tokenExpiresAt?: Date;
  /** That token should have been renewed long ago; whether it is this time is for the run to see. */
  readonly expiring?: Finding;
  readonly findings: readonly Finding[];
}

/** Round two of design rule 2: every ordered pair that a subject takes part in, sorted. */
export function planPairs(
  members: readonly Member[],
  subjects: ReadonlySet<string>,
  context: PairContext,
): PairPlan[] {
  const sorted = members.toSorted((a, b) => compare(a.clusterId, b.clusterId));
  return sorted.flatMap((reader) => {
    const plans = sorted.flatMap((target) =>
      reader !== target && (subjects.has(reader.clusterId) || subjects.has(target.clusterId))
        ? [planPair(reader, target, context)]
        : [],
    );
    return fewRenewals(plans);
  });
}

/**
 * Full runs come every ten minutes, and the tokens that GKE gives (48 h) are due within 9.6 h of each other: one run in so many may
 * renew all that a reader holds, and every token is renewed hours before it would be late.
 */
const TARGETS_PER_RENEWAL = 50;

/** Each renewal makes an istiod list a whole cluster again, so a reader gets few at a time: those of the tokens that end first. */
function fewRenewals(plans: readonly PairPlan[]): PairPlan[] {
  const renews = ({ action }: PairPlan) => action !== undefined && isRenewal(action);
  const due = plans.filter(renews).toSorted((a, b) => expiry(a) - expiry(b));
  const now = new Set(due.slice(0, Math.ceil(plans.length / TARGETS_PER_RENEWAL)));
  return plans.map((plan) => {
    if (now.has(plan) || !renews(plan)) return plan;
    const { action: _, ...rest } = plan;
    return { ...rest, standing: "current" };
  });
}

function expiry({ tokenExpiresAt }: PairPlan): number {
  return tokenExpiresAt?.getTime() ?? 0;
}

/** A token ends whatever keeps the pair from being written. */
function planPair(reader: Member, target: Member, context: PairContext): PairPlan {
  const existing = isReachable(reader) ? remoteSecretOf(reader, target.clusterId) : undefined;
  const expiring = existing && tokenExpiring(existing, reader.clusterId, target.clusterId, context.now);
  return {
    ...planWriting(reader, target, existing, context),
    ...(existing?.tokenExpiresAt === undefined ? {} : { tokenExpiresAt: existing.tokenExpiresAt }),
    ...(expiring === undefined ? {} : { expiring }),
  };
}

function planWriting(
  reader: Member,
  target: Member,
  existing: RemoteSecretState | undefined,
  context: PairContext,
): PairPlan {
  const pair = { reader: reader.clusterId, target: target.clusterId };
  const apart = notShared(reader, target);
  if (apart !== undefined) return { ...pair, standing: "excluded", findings: [apart] };
  for (const member of [reader, target]) {
    const waiting = notComplete(member, context);
    if (waiting !== undefined) return { ...pair, standing: "pending", findings: [waiting] };
  }
  if (!isReachable(reader) || !isReachable(target)) return { ...pair, standing: "pending", findings: [] };

  const choice = peerEndpoint(target.cluster, context.spec.accessPeers, target.clusterId);
  if ("finding" in choice) return { ...pair, standing: "blocked", findings: [choice.finding] };
  const foreign = foreignSecret(reader, target);
  if (foreign !== undefined) return { ...pair, ...foreign };

  const digest = endpointDigest(choice.endpoint);
  const cause = whyConnect(existing, reader, target, digest, context.now);
  if (cause === undefined) return { ...pair, standing: "current", findings: [] };
  const action: Connect = {
    kind: "connect",
    verb: existing === undefined ? "create" : "update",
    clusterId: reader.clusterId,
    target: target.clusterId,
    endpointDigest: digest,
    resourceVersion: existing?.resourceVersion,
    ...(cause.unseen === undefined ? {} : { unseen: cause.unseen }),
    findings: [cause.finding],
  };
  return { ...pair, standing: "connect", action, findings: [] };
}

function notShared(reader: Member, target: Member): Finding | undefined {
  const routed = [reader, target].find((member) => !member.cluster.vpcNative);
  if (routed !== undefined) {
    return finding(
      "NetworkNotShared",
      `${routed.clusterId} has no VPC-native pods, so ${reader.clusterId} cannot reach pods of ${target.clusterId}`,
      "recreate it as a VPC-native cluster",
      reader.clusterId,
    );
  }
  return reader.network === target.network
    ? undefined
    : finding(
        "NetworkNotShared",
        `${reader.clusterId} is in network ${reader.network} and ${target.clusterId} in ${target.network}`,
        "members of different networks are not paired; put them into one VPC",
        reader.clusterId,
      );
}

function notComplete(member: Member, { standings }: PairContext): Finding | undefined {
  const standing = standings.get(member.clusterId);
  if (standing === "complete") return undefined;
  return (
    outOfReach(member) ??
    finding(
      "PeerPending",
      `${member.clusterId} has not finished its own half`,
      "nothing: it pairs itself when it has",
      member.clusterId,
    )
  );
}

function remoteSecretOf(reader: ReachableMember, targetId: string) {
  return remoteSecretsFor(reader, targetId)[0];
}

/** Those that are about the target, or that stand where its own would; in the order of the list. */
function remoteSecretsFor({ state }: ReachableMember, targetId: string): readonly RemoteSecretState[] {
  const found = remoteSecretsByName(state.remoteSecrets, ({ targetId: id }) => remoteSecretName(id));
  return found.get(remoteSecretName(targetId)) ?? [];
}

function readerSecretsFor({ state }: ReachableMember, readerId: string): readonly ReaderSecretState[] {
  const found = readerSecretsByName(state.readerSecrets, ({ readerId: id }) => readerSecretName(id));
  return found.get(readerSecretName(readerId)) ?? [];
}

const remoteSecretsByName = byName<RemoteSecretState>();
const readerSecretsByName = byName<ReaderSecretState>();

/**
 * Secrets by the name that each has and by the one that it should have, made once for each list: there are as many pairs as
 * members squared, and no pair is to be looked for among all Secrets of a member.
 */
function byName<T extends { readonly name: string }>() {
  const made = new WeakMap<readonly T[], ReadonlyMap<string, readonly T[]>>();
  return (secrets: readonly T[], properName: (secret: T) => string): ReadonlyMap<string, readonly T[]> => {
    const known = made.get(secrets);
    if (known !== undefined) return known;
    const names = new Map<string, T[]>();
    for (const secret of secrets) {
      for (const name of new Set([secret.name, properName(secret)])) {
        const same = names.get(name);
        if (same === undefined) names.set(name, [secret]);
        else same.push(secret);
      }
    }
    made.set(secrets, names);
    return names;
  };
}

/** A Secret of somebody else's that keeps the pair, or that is in its way. */
function foreignSecret(
  reader: ReachableMember,
  target: ReachableMember,
): Pick<PairPlan, "standing" | "findings"> | undefined {
  const remote = remoteSecretsFor(reader, target.clusterId).find(({ owner }) => owner !== "ours");
  if (remote !== undefined) {
    return {
      standing: remote.isRead ? "excluded" : "blocked",
      findings: [foreignRemoteSecret(reader.clusterId, target.clusterId, remote)],
    };
  }
  const standIn = readerSecretsFor(target, reader.clusterId).find(
    (secret) => secret.owner !== "ours" && secret.name === readerSecretName(reader.clusterId),
  );
  return standIn && { standing: "blocked", findings: [foreignReaderSecret(target.clusterId, standIn.name)] };
}

/** `isRead`: whether istiod takes notice of it. */
export function foreignRemoteSecret(
  reader: string,
  target: string,
  { name, isRead }: Pick<RemoteSecretState, "name" | "isRead">,
): Finding {
  const what = isRead
    ? `Secret ${name} already gives ${reader} access to ${target} and is not Meshjoin's`
    : `Secret ${name} of ${reader} is not Meshjoin's, and istiod passes it over`;
  const cure = `delete it to let Meshjoin keep the pair: kubectl -n ${ISTIO_NAMESPACE} delete secret ${name}`;
  return finding("ForeignRemoteSecret", what, cure, reader);
}

function foreignReaderSecret(target: string, name: string): Finding {
  return finding(
    "ForeignReaderSecret",
    `Secret ${name} in ${target} is not Meshjoin's`,
    `delete it: kubectl -n ${ISTIO_NAMESPACE} delete secret ${name}`,
    target,
  );
}

type Cause = Pick<Connect, "unseen"> & { readonly finding: Finding };

function whyConnect(
  existing: RemoteSecretState | undefined,
  reader: ReachableMember,
  target: ReachableMember,
  digest: string,
  now: Date,
): Cause | undefined {
  const say = (
    reason: "RemoteSecretMissing" | "RemoteSecretOutdated" | "TokenDue",
    message: string,
  ): Cause => ({
    finding: finding(reason, message, "Meshjoin writes it", reader.clusterId),
  });
  const name = target.clusterId;
  if (existing === undefined) return say("RemoteSecretMissing", `there is no remote secret for ${name}`);
  if (!existing.isRead) {
    return say(
      "RemoteSecretOutdated",
      `the remote secret for ${name} has lost the label that istiod looks for`,
    );
  }
  if (existing.editedBy !== undefined) {
    return say("RemoteSecretOutdated", `the remote secret for ${name} was changed by ${existing.editedBy}`);
  }
  if (existing.targetGkeId !== target.cluster.id) {
    return say(
      "RemoteSecretOutdated",
      `the remote secret was made for an earlier cluster of the name ${name}`,
    );
  }
  if (existing.endpointDigest !== digest) {
    return say("RemoteSecretOutdated", `the address or the CA of ${name} has changed`);
  }
  const bound = readerSecretsFor(target, reader.clusterId).find(
    (secret) => secret.readerId === reader.clusterId,
  );
  if (bound === undefined || bound.uid !== existing.readerUid || bound.readerGkeId !== reader.cluster.id) {
    const gone = say("RemoteSecretOutdated", `the token for ${name} is bound to a Secret that is gone`);
    return existing.readerUid === undefined ? gone : { ...gone, unseen: existing.readerUid };
  }
  if (existing.tokenExpiresAt !== undefined && existing.tokenExpiresAt <= now) {
    return say("RemoteSecretOutdated", `the token for ${name} has ended`);
  }
  return isTokenDue(existing, reader.clusterId, name, now)
    ? say("TokenDue", `the token for ${name} is due for renewal`)
    : undefined;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
